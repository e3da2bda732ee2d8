"""Vectors in FAISS: an exact flat index (every vector is compared) under our own ids. faiss is known to
this file alone; `ivf_store` has it from here."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamaged, ResourceError
from index.stores import SCORE_DECIMALS, check_ids, check_vectors, ranked
from index.types import Vectors

_LARGEST_BITMAP = 2**27  # 16 MB of bits


class FaissStore:
    """A `VectorStore` over `IndexIDMap2(IndexFlatIP)`: exact, about 0.7 ms for a hundred thousand vectors.

    FAISS itself keeps both rows of a repeated id, answers -1 for missing neighbours and gives a wrong
    dimension an empty AssertionError; none of this gets out.
    """

    def __init__(self, dimension: int) -> None:
        faiss = faiss_library()
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self._index.d)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def train(self, vectors: Vectors) -> None:
        """Nothing to learn."""

    def upsert(self, ids: NDArray[np.int64], vectors: Vectors) -> None:
        """Store vectors; an id that is there already gets the new vector."""
        check_ids(ids)
        check_vectors(vectors, rows=len(ids), dimension=self.dimension)
        if not ids.size:
            return
        self.delete(ids)
        self._index.add_with_ids(np.ascontiguousarray(vectors), np.ascontiguousarray(ids))

    def delete(self, ids: NDArray[np.int64]) -> None:
        """Forget these ids; unknown ones are ignored."""
        check_ids(ids)
        if ids.size and len(self):
            self._index.remove_ids(np.ascontiguousarray(ids))

    def search(self, vector: Vectors, k: int, *, among: NDArray[np.int64] | None = None) -> list[tuple[int, float]]:
        """The `k` nearest ids with their scores, best first."""
        check_vectors(vector, rows=None, dimension=self.dimension)
        faiss = faiss_library()
        size = len(self) if among is None else min(len(among), len(self))
        if k < 1 or not size:
            return []
        limits = None if among is None else faiss.SearchParameters(sel=selector(among))
        fetched = min(k + 1, size)
        while True:
            with faiss_threads(1):  # one question gains nothing from more, and they are the language model's
                scores, ids = (row[0] for row in self._index.search(vector.reshape(1, -1), fetched, params=limits))
            found = ids >= 0
            # Of equal vectors at the end FAISS returns any; ours are those of the lowest ids.
            tied_at_the_end = found.all() and round(float(scores[min(k, fetched) - 1]), SCORE_DECIMALS) == round(
                float(scores[-1]), SCORE_DECIMALS
            )
            if fetched == size or not tied_at_the_end:
                return ranked(ids[found], scores[found], k)
            fetched = min(fetched * 2, size)

    def save(self, path: Path) -> None:
        """Write everything to one file."""
        write_faiss(self._index, path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """What `save` wrote."""
        store = cls.__new__(cls)
        store._index = read_faiss(path, "IndexIDMap2")
        return store


def write_faiss(index: Any, path: Path) -> None:
    """Write an index of FAISS. ResourceError if that fails."""
    try:
        faiss_library().write_index(index, str(path))
    except RuntimeError as error:
        raise ResourceError(f"The vectors could not be written to {path}: {error}") from error


def read_faiss(path: Path, kind: str) -> Any:
    """An index of FAISS of this class. IndexDamaged if there is none in `path`."""
    faiss = faiss_library()
    try:
        index = faiss.read_index(str(path))
    except RuntimeError as error:
        raise IndexDamaged(f"The vectors in {path} cannot be read by FAISS.") from error
    if not isinstance(index, getattr(faiss, kind)) or index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise IndexDamaged(f"{path} holds another kind of FAISS index than Byline writes.")
    return index


def selector(ids: NDArray[np.int64]) -> Any:
    """What tells FAISS to look at these ids only. Keep it for as long as the search runs."""
    faiss = faiss_library()
    known = ids[ids >= 0]
    largest = int(known.max(initial=0))
    if largest > _LARGEST_BITMAP:
        return faiss.IDSelectorBatch(np.ascontiguousarray(known))
    # One bit for each id that there could be: much quicker to make and to ask than a table of hashes.
    bits = np.zeros(largest + 1, dtype=bool)
    bits[known] = True
    return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))


def faiss_library() -> Any:
    """FAISS, imported when first used."""
    if platform.system() == "Darwin":
        # There the wheels of torch and FAISS each bring an OpenMP runtime: the second one aborts the process, and
        # the worker threads of the two crash each other. torch must come first, and FAISS keep to one thread.
        os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "TRUE")
        import torch  # noqa: F401 (for its order alone)
    import faiss

    if platform.system() == "Darwin":
        faiss.omp_set_num_threads(1)
    return faiss


@contextmanager
def faiss_threads(count: int) -> Iterator[Any]:
    """FAISS with so many threads meanwhile in this one (on macOS always one).

    Elsewhere it shares the number with torch, which would compute the language model with as many for ever after.
    """
    faiss = faiss_library()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1 if platform.system() == "Darwin" else count)
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(before)
