"""What an update of an index has embedded so far, so that the next one need not begin anew if this one is interrupted.

One file in the folder of the index, written block by block while texts are embedded, deleted when the update is done.
A block that was cut off, or belongs to another embedder, is as good as none.
"""

import json
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.types import Vectors

CHECKPOINT_NAME = "unfinished.vectors"
_MAGIC = b"BYLINEUV1"
_BLOCK_HEAD = 8  # bytes: number of rows, checksum


class Checkpoint:
    """Vectors by the keys of their texts (`key_of`), in 16 bits a number. Nothing is written before the first `add`."""

    def __init__(self, folder: Path, *, embedder: tuple[str, str], dimension: int) -> None:
        self._path = folder / CHECKPOINT_NAME
        made_by = json.dumps([*embedder, dimension]).encode()
        self._head = _MAGIC + len(made_by).to_bytes(4, "little") + made_by
        self._dimension = dimension
        self._begun = False

    def read(self) -> tuple[NDArray[np.uint64], NDArray[np.float16]]:
        """Keys and rows that an interrupted update left, if it used the same embedder."""
        keys = [np.empty(0, dtype=np.uint64)]
        rows = [np.empty((0, self._dimension), dtype=np.float16)]
        whole = len(self._head)
        if self._path.exists():
            with open(self._path, "rb") as file:
                if file.read(whole) != self._head:
                    return keys[0], rows[0]
                while len(head := file.read(_BLOCK_HEAD)) == _BLOCK_HEAD:
                    count, checksum = (int(number) for number in np.frombuffer(head, dtype=np.uint32))
                    data = file.read(count * (8 + 2 * self._dimension))
                    if zlib.crc32(data) != checksum or len(data) != count * (8 + 2 * self._dimension):
                        break
                    keys.append(np.frombuffer(data[: 8 * count], dtype=np.uint64))
                    rows.append(np.frombuffer(data[8 * count :], dtype=np.float16).reshape(count, self._dimension))
                    whole = file.tell()
            with open(self._path, "rb+") as file:
                file.truncate(whole)  # the next block goes behind the last whole one
            self._begun = True
        return np.concatenate(keys), np.concatenate(rows)

    def add(self, keys: NDArray[np.uint64], vectors: Vectors) -> None:
        """Keep these vectors for the case that the update does not end."""
        data = keys.astype(np.uint64).tobytes() + vectors.astype(np.float16).tobytes()
        head = np.array([len(keys), zlib.crc32(data)], dtype=np.uint32).tobytes()
        with open(self._path, "ab" if self._begun else "wb") as file:
            file.write(head + data if self._begun else self._head + head + data)
        self._begun = True


def discard_checkpoint(folder: Path) -> None:
    """Forget what an unfinished update embedded."""
    (folder / CHECKPOINT_NAME).unlink(missing_ok=True)
