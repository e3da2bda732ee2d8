"""One generation of an index: its files, written beside the current ones, and the manifest that makes
them count.

Called with the index's lock held. Knows nothing about files of articles, only about articles.
"""

import os
import platform
import re
import sqlite3
from collections.abc import Container, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np

from index.checkpoint import Checkpoint, discard_checkpoint
from index.embedders import Embedder
from index.embedding import TEXTS_AT_ONCE, Embedding
from index.errors import ResourceError
from index.keywords import KeywordIndex
from index.library import Library
from index.manifest import FILES, FORMAT_VERSION, MANIFEST_NAME, Manifest, StoredFile, write_manifest
from index.passages import SplitterSettings, split_passages, text_to_embed
from index.paths import sync_folder
from index.progress import Progress, silent
from index.store_making import made_store
from index.types import Article
from index.vector_file import VectorFile, VectorWriter

PREPARATION_VERSION = 3
"""Raise it when cleaning, metadata, splitting or `text_to_embed` change what they make of the same file."""

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
        return (manifest.preparation, manifest.splitter) == (PREPARATION_VERSION, asdict(self.splitter))


@dataclass(frozen=True, slots=True)
class _Files:
    """Where the files of a generation are; the fields are those of the manifest (`FILES`)."""

    library: Path
    passage_vectors: Path
    sentence_vectors: Path
    passage_store: Path
    keywords: Path

    @classmethod
    def of(cls, folder: Path, manifest: Manifest) -> "_Files":
        return cls(*(folder / file.name for file in manifest.files))

    def all(self) -> tuple[Path, ...]:
        return tuple(getattr(self, name) for name in FILES)


@dataclass(frozen=True, slots=True)
class _Change:
    """The ids that are to go, and what is to join, by new ids: texts of passages and sentences, to be embedded."""

    gone_passages: list[int] = field(default_factory=list)
    gone_sentences: list[int] = field(default_factory=list)
    passages: list[tuple[int, str]] = field(default_factory=list)
    sentences: list[tuple[int, str]] = field(default_factory=list)
    words: list[tuple[int, int, str]] = field(default_factory=list)
    """Passage, article and text, for the keywords."""


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
    cannot be written, and then the current state stays; what was embedded by then is kept for the next try.
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
    discard_checkpoint(folder)
    return manifest


def discard_generations(folder: Path, *, keep: Container[int]) -> None:
    """Delete the files of all other generations, and manifests that were never finished."""
    for generation, paths in _generations(folder).items():
        for path in paths if generation not in keep else ():
            path.unlink(missing_ok=True)
    for path in folder.glob(f".{MANIFEST_NAME}.*.tmp"):
        path.unlink(missing_ok=True)


_KINDS = (
    ("articles", "sqlite"),
    ("passages", "vectors"),
    ("sentences", "vectors"),
    ("passages", "faiss"),
    ("words", "keywords"),
)


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
    before = _Files.of(folder, base) if base else None
    change = _Change()
    with closing(Library.copy(before.library, files.library) if before else Library.create(files.library)) as library:
        for identity in delete if base else ():
            gone = library.remove(identity)
            change.gone_passages.extend(gone.passages)
            change.gone_sentences.extend(gone.sentences)
        if preparation:
            _add(library, change, add, preparation.splitter)
        library.commit()
        hashes, counts = library.content_hashes(), library.counts()
    dimension = _write_vectors(folder, files, before, change, preparation, progress)
    progress("saving the index", 0, 1)
    passages = VectorFile.open(files.passage_vectors)
    made = made_store(
        passages,
        before=(base.store, base.store_made_for, folder / base.passage_store.name) if base else None,
        gone=change.gone_passages,
        new=[number for number, _ in change.passages],
    )
    made.store.save(files.passage_store)
    keywords = KeywordIndex.open(before.keywords) if before else KeywordIndex.build(())
    keywords.merged(KeywordIndex.build(change.words), without=change.gone_passages).save(files.keywords)
    for path in files.all():
        _sync(path)
    sync_folder(folder)
    progress("saving the index", 1, 1)
    return _describe(files, number, current, preparation, (made.kind, made.made_for), dimension, hashes, counts)


def _add(library: Library, change: _Change, articles: Sequence[Article], splitter: SplitterSettings) -> None:
    for article in articles:
        drafts = split_passages(article, splitter)
        texts = [text_to_embed(article, draft) for draft in drafts]
        for (passage, sentence_ids), text in zip(library.add(article, drafts, texts), texts, strict=True):
            change.passages.append((passage.id, text))
            change.words.append((passage.id, int(article.id, 16), text))
            change.sentences.extend(zip(sentence_ids, (sentence.text for sentence in passage.sentences), strict=True))


def _write_vectors(
    folder: Path,
    files: _Files,
    before: _Files | None,
    change: _Change,
    preparation: Preparation | None,
    progress: Progress,
) -> int:
    """Write both files of vectors, embedding what is new. The length of the vectors comes back."""
    old = [VectorFile.open(path) for path in (before.passage_vectors, before.sentence_vectors)] if before else []
    if not preparation and not old:
        raise ValueError("a new index needs a preparation")
    dimension = old[0].dimension if old else preparation.embedder.dimension if preparation else 0
    embedding = None
    if preparation:
        embedder = preparation.embedder
        embedding = Embedding(
            embedder,
            known=old,
            checkpoint=Checkpoint(folder, embedder=(embedder.name, embedder.fingerprint), dimension=dimension),
            total=len(change.passages) + len(change.sentences),
            letters=sum(len(text) for _, text in (*change.passages, *change.sentences)),
            progress=progress,
        )
    for kind, (path, gone, new) in enumerate(
        (
            (files.passage_vectors, change.gone_passages, change.passages),
            (files.sentence_vectors, change.gone_sentences, change.sentences),
        )
    ):
        with VectorWriter(path, dimension) as writer:
            if old:
                writer.copy(old[kind], without=gone)
            if embedding:
                for part in _parts(new):
                    keys, vectors = embedding.vectors([text for _, text in part])
                    writer.append(np.array([number for number, _ in part], dtype=np.int64), keys, vectors)
    return dimension


def _parts(texts: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    return (texts[start : start + TEXTS_AT_ONCE] for start in range(0, len(texts), TEXTS_AT_ONCE))


def _describe(
    files: _Files,
    number: int,
    current: Manifest | None,
    preparation: Preparation | None,
    store: tuple[str, int],
    dimension: int,
    hashes: dict[str, str],
    counts: tuple[int, int, int],
) -> Manifest:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if preparation:
        made_by = preparation.embedder
        embedder, fingerprint, precision = made_by.name, made_by.fingerprint, made_by.precision
        version, splitter = PREPARATION_VERSION, asdict(preparation.splitter)
    elif current:
        embedder, fingerprint, precision = current.embedder, current.embedder_fingerprint, current.precision
        version, splitter = current.preparation, current.splitter
    else:
        raise ValueError("a new index needs a preparation")
    return Manifest(
        format=FORMAT_VERSION,
        generation=number,
        **{name: StoredFile(path.name, path.stat().st_size) for name, path in zip(FILES, files.all(), strict=True)},
        store=store[0],
        store_made_for=store[1],
        embedder=embedder,
        embedder_fingerprint=fingerprint,
        precision=precision,
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
