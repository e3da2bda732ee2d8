"""Fixtures that several test files share: a tiny corpus, the offline embedder, the seeds."""

from pathlib import Path

import pytest

from index import HashingEmbedder, Home, SavedIndex, project_seeds, update_index
from index.progress import silent

TINY_ARTICLES = {
    "harbour.txt": (
        "Harbour reopens after storm\n\nBy Ana Silva\n\nPublished on March 3, 2021\n\n"
        "The harbour of Porto Claro reopened on Monday. Repairs cost 12 million euros, the mayor said.\n\n"
        "Fishing boats had waited for six weeks.\n\nLeave a Comment"
    ),
    "bakery.md": (
        "---\ntitle: Bakery wins prize\npublisher: Town Gazette\ndate: 2020-05-17\n---\n\n"
        "# Bakery wins prize\n\nThe bakery of Olga Brandt won the national bread prize. Its rye loaf has been baked "
        "since 1954.\n"
    ),
    "railway.txt": (
        "New railway line approved\n\nParliament approved a railway line between Linz and Passau. Trains will run from "
        "2031 and reach 230 kilometres an hour.\n\nThe line will cost 4.6 billion euros."
    ),
}


@pytest.fixture
def tiny_corpus(tmp_path: Path) -> Path:
    """A folder with three short articles about different things."""
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, text in TINY_ARTICLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def tiny_index(tiny_corpus: Path, tmp_path: Path) -> Path:
    """The folder of an index over the tiny corpus, made with the offline embedder."""
    folder = tmp_path / "index"
    update_index(folder, [tiny_corpus], embedder=HashingEmbedder())
    return folder


@pytest.fixture
def tiny_saved_index(tiny_index: Path):
    """The same index, opened."""
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as saved:
        yield saved


@pytest.fixture(scope="session")
def seeds() -> Path:
    """The four articles of the project."""
    return project_seeds()


@pytest.fixture(scope="session")
def embedder_folder() -> Path:
    """The real embedder's files. For tests marked `model`."""
    from index.weights import ensure_model

    return ensure_model("minilm", role="embedder", home=Home.from_environment(), progress=silent).path
