"""Attention of new tokens to those before them and to each other, in a few large products.

PyTorch's `scaled_dot_product_attention` takes up to three times as long on a processor without AMX (docs/lab-notes.md).
What it does better is to keep scores in float32; products of bfloat16 round them. Keys of some models (Qwen2) have a
large part in common, which adds the same to all scores of a token, so that what differs is lost in the rounding.
Softmax does not see what all scores have in common: so the mean of the first keys is taken off all of them (after
SageAttention, Zhang et al. 2025), and what is left is rounded no worse than everything else.
"""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

_BLOCK = 128
"""Tokens at a time: each block reads the keys up to its last token, and no others."""
_COMMON = 32
"""The first keys tell what all have in common: the same ones however much of a prompt was read before."""


class Softener(Protocol):
    """Makes weights of scores; see `softened`."""

    def __call__(self, scores: Tensor, scale: float, *, block: int) -> Tensor:
        """`scores` may be written over."""
        ...


def softened(scores: Tensor, scale: float, *, block: int) -> Tensor:
    """The softmax of `scores` x `scale`, in the same kind of number.

    `scores` has the shape (key heads, queries, seen). Its queries are those of the last `block` of the `seen` tokens,
    in order, once for each head of queries; none sees what comes after it: the weight of that is 0.
    """
    key_heads, _, seen = scores.shape
    exact = scores.float().mul_(scale).view(key_heads, -1, block, seen)
    later = torch.ones(block, block, dtype=torch.bool).triu_(1)
    exact[..., seen - block :].masked_fill_(later, float("-inf"))
    return exact.softmax(dim=-1).to(scores.dtype).view(scores.shape)


def attention(queries: Tensor, keys: Tensor, values: Tensor, *, soften: Softener = softened) -> Tensor:
    """What each token takes from those that it sees, shape (n, heads x head size).

    `queries` has the shape (n, heads, head size); `keys` and `values` (key heads, length, head size), of which the last
    n are of the same tokens. Neighbouring heads of queries share a head of keys. Each token sees those before it and
    itself.
    """
    count, heads, size = queries.shape
    key_heads, length, _ = keys.shape
    shared = queries.view(count, key_heads, heads // key_heads, size)
    if count == 1:
        found = functional.scaled_dot_product_attention(shared, keys[None], values[None])
        return found.reshape(1, -1)
    shared = shared.permute(1, 2, 0, 3)
    centred = (keys - keys[:, :_COMMON].mean(dim=1, keepdim=True)).transpose(1, 2)
    out = torch.empty(count, key_heads, heads // key_heads, size, dtype=queries.dtype)
    for start in range(0, count, _BLOCK):
        end = min(start + _BLOCK, count)
        seen = length - count + end
        rows = shared[:, :, start:end].reshape(key_heads, -1, size)
        scores = torch.bmm(rows, centred[:, :, :seen])
        weights = soften(scores, size**-0.5, block=end - start)
        taken = torch.bmm(weights, values[:, :seen])
        out[start:end] = taken.view(key_heads, -1, end - start, size).permute(2, 0, 1, 3)
    return out.view(count, -1)
