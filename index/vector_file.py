"""Vectors by id in one memory-mapped file: to be looked up, not searched. Written once, from first row to last.

Each number takes 16 bits (IEEE half precision): cosines change by about 0.00001, and a million vectors of 384 numbers
take 0.77 GB of disk instead of 1.5. Of that only the rows that are asked for come to memory. Beside every row stands a
key of the text that it was made from (`key_of`), so that a text that is already known is not embedded again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexDamaged, VectorError
from index.stores import check_ids, check_vectors
from index.types import Vectors

_MAGIC = b"BYLINEV1"
_HEADER = 64  # bytes: magic, dimension, number of rows; the rest is for what may come
_ROWS_AT_ONCE = 16_384


class VectorFile:
    """What a `VectorWriter` wrote, opened with `open`. `ids` ascend; `keys` are those of the texts, row by row."""

    def __init__(self, rows: NDArray[np.float16], ids: NDArray[np.int64], keys: NDArray[np.uint64]) -> None:
        self._rows = rows
        self.ids = ids
        self.keys = keys

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return int(self._rows.shape[1])

    @classmethod
    def open(cls, path: Path) -> Self:
        """The vectors in `path`, memory-mapped. IndexDamaged if it is no such file."""
        try:
            with open(path, "rb") as file:
                header = file.read(_HEADER)
            if header[: len(_MAGIC)] != _MAGIC:
                raise ValueError("it holds something else")
            dimension, count = (int(number) for number in np.frombuffer(header[len(_MAGIC) : 24], dtype=np.int64))
            ends = _HEADER + _padded(2 * count * dimension)
            if dimension < 1 or count < 0 or path.stat().st_size != ends + 16 * count:
                raise ValueError("its size is not what its head says")
            return cls(
                _mapped(path, np.float16, _HEADER, count * dimension).reshape(count, dimension),
                _mapped(path, np.int64, ends, count),
                _mapped(path, np.uint64, ends + 8 * count, count),
            )
        except (OSError, ValueError) as error:
            raise IndexDamaged(f"The vectors in {path} cannot be read: {error}.") from error

    def vectors(self, ids: NDArray[np.int64]) -> Vectors:
        """The vectors of these ids in their order, as stored; VectorError if one is unknown."""
        places = self.places(ids)
        missing = ids[places < 0]
        if missing.size:
            raise VectorError(f"There is no vector with the id {int(missing[0])}.")
        return self.rows(places)

    def places(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each id; -1 for unknown ones."""
        if not len(self.ids):
            return np.full(len(ids), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[places] == ids, places, -1)

    def rows(self, places: NDArray[np.int64] | slice) -> Vectors:
        """The vectors in these rows."""
        return np.asarray(self._rows[places], dtype=np.float32)

    def halves(self, places: NDArray[np.int64] | slice) -> NDArray[np.float16]:
        """The same as they lie in the file."""
        return np.asarray(self._rows[places])

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """All ids with their vectors, some thousands at a time."""
        for start in range(0, len(self), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            yield np.array(self.ids[part]), self.rows(part)


class VectorWriter:
    """Writes a `VectorFile` in a `with` block, at whose end it is whole. Ids must ascend from call to call.

    The rows go straight to the file; ids and keys wait in memory (16 bytes a row).
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self._dimension = dimension
        self._file: IO[bytes] = open(path, "wb")  # noqa: SIM115 (closed by __exit__)
        self._file.write(b"\0" * _HEADER)
        self._ids: list[NDArray[np.int64]] = []
        self._keys: list[NDArray[np.uint64]] = []
        self._last = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._file.close()

    def copy(self, source: VectorFile, *, without: Sequence[int] = ()) -> None:
        """Take over the rows of another file, but not those of the ids in `without`."""
        kept = ~np.isin(source.ids, np.array(without, dtype=np.int64))
        for start in range(0, len(source), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            chosen = kept[part]
            self._append(source.ids[part][chosen], source.keys[part][chosen], source.halves(part)[chosen])

    def append(self, ids: NDArray[np.int64], keys: NDArray[np.uint64], vectors: Vectors) -> None:
        """Add vectors with the keys of their texts. VectorError unless ids ascend and all has the right shape."""
        check_ids(ids)
        check_vectors(vectors, rows=len(ids), dimension=self._dimension)
        self._append(ids, keys, vectors.astype(np.float16))

    def _append(self, ids: NDArray[np.int64], keys: NDArray[np.uint64], rows: NDArray[np.float16]) -> None:
        if not ids.size:
            return
        if int(ids[0]) <= self._last or (np.diff(ids) <= 0).any() or len(keys) != len(ids):
            raise VectorError("Ids must ascend, and each needs its key.")
        self._last = int(ids[-1])
        self._file.write(np.ascontiguousarray(rows).tobytes())
        self._ids.append(np.array(ids))
        self._keys.append(np.array(keys, dtype=np.uint64))

    def _finish(self) -> None:
        self._file.write(b"\0" * (-self._file.tell() % 8))
        count = 0
        for parts in (self._ids, self._keys):
            count = sum(map(len, parts))
            for part in parts:
                self._file.write(part.tobytes())
        self._file.seek(0)
        self._file.write(_MAGIC + np.array([self._dimension, count], dtype=np.int64).tobytes())


def key_of(text: str) -> int:
    """64 bits that stand for a text; that two texts of an index fall together is as good as impossible."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _padded(size: int) -> int:
    return size + -size % 8


def _mapped(path: Path, kind: Any, offset: int, length: int) -> Any:
    if not length:
        return np.empty(0, dtype=kind)
    # As a plain array: indexing a memmap object costs several times as much.
    return np.asarray(np.memmap(path, dtype=kind, mode="r", offset=offset, shape=(length,)))
