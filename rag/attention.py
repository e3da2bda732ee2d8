"""Attention of new tokens to those before them and to each other, in a few large products.

PyTorch's `scaled_dot_product_attention` takes up to three times as long on a processor without AMX (docs/lab-notes.md).
What it does better is to keep scores in float32; products of bfloat16 round them. Keys of some models (Qwen2) have a
large part in common, which adds the same to all scores of a token, so that what differs is lost in the rounding.
Softmax does not see what all scores have in common: so the mean of the first keys is taken off all of them (after
SageAttention, Zhang et al. 2025), and what is left is rounded no worse than everything else.
"""

import torch
from torch import Tensor
from torch.nn import functional

_BLOCK = 128
"""Tokens at a time: each block reads the keys up to its last token, and no others."""
_COMMON = 32
"""The first keys tell what all have in common: the same ones however much of a prompt was read before."""


def attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
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
        scores = torch.bmm(rows, centred[:, :, :seen]).float().mul_(size**-0.5)
        scores = scores.view(key_heads, -1, end - start, seen)
        later = torch.ones(end - start, end - start, dtype=torch.bool).triu_(1)
        scores[..., seen - (end - start) :].masked_fill_(later, float("-inf"))
        weights = scores.softmax(dim=-1).to(values.dtype).view(key_heads, -1, seen)
        taken = torch.bmm(weights, values[:, :seen])
        out[start:end] = taken.view(key_heads, -1, end - start, size).permute(2, 0, 1, 3)
    return out.view(count, -1)
