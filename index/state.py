"""One generation of a saved index, opened; and the cheap look that tells whether there is a newer one."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from index.build import check_embedder
from index.embedders import Embedder
from index.errors import IndexDamaged, IndexMissing
from index.keywords import KeywordIndex
from index.library import Library
from index.manifest import MANIFEST_NAME, REBUILD_HELP, Manifest, read_manifest
from index.stores import VectorStore, open_store


class Stamp(NamedTuple):
    """What changes about a manifest file when it is replaced."""

    modified_ns: int
    size: int
    inode: int


@dataclass(frozen=True, slots=True)
class State:
    """One generation, opened."""

    stamp: Stamp
    manifest: Manifest
    library: Library
    passages: VectorStore
    sentences: VectorStore
    keywords: KeywordIndex


def stamp_of(folder: Path) -> Stamp:
    """Of the manifest that is there now; IndexMissing if there is none."""
    try:
        status = (folder / MANIFEST_NAME).stat()
    except OSError:
        raise IndexMissing(f"There is no index at {folder}.", help="`byline index add <folder>` makes one.") from None
    return Stamp(status.st_mtime_ns, status.st_size, status.st_ino)


def open_state(folder: Path, embedder: Embedder) -> State:
    """The current generation; if it was replaced twice while being opened, the one that replaced it."""
    while True:
        stamp = stamp_of(folder)
        try:
            return _opened(folder, stamp, embedder)
        except IndexDamaged:
            if stamp_of(folder) == stamp:
                raise


def _opened(folder: Path, stamp: Stamp, embedder: Embedder) -> State:
    manifest = read_manifest(folder)
    check_embedder(manifest, embedder)
    passages = open_store(manifest.store, folder / manifest.passage_vectors.name)
    sentences = open_store(manifest.store, folder / manifest.sentence_vectors.name)
    keywords = KeywordIndex.open(folder / manifest.keywords.name)
    library = Library.open(folder / manifest.library.name)
    try:
        counted = (*library.counts(), len(passages), len(sentences), passages.dimension, sentences.dimension)
        counts = (manifest.passage_count, manifest.sentence_count)
        expected = (manifest.article_count, *counts, *counts, manifest.dimension, manifest.dimension)
        if counted != expected or len(keywords) != manifest.passage_count:
            raise IndexDamaged(f"The files of the index at {folder} do not agree with its manifest.", help=REBUILD_HELP)
    except BaseException:
        library.close()
        raise
    return State(stamp, manifest, library, passages, sentences, keywords)
