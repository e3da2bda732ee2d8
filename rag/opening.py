"""From names in the settings to a chatbot that can be asked: models made ready, index opened or first built."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from index.build import update_index
from index.embedders import Embedder, SentenceTransformerEmbedder
from index.errors import IndexMissing
from index.paths import Home, project_seeds
from index.progress import Progress, silent
from index.search import SavedIndex
from index.status import has_index
from index.weights import CATALOG, ensure_model
from rag.chatbot import Chatbot
from rag.generators import TransformersGenerator
from rag.settings import Settings
from rag.speed import Speedometer, this_machine


def open_embedder(settings: Settings, *, home: Home, progress: Progress = silent) -> Embedder:
    """The embedder that the settings name, fetched first if it is one of ours and missing."""
    model = ensure_model(settings.embedder, role="embedder", home=home, progress=progress)
    return SentenceTransformerEmbedder(model.path, name=model.name, fingerprint=model.fingerprint)


def open_index(settings: Settings, *, home: Home, progress: Progress = silent) -> SavedIndex:
    """The index that the settings name. The default one is built from the project's own articles if there is none yet.

    Raises IndexMissing for any other folder without an index.
    """
    embedder = open_embedder(settings, home=home, progress=progress)
    folder = settings.index_folder(home)
    if not has_index(folder):
        if folder != home.default_index or not project_seeds().is_dir():
            raise IndexMissing(f"There is no index in {folder}.", help=add_command(folder, home))
        update_index(folder, [project_seeds()], embedder=embedder, progress=progress)
    return SavedIndex.open(folder, embedder=embedder)


def make_ready(settings: Settings, *, home: Home, progress: Progress = silent) -> None:
    """Bring models and index to the disk, without loading them if they are there already."""
    ensure_model(settings.model, role="generator", home=home, progress=progress)
    if not has_index(settings.index_folder(home)):
        open_index(settings, home=home, progress=progress)


def open_chatbot(
    settings: Settings | None = None,
    *,
    home: Home | None = None,
    progress: Progress = silent,
    load: bool = False,
) -> Chatbot:
    """A chatbot over the index and model that the settings name; with `load`, the weights are brought to memory now.

    Raises ModelError, IndexStateError or ResourceError with the command that helps.
    """
    settings = settings or Settings()
    home = home or Home.from_environment()
    index = open_index(settings, home=home, progress=progress)
    model = ensure_model(settings.model, role="generator", home=home, progress=progress)
    # Models of ours live in a folder of ours; in other people's folders nothing is written.
    own = home.root / "int8" / f"{model.fingerprint[:16]}.safetensors"
    int8_file = model.path / "int8.safetensors" if model.name in CATALOG else own
    generator = TransformersGenerator(model.path, name=model.name, precision=settings.precision, int8_file=int8_file)
    if load or settings.seconds:  # loading must not take the time of the first answer
        _load(index, generator, progress)
    # By fingerprint: "default" may be another model tomorrow.
    known = f"{model.name} {model.fingerprint[:16]}"
    speedometer = Speedometer(generator, file=home.speeds, machine=lambda: this_machine(known, generator.precision))
    return Chatbot(index, generator, settings=settings, speedometer=speedometer)


def _load(index: SavedIndex, generator: TransformersGenerator, progress: Progress) -> None:
    """Both models beside each other: where the one reads its file, the other computes."""
    progress("loading the models", 0, 2)
    with ThreadPoolExecutor(1) as beside:
        loading = beside.submit(generator.load)
        index.search("Ready?", passages=1)
        progress("loading the models", 1, 2)
        loading.result()
    progress("loading the models", 2, 2)


def add_command(folder: Path, home: Home) -> str:
    """The command that builds the index in `folder`."""
    return "byline index add ARTICLES…" + ("" if folder == home.default_index else f" --index {folder}")
