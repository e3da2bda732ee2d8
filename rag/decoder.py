"""A language model of the Llama family (Qwen2, Llama, Mistral), computed with few and large products.

The same numbers as `transformers` gives, which stays the reference in the tests and computes all other kinds of models
(`rag/networks.py`). What makes it faster: query, key and value in one product, gate and up in one; keys and values
written in place instead of joined anew for every token; the last layer for the last token alone where no other is
asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from index.products import Product
from rag.adapter import Adapter
from rag.attention import attention
from rag.key_values import KeyValues

BLOCK = 256
"""Rows that go through the middle of a layer at a time; oneDNN's int8 takes twice as long from 257 on."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model."""

    layers: int
    heads: int
    key_heads: int
    """Heads of keys and values; several heads of queries share one."""
    head_size: int
    epsilon: float
    """Added to the mean square where a row is normalised."""
    rotary_base: float
    """The base of rotary positions (RoFormer, Su et al. 2021)."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one layer; norms of shape (hidden size,)."""

    attention_norm: Tensor
    query_key_value: Product
    output: Product
    mlp_norm: Tensor
    gate_up: Product
    down: Product


class Decoder:
    """Implements `rag.networks.Network` for models of the Llama family."""

    def __init__(
        self,
        shape: Shape,
        *,
        embedding: Tensor,
        layers: Sequence[Layer],
        norm: Tensor,
        output: Product,
        output_rows: Callable[[Sequence[int]], Tensor],
        ends: frozenset[int],
    ) -> None:
        self.ends = ends
        self._output_rows = output_rows
        self._shape = shape
        self._embedding = embedding
        self._layers = layers
        self._norm = norm
        self._output = output
        self._cosines = self._sines = torch.empty(0, shape.head_size, dtype=norm.dtype)

    def empty(self) -> KeyValues:
        """A memory of nothing read yet."""
        return self._memory(self._norm.dtype)

    def _memory(self, kind: torch.dtype) -> KeyValues:
        return KeyValues(self._shape.layers, self._shape.key_heads, self._shape.head_size, kind=kind)

    @torch.inference_mode()
    def read(
        self, ids: Sequence[int], memory: KeyValues, *, wanted: int, adapter: Adapter | None = None, adapted: int = 0
    ) -> Tensor:
        """The last hidden states of the last `wanted` of these tokens, shape (wanted, hidden size). All of them join
        `memory`, which is as it was if the computation is interrupted. The last `adapted` are read with the adapter.
        """
        before, after = len(memory), len(memory) + len(ids)
        memory.make_room(after)
        rows = functional.embedding(torch.tensor(list(ids)), self._embedding).to(self._norm.dtype)
        cosines, sines = self._rotation(before, after)
        for place, layer in enumerate(self._layers):
            seen = self._attended(self._normed(rows, layer.attention_norm), place, layer, memory, cosines, sines)
            if place == len(self._layers) - 1:
                rows, seen = rows[-wanted:], seen[-wanted:]
            rows = rows + layer.output(seen)
            beside = adapter.beside(place, self._normed(rows[-adapted:], layer.mlp_norm)) if adapter else None
            self._add_middle(rows, layer)
            if beside is not None:
                rows[-adapted:] += beside
        memory.length = after
        return self._normed(rows, self._norm)

    @torch.inference_mode()
    def recall(self, memory: KeyValues, source: KeyValues, places: Sequence[int]) -> None:
        """Add to `memory` what `source` keeps of the tokens at these places, as if they had been read there.

        A key is turned by its position (RoFormer), so it is turned on by as much as its token moves.
        """
        chosen, new = torch.tensor(places), torch.arange(len(memory), len(memory) + len(places))
        there, here = (torch.outer(positions.float(), self._speeds()).double() for positions in (chosen, new))
        cosines, sines = (here - there).cos().float(), (here - there).sin().float()
        keys, values = source.at(chosen)
        first, second = keys.float().chunk(2, dim=-1)
        turned = torch.cat([first * cosines - second * sines, second * cosines + first * sines], dim=-1)
        memory.add(turned.to(keys.dtype), values)

    @torch.inference_mode()
    def logits(self, hidden: Tensor) -> Tensor:
        """The float32 logits of the next token after each of these hidden states, shape (n, vocabulary)."""
        return self._output(hidden).float()

    @torch.inference_mode()
    def logits_of(self, tokens: Sequence[int], hidden: Tensor) -> Tensor:
        """The logits of these next tokens alone after one hidden state, computed in float32, shape (tokens,)."""
        return self._output_rows(tokens) @ hidden.reshape(-1).float()

    def _attended(
        self,
        rows: Tensor,
        place: int,
        layer: Layer,
        memory: KeyValues,
        cosines: Tensor,
        sines: Tensor,
    ) -> Tensor:
        """What each row takes from the tokens it sees, shape (n, heads x head size)."""
        shape = self._shape
        count, turned = len(rows), shape.heads + shape.key_heads
        parts = layer.query_key_value(rows).view(count, turned + shape.key_heads, shape.head_size)
        first, second = parts[:, :turned].chunk(2, dim=-1)
        rotated = parts[:, :turned] * cosines + torch.cat([-second, first], dim=-1) * sines
        new_keys, new_values = memory.next_places(place, count)
        new_keys.copy_(rotated[:, shape.heads :].transpose(0, 1))
        new_values.copy_(parts[:, turned:].transpose(0, 1))
        return attention(rotated[:, : shape.heads], *memory.of(place, len(memory) + count))

    def _add_middle(self, rows: Tensor, layer: Layer) -> None:
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            gate, up = layer.gate_up(self._normed(block, layer.mlp_norm)).chunk(2, dim=-1)
            block += layer.down(functional.silu(gate, inplace=True).mul_(up))

    def _normed(self, rows: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(rows, weight.shape, weight, self._shape.epsilon)

    def _rotation(self, start: int, end: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines of the positions from `start` to `end`, shape (end - start, 1, head size)."""
        if len(self._cosines) < end:
            # In double precision: MKL's first cosines of a process may come a little less exact from one of its threads
            # (docs/lab-notes.md), and in float32 that is enough for another draft.
            angles = torch.outer(torch.arange(2 * end).float(), self._speeds()).repeat(1, 2).double()
            self._cosines, self._sines = (table.to(self._norm.dtype) for table in (angles.cos(), angles.sin()))
        return self._cosines[start:end, None], self._sines[start:end, None]

    def _speeds(self) -> Tensor:
        """The angle by which each pair of a head's numbers turns from a token to the next, shape (head size / 2,)."""
        size = self._shape.head_size
        return self._shape.rotary_base ** (-torch.arange(0, size, 2).float() / size)
