"""Many texts into vectors: none twice, similar lengths together, what is done kept, rate and time left told.

An embedder pads the texts of a batch to the longest of them, so texts go to it sorted by length. A text whose vector is
known, from the index as it is or from an update that was interrupted, does not go to it at all.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from index.checkpoint import Checkpoint
from index.embedders import Embedder
from index.progress import DETAIL, Progress
from index.types import Vectors
from index.vector_file import VectorFile, key_of

TEXTS_AT_ONCE = 16_384
"""So many texts are sorted by length together; their vectors wait in memory until they are written."""

TEXTS_PER_STEP = 1_024
"""So many texts are embedded between two reports of progress, and lost at most if the update is interrupted."""

EMBEDDING = "embedding passages and sentences"
"""What the progress is called. Behind it stand rate and time left."""


class Embedding:
    """Embeds `total` texts that hold `letters` characters in all, in several calls of `vectors`."""

    def __init__(
        self,
        embedder: Embedder,
        *,
        known: Sequence[VectorFile],
        checkpoint: Checkpoint,
        total: int,
        letters: int,
        progress: Progress,
    ) -> None:
        self._embedder = embedder
        self._checkpoint = checkpoint
        self._known = [_Known(file.keys, file.halves) for file in known]
        keys, rows = checkpoint.read()
        self._known.append(_Known(keys, lambda places: rows[places]))
        self._total, self._letters, self._progress = total, letters, progress
        self._done = self._done_letters = self._embedded = self._embedded_letters = 0
        self._seconds = 0.0

    def vectors(self, texts: Sequence[str]) -> tuple[NDArray[np.uint64], Vectors]:
        """Keys and vectors of at most some ten thousand texts, in their order."""
        keys = np.array([key_of(text) for text in texts], dtype=np.uint64)
        vectors = np.empty((len(texts), self._embedder.dimension), dtype=np.float32)
        missing = np.ones(len(texts), dtype=bool)
        for known in self._known:
            found, rows = known.look_up(keys[missing])
            places = np.flatnonzero(missing)[found]
            vectors[places] = rows
            missing[places] = False
        self._count(texts, np.flatnonzero(~missing))
        # The first of each text that occurs several times is embedded for all.
        wanted, first, same = np.unique(keys[missing], return_index=True, return_inverse=True)
        of_texts = np.flatnonzero(missing)
        fresh = np.empty((len(wanted), vectors.shape[1]), dtype=np.float32)
        fresh_texts = [texts[int(place)] for place in of_texts[first]]
        longest_first = sorted(range(len(wanted)), key=lambda place: -len(fresh_texts[place]))
        for start in range(0, len(longest_first), TEXTS_PER_STEP):
            step = longest_first[start : start + TEXTS_PER_STEP]
            chosen = [fresh_texts[place] for place in step]
            began = time.perf_counter()
            fresh[step] = self._embedder.embed_passages(chosen)
            self._seconds += time.perf_counter() - began
            self._embedded += len(chosen)
            self._embedded_letters += sum(map(len, chosen))
            self._checkpoint.add(wanted[step], fresh[step])
            self._count(texts, of_texts[np.isin(same, step)])
        if len(wanted):
            vectors[of_texts] = fresh[same]
        return keys, vectors

    def _count(self, texts: Sequence[str], places: NDArray[np.int64]) -> None:
        self._done += len(places)
        self._done_letters += sum(len(texts[int(place)]) for place in places)
        self._progress(EMBEDDING + self._pace(), self._done, self._total)

    def _pace(self) -> str:
        """Rate and time left, once there is something to tell. By letters: long texts come first and take longer."""
        left = self._letters - self._done_letters
        if not self._embedded_letters or not left:
            return ""
        seconds = round(left * self._seconds / self._embedded_letters)
        time_left = f"{seconds} s" if seconds < 100 else f"{round(seconds / 60)} min"
        return f"{DETAIL}{self._embedded / max(self._seconds, 1e-9):,.0f} a second, {time_left} left"


class _Known:
    """Vectors that need not be computed, by the keys of their texts."""

    def __init__(self, keys: NDArray[np.uint64], rows: Callable[[NDArray[np.int64]], NDArray[np.float16]]) -> None:
        self._order = np.argsort(keys)
        self._keys = np.asarray(keys)[self._order]
        self._rows = rows

    def look_up(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """The places in `keys` of those that are known, and their vectors."""
        if not len(self._keys):
            nowhere = np.empty(0, dtype=np.int64)
            return nowhere, self._rows(nowhere)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found = np.flatnonzero(self._keys[places] == keys)
        return found, self._rows(self._order[places[found]])
