"""A decoder whose weights are int8, on processors with int8 instructions: rows stay in int8 or float32 throughout.

The same as `Decoder` with `OneDnnProduct`s, whose steps between two products are taken together (`rag/int8_kernels.py`)
and are not rounded to bfloat16 one by one.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from index.products import Product
from rag import int8_kernels as kernels
from rag.adapter import Adapter
from rag.attention import attention
from rag.decoder import BLOCK, Decoder, Layer
from rag.int8_kernels import Quantised
from rag.int8_products import FEW_ROWS, OneDnnProduct
from rag.key_values import KeyValues

_COARSE = 30 / 127
"""A row is coarse if a step of its numbers is more than this share of its root mean square, so that rounding costs a
fifteenth of it: a third of all rows before `down` (docs/lab-notes.md)."""


class Int8Decoder(Decoder):
    """Implements `rag.networks.Network`. All of its products are `OneDnnProduct`s, its norms and biases float32."""

    def empty(self) -> KeyValues:
        """A memory of nothing read yet."""
        return self._memory(torch.bfloat16)

    @torch.inference_mode()
    def read(
        self, ids: Sequence[int], memory: KeyValues, *, wanted: int, adapter: Adapter | None = None, adapted: int = 0
    ) -> Tensor:
        """See `Decoder.read`."""
        before, after = len(memory), len(memory) + len(ids)
        memory.make_room(after)
        rows = functional.embedding(torch.tensor(list(ids)), self._embedding).float()
        turns = self._turns(before, after)
        for place, layer in enumerate(self._layers):
            seen = self._seen(rows, place, layer, memory, turns)
            if place == len(self._layers) - 1:
                rows, seen = rows[-wanted:], seen[-wanted:]
            self._add(rows, layer.output, kernels.bring(seen, twice=len(seen) <= FEW_ROWS))
            beside = adapter.beside(place, self._normed(rows[-adapted:], layer.mlp_norm)) if adapter else None
            self._add_middle(rows, layer)
            if beside is not None:
                rows[-adapted:] += beside
        memory.length = after
        return self._normed(rows, self._norm)

    def _seen(
        self,
        rows: Tensor,
        place: int,
        layer: Layer,
        memory: KeyValues,
        turns: tuple[Tensor, Tensor],
    ) -> Tensor:
        """What each row takes from the tokens it sees, bfloat16, shape (n, heads x head size)."""
        normed = self._quantised(rows, layer.attention_norm)
        product = cast(OneDnnProduct, layer.query_key_value)
        new_keys, new_values = memory.next_places(place, len(rows))
        queries = kernels.turn(product.multiplied(normed.numbers), normed, product.bias, turns, new_keys, new_values)
        return attention(queries, *memory.of(place, len(memory) + len(rows)), soften=kernels.soften)

    def _add_middle(self, rows: Tensor, layer: Layer) -> None:
        normed = self._quantised(rows, layer.mlp_norm)
        gate_up = cast(OneDnnProduct, layer.gate_up)
        size = -(-len(rows) // -(-len(rows) // BLOCK))  # as many blocks as are needed, of one size
        for start in range(0, len(rows), size):
            block = slice(start, start + size)
            part = normed if normed.twice else normed.part(block)
            self._add_gated(rows[block], layer.down, *kernels.gate(gate_up.multiplied(part.numbers), part))

    def _add_gated(self, rows: Tensor, down: Product, gated: Quantised, means: Tensor) -> None:
        """Where rows are many, a second number for each value costs as much as the first, so only rows have it whose
        largest value is so far above the others that one number is coarse.
        """
        if len(rows) <= FEW_ROWS:
            self._add(rows, down, gated)
            return
        chosen = (gated.sizes > _COARSE * means).nonzero()[:, 0]
        first, second = gated.apart(chosen)
        self._add(rows, down, first)
        if len(chosen):
            coarse = rows[chosen]
            self._add(coarse, down, second)
            rows[chosen] = coarse

    def _add(self, rows: Tensor, product: Product, given: Quantised) -> None:
        kernels.add(rows, cast(OneDnnProduct, product).multiplied(given.numbers), given)

    def _quantised(self, rows: Tensor, weight: Tensor) -> Quantised:
        return kernels.norm(rows, weight, self._shape.epsilon, twice=len(rows) <= FEW_ROWS)

    def _turns(self, start: int, end: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines of the positions from `start` to `end`, float32 of shape (end - start, head size / 2)."""
        half = self._shape.head_size // 2
        cosines, sines = self._rotation(start, end)
        return cosines[:, 0, :half].contiguous(), sines[:, 0, :half].contiguous()
