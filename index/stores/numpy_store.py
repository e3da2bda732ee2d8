"""Vectors in one NumPy array, searched by looking at all of them: the reference that other stores are held
to."""

import zipfile
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamaged
from index.stores import check_ids, check_vectors, ranked
from index.types import Vectors


class NumpyStore:
    """A `VectorStore` without an engine. Exact; fast enough for some ten thousand vectors."""

    def __init__(self, dimension: int) -> None:
        self._ids = np.empty(0, dtype=np.int64)
        self._vectors: Vectors = np.empty((0, dimension), dtype=np.float32)

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self._vectors.shape[1])

    def __len__(self) -> int:
        return len(self._ids)

    def train(self, vectors: Vectors) -> None:
        """Nothing to learn."""

    def upsert(self, ids: NDArray[np.int64], vectors: Vectors) -> None:
        """Store vectors; an id that is there already gets the new vector."""
        check_ids(ids)
        check_vectors(vectors, rows=len(ids), dimension=self.dimension)
        self.delete(ids)
        self._ids = np.concatenate([self._ids, ids])
        self._vectors = np.concatenate([self._vectors, vectors])

    def delete(self, ids: NDArray[np.int64]) -> None:
        """Forget these ids; unknown ones are ignored."""
        check_ids(ids)
        kept = ~np.isin(self._ids, ids)
        self._ids, self._vectors = self._ids[kept], self._vectors[kept]

    def search(self, vector: Vectors, k: int, *, among: NDArray[np.int64] | None = None) -> list[tuple[int, float]]:
        """The `k` nearest ids with their scores, best first."""
        check_vectors(vector, rows=None, dimension=self.dimension)
        allowed = slice(None) if among is None else np.isin(self._ids, among)
        return ranked(self._ids[allowed], self._vectors[allowed] @ vector, max(k, 0))

    def save(self, path: Path) -> None:
        """Write everything to one file."""
        with open(path, "wb") as file:  # a file object, since np.savez would add its own extension to a name
            np.savez(file, ids=self._ids, vectors=self._vectors)

    @classmethod
    def open(cls, path: Path) -> Self:
        """What `save` wrote."""
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
                ids, vectors = saved["ids"], saved["vectors"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise IndexDamaged(f"The vectors in {path} cannot be read: {error}") from error
        store = cls(int(vectors.shape[1]))
        store.upsert(ids, vectors)
        return store
