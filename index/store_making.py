"""The store of the passages of a generation: the one before changed, or a new one of the kind that their number asks
for. Made from the vectors on disk, so no text is embedded again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.stores import APPROXIMATE_STORE, VectorStore, new_store, open_store, store_for
from index.vector_file import VectorFile

GROWN = 2
"""An approximate store that holds so many times what it was made for is made anew: its cells have become too large."""

SAMPLE_PER_ROOT = 160
"""So many vectors, times the square root of their number, are learnt from: a million give 4,000 cells."""


@dataclass(frozen=True, slots=True)
class MadeStore:
    """A store, its kind, and how many vectors it was made for when it was made anew."""

    store: VectorStore
    kind: str
    made_for: int


def made_store(
    passages: VectorFile,
    *,
    before: tuple[str, int, Path] | None,
    gone: Sequence[int],
    new: Sequence[int],
) -> MadeStore:
    """A store of exactly these passages. `before` is the kind, size and file of the one that lacks `new` and holds
    `gone`."""
    kind = store_for(len(passages), current=before[0] if before else None)
    if before and before[0] == kind and (kind != APPROXIMATE_STORE or len(passages) < GROWN * before[1]):
        store = open_store(kind, before[2])
        store.delete(np.array(gone, dtype=np.int64))
        ids = np.array(new, dtype=np.int64)
        store.upsert(ids, passages.vectors(ids))
        return MadeStore(store, kind, before[1])
    store = new_store(kind, passages.dimension)
    store.train(_sample(passages))
    for ids, vectors in passages.blocks():
        store.upsert(ids, vectors)
    return MadeStore(store, kind, len(passages))


def _sample(passages: VectorFile) -> np.ndarray:
    """Vectors from all over the file, the same for the same file."""
    count = min(len(passages), int(SAMPLE_PER_ROOT * len(passages) ** 0.5))
    places = np.random.default_rng(0).choice(len(passages), size=count, replace=False)
    return passages.rows(np.sort(places))
