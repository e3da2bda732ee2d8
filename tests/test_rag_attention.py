"""Attention against the plain formula in double precision."""

import pytest
import torch

from rag.attention import attention

HEADS = [(6, 6), (6, 2), (4, 1)]
SIZES = [(1, 0), (1, 40), (5, 0), (5, 30), (128, 0), (129, 7), (300, 45)]
"""New tokens, and those before them; blocks have 128."""


def exact(queries, keys, values):
    count, heads, size = queries.shape
    keys, values = (part.double().repeat_interleave(heads // len(part), dim=0) for part in (keys, values))
    scores = queries.double().transpose(0, 1) @ keys.transpose(1, 2) / size**0.5
    before = keys.shape[1] - count
    seen = torch.arange(keys.shape[1])[None] <= before + torch.arange(count)[:, None]
    weights = scores.masked_fill(~seen, float("-inf")).softmax(dim=-1)
    return (weights @ values).transpose(0, 1).reshape(count, -1)


def given(count, before, heads, key_heads, kind, *, common=0.0):
    torch.manual_seed(6)
    room = torch.randn(2, key_heads, before + count + 9, 16)
    room[0] += common * torch.randn(16)
    keys, values = room.to(kind)[:, :, : before + count]  # as they stand in memory: with room behind them
    return torch.randn(count, heads, 16).to(kind), keys, values


@pytest.mark.parametrize(("heads", "key_heads"), HEADS)
@pytest.mark.parametrize(("count", "before"), SIZES)
def test_each_token_takes_from_those_before_it(count, before, heads, key_heads):
    parts = given(count, before, heads, key_heads, torch.float32)
    assert torch.allclose(attention(*parts).double(), exact(*parts), atol=1e-5)


@pytest.mark.parametrize(("count", "before"), SIZES)
def test_in_bfloat16_what_all_keys_have_in_common_costs_nothing(count, before):
    parts = given(count, before, 6, 2, torch.bfloat16, common=30.0)
    found = attention(*parts)
    assert found.dtype == torch.bfloat16
    assert (found.double() - exact(*parts)).abs().max() < 0.1


def test_without_taking_it_off_it_would_cost_much():
    """What the test above would find."""
    queries, keys, _ = given(300, 45, 6, 2, torch.bfloat16, common=30.0)
    rounded = (queries[:, 0] @ keys[0].T).float() / 4
    true = (queries[:, 0].double() @ keys[0].double().T) / 4
    assert (rounded.double() - true).abs().max() > 0.2


def test_what_is_given_stays_as_it_was():
    parts = given(40, 3, 6, 2, torch.bfloat16)
    before = [part.clone() for part in parts]
    attention(*parts)
    assert all(torch.equal(one, other) for one, other in zip(parts, before, strict=True))
