"""From names in the settings to a chatbot that can be asked: models made ready, index opened or first built."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from index.build import update_index
from index.embedders import Embedder, SentenceTransformerEmbedder
from index.errors import IndexMissing, SettingsError
from index.paths import Home, project_seeds
from index.progress import Progress, silent
from index.search import SavedIndex
from index.status import has_index
from index.weights import CATALOG, StoredModel, ensure_model, fingerprint_file
from rag.chatbot import Chatbot
from rag.completions import Completions
from rag.engines import engine_of, gguf_file, read_address
from rag.generators import Generator, TransformersGenerator
from rag.llama_cpp import LlamaCppGenerator, check_llama_cpp
from rag.loading import Loading
from rag.remote import RemoteGenerator
from rag.settings import Settings
from rag.speed import Speedometer, this_machine
from rag.types import Skill

_ADAPTERS = Path(__file__).with_name("adapters")
_SKILLS: tuple[Skill, ...] = ("judging", "checking", "writing", "supporting")
ADAPTERS = {"default": {skill: _ADAPTERS / f"default_{skill}.safetensors" for skill in _SKILLS}}
"""The adapters (`rag/adapter.py`) of those models of ours that have any: their `confidence` is fitted to them."""

KEY_VARIABLE = "BYLINE_API_KEY"
"""The environment variable with the key of a server that answers; no setting, so that no report can show it."""


class Engine(Generator, Protocol):
    """A generator that can be brought to memory ahead of the first question."""

    @property
    def precision(self) -> str:
        """What it computes in, as far as is known."""
        ...

    def load(self) -> None:
        """Have the model ready now. Raises ModelError."""
        ...


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
    find_generator(settings, home=home, progress=progress)
    if not has_index(settings.index_folder(home)):
        open_index(settings, home=home, progress=progress)


def open_chatbot(
    settings: Settings | None = None,
    *,
    home: Home | None = None,
    progress: Progress = silent,
    load: bool = False,
) -> Chatbot:
    """A chatbot over the index and model that the settings name; with `load`, the weights are brought to memory now, or
    else when a question first needs them.

    Raises ModelError, IndexStateError or ResourceError with the command that helps.
    """
    settings = settings or Settings()
    home = home or Home.from_environment()
    index = open_index(settings, home=home, progress=progress)
    model = find_generator(settings, home=home, progress=progress)
    generator = open_generator(settings, model, home=home)
    loading = Loading(lambda progress: _load(index, generator, progress))
    if load:
        loading.now(progress)
    # By fingerprint: "default" may be another model tomorrow.
    known = f"{model.name} {model.fingerprint[:16]}".rstrip()
    speedometer = Speedometer(generator, file=home.speeds, machine=lambda: this_machine(known, generator.precision))
    return Chatbot(index, generator, settings=settings, speedometer=speedometer, loading=loading)


def find_generator(settings: Settings, *, home: Home, progress: Progress = silent) -> StoredModel:
    """The model that writes, by name and fingerprint; one of ours is fetched first if it is missing.

    Of a server nothing is here, so that its path and fingerprint are empty; it is not spoken to.
    Raises ModelError, ResourceError.
    """
    engine = engine_of(settings.model)
    if engine == "server":
        return StoredModel(str(read_address(settings.model)), "generator", Path(), "")
    if engine == "llama.cpp":
        file = gguf_file(settings.model)
        check_llama_cpp(file)
        return StoredModel(file.name, "generator", file, fingerprint_file(file, home=home, progress=progress))
    return ensure_model(settings.model, role="generator", home=home, progress=progress)


def open_generator(settings: Settings, model: StoredModel, *, home: Home) -> Engine:
    """The engine for `model`, which `find_generator` found. Loads nothing, and speaks to nobody. Raises ModelError."""
    engine = engine_of(settings.model)
    if engine == "server":
        return open_server(settings)
    if engine == "llama.cpp":
        import torch

        return LlamaCppGenerator(model.path, name=model.name, threads=torch.get_num_threads())
    # Models of ours live in a folder of ours; in other people's folders nothing is written.
    own = home.root / "int8" / f"{model.fingerprint[:16]}.safetensors"
    ours = model.name in CATALOG
    return TransformersGenerator(
        model.path,
        name=model.name,
        precision=settings.precision,
        int8_file=model.path / "int8.safetensors" if ours else own,
        adapters=ADAPTERS.get(model.name),
    )


def open_server(settings: Settings) -> RemoteGenerator:
    """The server that the settings name, with the key in BYLINE_API_KEY if there is one. It is not yet spoken to.

    Raises ModelError if httpx is missing, SettingsError for a key that no request can carry.
    """
    address = read_address(settings.model)
    key = os.environ.get(KEY_VARIABLE, "").strip() or None
    if key and not (key.isascii() and key.isprintable()):
        raise SettingsError(f"{KEY_VARIABLE} holds characters that no key can have.", help="Copy the key once more.")
    # What was learnt of our models is known by their names, and a server may call any model "default".
    name = settings.model if address.model in CATALOG else address.model
    return RemoteGenerator(Completions(address.url, address.model, key=key), name=name)


def _load(index: SavedIndex, generator: Engine, progress: Progress) -> None:
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
