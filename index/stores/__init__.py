"""Where vectors are searched. To add a store: `x_store.py` here, a line in `STORES`, and the contract test.

A store knows ids and vectors, never texts, and need not give vectors back: those that scores are computed from lie in a
`VectorFile`. Each engine is known to its own file alone.
"""

from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from index.errors import VectorError
from index.on_demand import load_entry
from index.types import Vectors

STORES: dict[str, str] = {
    "faiss": "index.stores.faiss_store:FaissStore",
    "faiss-ivf": "index.stores.ivf_store:IvfStore",
    "numpy": "index.stores.numpy_store:NumpyStore",
}
"""Name of a store → "module:class"."""

EXACT_STORE = "faiss"
APPROXIMATE_STORE = "faiss-ivf"

LARGEST_EXACT = 50_000
"""So many vectors are all compared with a question (about 3 ms); of more, those in the cells nearest to it."""

SCORE_DECIMALS = 6
"""Scores are rounded to this, about what float32 can tell apart, so that equal vectors tie whatever the
engine."""


class VectorStore(Protocol):
    """Vectors under 64-bit ids, compared by inner product: for vectors of unit length, cosine similarity.

    An approximate store may miss neighbours, and its scores may be off by 0.01; it finds nothing that is not there.
    """

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        ...

    def __len__(self) -> int:
        """How many vectors there are."""
        ...

    def train(self, vectors: Vectors) -> None:
        """Learn from a sample of what will be stored, before anything is. Stores that need not do nothing."""
        ...

    def upsert(self, ids: NDArray[np.int64], vectors: Vectors) -> None:
        """Store vectors, shape (len(ids), dimension); an id that is there already gets the new vector."""
        ...

    def delete(self, ids: NDArray[np.int64]) -> None:
        """Forget these ids; unknown ones are ignored."""
        ...

    def search(self, vector: Vectors, k: int, *, among: NDArray[np.int64] | None = None) -> list[tuple[int, float]]:
        """The `k` nearest ids with their scores, best first, equal scores by ascending id; fewer if there
        are fewer. `among` limits it to these ids; unknown ones are ignored."""
        ...

    def save(self, path: Path) -> None:
        """Write everything to one file."""
        ...

    @classmethod
    def open(cls, path: Path) -> Self:
        """What `save` wrote; IndexDamaged if the file cannot be read."""
        ...


def new_store(name: str, dimension: int) -> VectorStore:
    """An empty store of the named kind."""
    store: VectorStore = load_entry(STORES, name, kind="vector store")(dimension)
    return store


def open_store(name: str, path: Path) -> VectorStore:
    """A saved store of the named kind."""
    store: VectorStore = load_entry(STORES, name, kind="vector store").open(path)
    return store


def store_for(size: int, *, current: str | None = None) -> str:
    """The name of the store for so many vectors. An approximate one stays until they are half the limit, so that an
    index of about that size does not change its store with every article."""
    limit = LARGEST_EXACT // 2 if current == APPROXIMATE_STORE else LARGEST_EXACT
    return EXACT_STORE if size <= limit else APPROXIMATE_STORE


def check_ids(ids: NDArray[np.int64]) -> None:
    """VectorError unless `ids` are distinct, not negative, one-dimensional and 64-bit."""
    if ids.ndim != 1 or ids.dtype != np.int64:
        raise VectorError(f"Ids must be a one-dimensional int64 array, not {ids.dtype} of shape {ids.shape}.")
    if ids.size and int(ids.min()) < 0:
        raise VectorError(f"Ids must not be negative; there is {int(ids.min())}.")
    if len(np.unique(ids)) != len(ids):
        raise VectorError("An id occurs twice in one call.")


def check_vectors(vectors: Vectors, *, rows: int | None, dimension: int) -> None:
    """VectorError unless `vectors` are finite float32 of shape (rows, dimension), or (dimension,) if rows
    is None."""
    expected = (dimension,) if rows is None else (rows, dimension)
    if vectors.dtype != np.float32 or vectors.shape != expected:
        raise VectorError(
            f"Expected float32 vectors of shape {expected}; got {vectors.dtype} of shape {vectors.shape}."
        )
    if not np.isfinite(vectors).all():
        raise VectorError("Vectors must hold finite numbers only.")


def ranked(ids: NDArray[np.int64], scores: Vectors, k: int) -> list[tuple[int, float]]:
    """Ids and rounded scores, best first, equal scores by ascending id; at most `k`."""
    rounded = np.round(scores.astype(np.float64), SCORE_DECIMALS)
    order = np.lexsort((ids, -rounded))[:k]
    return [(int(ids[position]), float(rounded[position])) for position in order]
