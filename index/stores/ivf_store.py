"""Vectors in FAISS, too many to compare them all: sorted into cells, of which those nearest to the question are
searched."""

import os
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from index.errors import VectorError
from index.stores import check_ids, check_vectors, ranked
from index.stores.faiss_store import faiss_library, faiss_threads, read_faiss, selector, write_faiss
from index.types import Vectors

SAMPLE_PER_CELL = 40
"""So many vectors of the sample make one cell; FAISS itself warns below 39."""

CELLS_SEARCHED = 128
"""So many of the cells, those nearest to the question, are searched: of a hundred thousand and of a million vectors,
0.99 of the ten nearest are found (docs/results/scale.md)."""


class IvfStore:
    """A `VectorStore` over `IndexIVFScalarQuantizer`: approximate; 8 bits a number, so a million vectors of 384 take
    0.4 GB of memory. Cells are learnt once, by `train`: with other vectors, or many more, make a new store.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._index: Any = None

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._dimension

    def __len__(self) -> int:
        return int(self._index.ntotal) if self._index is not None else 0

    def train(self, vectors: Vectors) -> None:
        """Learn the cells, one for every 40 vectors of the sample, with all cores. Forgets what was stored."""
        check_vectors(vectors, rows=len(vectors), dimension=self._dimension)
        faiss = faiss_library()
        cells = max(1, len(vectors) // SAMPLE_PER_CELL)
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(self._dimension),
            self._dimension,
            cells,
            faiss.ScalarQuantizer.QT_8bit,
            faiss.METRIC_INNER_PRODUCT,
        )
        # Numbers a little beyond those of the sample are kept as they are, not cut off.
        index.sq.rangestat_arg = 0.1
        self._with_all_cores(index.train, np.ascontiguousarray(vectors))
        self._index = index

    def upsert(self, ids: NDArray[np.int64], vectors: Vectors) -> None:
        """Store vectors; an id that is there already gets the new vector. VectorError before `train`."""
        check_ids(ids)
        check_vectors(vectors, rows=len(ids), dimension=self._dimension)
        if self._index is None:
            raise VectorError("This store must be trained before vectors are stored in it.")
        if not ids.size:
            return
        self.delete(ids)
        self._with_all_cores(self._index.add_with_ids, np.ascontiguousarray(vectors), np.ascontiguousarray(ids))

    def delete(self, ids: NDArray[np.int64]) -> None:
        """Forget these ids; unknown ones are ignored."""
        check_ids(ids)
        if ids.size and len(self):
            self._index.remove_ids(selector(ids))

    def search(self, vector: Vectors, k: int, *, among: NDArray[np.int64] | None = None) -> list[tuple[int, float]]:
        """About the `k` nearest ids with about their scores, best first. With `among` more cells are searched, since
        what is allowed may lie farther away."""
        check_vectors(vector, rows=None, dimension=self._dimension)
        size = len(self) if among is None else min(len(among), len(self))
        if k < 1 or not size:
            return []
        cells: float = CELLS_SEARCHED
        limits: dict[str, Any] = {}
        if among is not None:
            limits["sel"] = selector(among)
            cells *= (len(self) / size) ** 0.5
        cells = min(round(cells), int(self._index.nlist))
        with faiss_threads(1) as faiss:  # one question gains nothing from more, and they are the language model's
            how = faiss.SearchParametersIVF(nprobe=cells, **limits)
            scores, ids = (row[0] for row in self._index.search(vector.reshape(1, -1), min(k, size), params=how))
        return ranked(ids[ids >= 0], scores[ids >= 0], k)

    def save(self, path: Path) -> None:
        """Write everything to one file."""
        if self._index is None:
            raise VectorError("This store must be trained before it is saved.")
        write_faiss(self._index, path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """What `save` wrote."""
        index = read_faiss(path, "IndexIVFScalarQuantizer")
        store = cls(int(index.d))
        store._index = index
        return store

    def _with_all_cores(self, work: Any, *arguments: Any) -> None:
        with faiss_threads(os.cpu_count() or 1):
            work(*arguments)
