"""The articles of a suite on disk, indexed by the ordinary indexer, and kept for the next run."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

import yaml

from eval.suites import SuiteArticle
from index.build import update_index
from index.embedders import Embedder
from index.generation import PREPARATION_VERSION
from index.manifest import FORMAT_VERSION
from index.paths import Home
from index.progress import Progress, silent


def index_articles(
    name: str, articles: Iterable[SuiteArticle], *, home: Home, embedder: Embedder, progress: Progress = silent
) -> Path:
    """The folder of an index of these articles, made unless it is there already.

    It lies in the home folder, under a name that holds a hash of the articles; deleting it costs time only.
    """
    written = {article.file: _as_markdown(article) for article in articles}
    # Another format, other rules of preparation: another folder, since what is there cannot be used.
    digest = hashlib.sha256(f"{FORMAT_VERSION}.{PREPARATION_VERSION}\0".encode())
    for file, text in sorted(written.items()):
        digest.update(f"{file}\0{text}\0".encode())
    folder = home.root / "suites" / f"{name}-{digest.hexdigest()[:12]}"
    texts = folder / "articles"
    # The mark is written last: without it, what a stopped run left is begun anew.
    mark = folder / "written"
    if not mark.exists():
        shutil.rmtree(folder, ignore_errors=True)
        texts.mkdir(parents=True)
        for file, text in written.items():
            (texts / file).write_text(text, encoding="utf-8")
        mark.touch()
    update_index(folder / "index", [texts], embedder=embedder, progress=progress)
    return folder / "index"


def _as_markdown(article: SuiteArticle) -> str:
    known = {
        name: " ".join(value.split())
        for name in ("title", "source", "author", "date", "url")
        if (value := getattr(article, name)) is not None
    }
    # Always front matter, so that a text that begins with "---" is not taken for it.
    front = yaml.safe_dump(known, allow_unicode=True, sort_keys=False) if known else "{}\n"
    return f"---\n{front}---\n{article.text}\n"
