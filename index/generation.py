"""One generation of an index: its files, written beside the current ones, and the manifest that makes
them count.

Called with the index's lock held. Knows nothing about files of articles, only about articles.
"""

import os
import platform
import re
import sqlite3
from collections.abc import Container, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from index.embedders import Embedder
from index.errors import ResourceError
from index.keywords import KeywordIndex
from index.library import Library
from index.manifest import FORMAT_VERSION, MANIFEST_NAME, Manifest, StoredFile, write_manifest
from index.passages import SplitterSettings, split_passages, text_to_embed
from index.paths import sync_folder
from index.progress import Progress, silent
from index.stores import DEFAULT_STORE, VectorStore, new_store, open_store
from index.types import Article

PREPARATION_VERSION = 2
"""Raise it when cleaning, metadata, splitting or `text_to_embed` change what they make of the same file."""

TEXTS_PER_STEP = 2000
"""How many texts are embedded between two reports of progress."""

_GENERATION_FILE = re.compile(r"(?:articles|passages|sentences|words)-(\d{6,})\.\w+(?:-journal)?")
_LIBRARIES = ("faiss-cpu", "numpy", "sentence-transformers", "sentencex", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class Preparation:
    """What articles are prepared with."""

    embedder: Embedder
    splitter: SplitterSettings

    def made(self, manifest: Manifest) -> bool:
        """Whether the articles of an index were prepared by the same rules and settings; the embedder
        aside."""
        mine = (PREPARATION_VERSION, asdict(self.splitter), DEFAULT_STORE)
        return (manifest.preparation, manifest.splitter, manifest.store) == mine


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the files of the new generation are written."""

    library: Path
    passage_vectors: Path
    sentence_vectors: Path
    keywords: Path

    def all(self) -> tuple[Path, ...]:
        return self.library, self.passage_vectors, self.sentence_vectors, self.keywords


@dataclass(frozen=True, slots=True)
class _Contents:
    """The library and the two stores of the new generation; what is to go from the keywords and what is to join."""

    library: Library
    passages: VectorStore
    sentences: VectorStore
    gone: list[int] = field(default_factory=list)
    new: list[tuple[int, int, str]] = field(default_factory=list)


def write_generation(
    folder: Path,
    *,
    current: Manifest | None,
    delete: Sequence[str],
    add: Sequence[Article] = (),
    preparation: Preparation | None = None,
    keep_current: bool = True,
    progress: Progress = silent,
) -> Manifest:
    """Make the next state: the current one (nothing, if not `keep_current`) without the ids in `delete`, with
    `add`.

    `preparation` is needed unless articles are only deleted. Afterwards the current generation is still
    there, for those who have just read the old manifest; older ones are gone. Raises ResourceError if it
    cannot be written, and then the current state stays.
    """
    number = (current.generation if current else max(_generations(folder), default=0)) + 1
    files = _Files(*(folder / f"{kind}-{number:06d}.{end}" for kind, end in _KINDS))
    base = current if keep_current else None
    try:
        manifest = _write_files(folder, files, number, current, base, delete, add, preparation, progress)
    except BaseException as error:
        for path in files.all():
            path.unlink(missing_ok=True)
        if isinstance(error, OSError | sqlite3.OperationalError):
            raise ResourceError(f"The index at {folder} could not be written: {error}.") from error
        raise
    # From here on the new files may be the state of the index, so no error may delete them.
    try:
        write_manifest(folder, manifest)
    except OSError as error:
        raise ResourceError(f"The manifest of {folder} could not be written: {error}.") from error
    discard_generations(folder, keep={number, current.generation if current else number})
    return manifest


def discard_generations(folder: Path, *, keep: Container[int]) -> None:
    """Delete the files of all other generations, and manifests that were never finished."""
    for generation, paths in _generations(folder).items():
        for path in paths if generation not in keep else ():
            path.unlink(missing_ok=True)
    for path in folder.glob(f".{MANIFEST_NAME}.*.tmp"):
        path.unlink(missing_ok=True)


_KINDS = (("articles", "sqlite"), ("passages", DEFAULT_STORE), ("sentences", DEFAULT_STORE), ("words", "keywords"))


def _generations(folder: Path) -> dict[int, list[Path]]:
    """Generation → its files that are there, whether a manifest names them or not."""
    found: dict[int, list[Path]] = {}
    for path in folder.iterdir():
        match = _GENERATION_FILE.fullmatch(path.name)
        if match:
            found.setdefault(int(match[1]), []).append(path)
    return found


def _write_files(
    folder: Path,
    files: _Files,
    number: int,
    current: Manifest | None,
    base: Manifest | None,
    delete: Sequence[str],
    add: Sequence[Article],
    preparation: Preparation | None,
    progress: Progress,
) -> Manifest:
    """Write and sync the files; the manifest that describes them comes back."""
    source = folder / base.library.name if base else None
    with closing(Library.copy(source, files.library) if source else Library.create(files.library)) as library:
        contents = _Contents(library, *_stores(folder, base, preparation))
        for identity in delete if base else ():
            gone = library.remove(identity)
            contents.passages.delete(np.array(gone.passages, dtype=np.int64))
            contents.sentences.delete(np.array(gone.sentences, dtype=np.int64))
            contents.gone.extend(gone.passages)
        if preparation:
            _add(contents, add, preparation, progress)
        library.commit()
        hashes, counts = library.content_hashes(), library.counts()
    progress("saving the index", 0, 1)
    contents.passages.save(files.passage_vectors)
    contents.sentences.save(files.sentence_vectors)
    before = KeywordIndex.open(folder / base.keywords.name) if base else KeywordIndex.build(())
    before.merged(KeywordIndex.build(contents.new), without=contents.gone).save(files.keywords)
    for path in files.all():
        _sync(path)
    sync_folder(folder)
    progress("saving the index", 1, 1)
    return _describe(files, number, current, preparation, contents.passages.dimension, hashes, counts)


def _stores(folder: Path, base: Manifest | None, preparation: Preparation | None) -> tuple[VectorStore, VectorStore]:
    if base:
        return (
            open_store(base.store, folder / base.passage_vectors.name),
            open_store(base.store, folder / base.sentence_vectors.name),
        )
    if preparation is None:
        raise ValueError("a new index needs a preparation")
    dimension = preparation.embedder.dimension
    return new_store(DEFAULT_STORE, dimension), new_store(DEFAULT_STORE, dimension)


def _add(contents: _Contents, articles: Sequence[Article], preparation: Preparation, progress: Progress) -> None:
    passage_texts: list[tuple[int, str]] = []
    sentence_texts: list[tuple[int, str]] = []
    for article in articles:
        drafts = split_passages(article, preparation.splitter)
        texts = [text_to_embed(article, draft) for draft in drafts]
        stored = contents.library.add(article, drafts, texts)
        passage_texts += [(kept.passage.id, text) for kept, text in zip(stored, texts, strict=True)]
        contents.new.extend(
            (kept.passage.id, int(article.id, 16), text) for kept, text in zip(stored, texts, strict=True)
        )
        for passage, sentence_ids in stored:
            texts_of_sentences = [sentence.text for sentence in passage.sentences]
            sentence_texts += zip(sentence_ids, texts_of_sentences, strict=True)
    total = len(passage_texts) + len(sentence_texts)
    done = 0
    for store, texts_of_ids in ((contents.passages, passage_texts), (contents.sentences, sentence_texts)):
        for start in range(0, len(texts_of_ids), TEXTS_PER_STEP):
            progress("embedding passages and sentences", done, total)
            step = texts_of_ids[start : start + TEXTS_PER_STEP]
            vectors = preparation.embedder.embed_passages([text for _, text in step])
            store.upsert(np.array([number for number, _ in step], dtype=np.int64), vectors)
            done += len(step)
    progress("embedding passages and sentences", done, total)


def _describe(
    files: _Files,
    number: int,
    current: Manifest | None,
    preparation: Preparation | None,
    dimension: int,
    hashes: dict[str, str],
    counts: tuple[int, int, int],
) -> Manifest:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    library, passages, sentences, keywords = (StoredFile(path.name, path.stat().st_size) for path in files.all())
    if preparation:
        embedder, fingerprint = preparation.embedder.name, preparation.embedder.fingerprint
        version, splitter = PREPARATION_VERSION, asdict(preparation.splitter)
    elif current:
        embedder, fingerprint = current.embedder, current.embedder_fingerprint
        version, splitter = current.preparation, current.splitter
    else:
        raise ValueError("a new index needs a preparation")
    return Manifest(
        format=FORMAT_VERSION,
        generation=number,
        library=library,
        passage_vectors=passages,
        sentence_vectors=sentences,
        keywords=keywords,
        store=current.store if current and not preparation else DEFAULT_STORE,
        embedder=embedder,
        embedder_fingerprint=fingerprint,
        dimension=dimension,
        preparation=version,
        splitter=splitter,
        versions=_versions(),
        articles=hashes,
        article_count=counts[0],
        passage_count=counts[1],
        sentence_count=counts[2],
        created=current.created if current else now,
        updated=now,
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for name in ("byline", *_LIBRARIES):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"  # run from its folder; or an embedder that needs none of it
    return versions


def _sync(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
