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
from index.vector_file import VectorFile


class Stamp(NamedTuple):
    """What changes about a manifest file when it is replaced."""

    modified_ns: int
    size: int
    inode: int


@dataclass(frozen=True, slots=True)
class State:
    """One generation, opened. `store` finds passages; from `passages` and `sentences` their scores are computed."""

    stamp: Stamp
    manifest: Manifest
    library: Library
    store: VectorStore
    passages: VectorFile
    sentences: VectorFile
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
    store = open_store(manifest.store, folder / manifest.passage_store.name)
    passages = VectorFile.open(folder / manifest.passage_vectors.name)
    sentences = VectorFile.open(folder / manifest.sentence_vectors.name)
    keywords = KeywordIndex.open(folder / manifest.keywords.name)
    library = Library.open(folder / manifest.library.name)
    try:
        counted = (*library.counts(), len(passages), len(store), len(keywords), len(sentences))
        counts = (manifest.article_count, manifest.passage_count, manifest.sentence_count)
        expected = (*counts, *[manifest.passage_count] * 3, manifest.sentence_count)
        dimensions = {passages.dimension, store.dimension, sentences.dimension}
        if counted != expected or dimensions != {manifest.dimension}:
            raise IndexDamaged(f"The files of the index at {folder} do not agree with its manifest.", help=REBUILD_HELP)
    except BaseException:
        library.close()
        raise
    return State(stamp, manifest, library, store, passages, sentences, keywords)
