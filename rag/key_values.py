"""What a language model keeps of the tokens it has read: a key and a value for each, in every layer."""

from typing import Self

import torch
from torch import Tensor

_ROOM = 96
"""Tokens for which there is room ahead, a short answer's: more would be paid for by every prompt that is kept."""
_GROWTH = 1.125


class KeyValues:
    """Keys and values in one place that grows. Implements `rag.networks.Memory`.

    28 KiB a token for Qwen2.5-1.5B in bfloat16. Room takes memory too, even where nothing was ever written: it comes
    from what others gave back, or in large pages.
    """

    def __init__(self, layers: int, heads: int, head_size: int, *, kind: torch.dtype) -> None:
        self.length = 0
        self._keys, self._values = (torch.empty(layers, heads, 0, head_size, dtype=kind) for _ in range(2))

    def __len__(self) -> int:
        return self.length

    def crop(self, length: int) -> None:
        """Forget all tokens after the first `length`."""
        self.length = min(self.length, length)

    def copy(self, length: int) -> Self:
        """A memory of its own of the first `length` tokens."""
        copied = type(self).__new__(type(self))
        copied.length = min(self.length, length)
        copied._keys, copied._values = (
            tensor[:, :, : copied.length].contiguous() for tensor in (self._keys, self._values)
        )
        return copied

    def make_room(self, length: int) -> None:
        """Room for as many tokens in all."""
        if self._keys.shape[2] < length:
            room = max(length + _ROOM, int(length * _GROWTH))
            self._keys, self._values = (self._moved(tensor, room) for tensor in (self._keys, self._values))

    def next_places(self, layer: int, count: int) -> tuple[Tensor, Tensor]:
        """Where that layer's keys and values of the next tokens are to be written; shape (heads, count, head size).
        `length` stays as it is until every layer has them.
        """
        places = slice(self.length, self.length + count)
        return self._keys[layer, :, places], self._values[layer, :, places]

    def of(self, layer: int, length: int) -> tuple[Tensor, Tensor]:
        """Keys and values of that layer for so many tokens; shape (heads, length, head size)."""
        return self._keys[layer, :, :length], self._values[layer, :, :length]

    def at(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of all layers for the tokens at these places; shape (layers, heads, places, head size)."""
        return self._keys[:, :, places], self._values[:, :, places]

    def add(self, keys: Tensor, values: Tensor) -> None:
        """Keys and values of all layers for the next tokens, shaped like those of `at`."""
        after = self.length + keys.shape[2]
        self.make_room(after)
        self._keys[:, :, self.length : after] = keys
        self._values[:, :, self.length : after] = values
        self.length = after

    def _moved(self, tensor: Tensor, room: int) -> Tensor:
        layers, heads, _, head_size = tensor.shape
        moved = torch.empty(layers, heads, room, head_size, dtype=tensor.dtype)
        moved[:, :, : self.length] = tensor[:, :, : self.length]
        return moved
