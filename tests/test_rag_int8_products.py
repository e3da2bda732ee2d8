"""Products in int8 and bfloat16 against exact arithmetic."""

import timeit

import pytest
import torch
from torch import nn

from index.precisions import has_int8_instructions
from index.products import float_product
from rag import int8_products
from rag.int8_products import (
    FEW_ROWS,
    FbgemmProduct,
    OneDnnProduct,
    int8_product,
    quantise,
    quantise_rows,
    quantise_twice,
)

MANY = 64
needs_int8 = pytest.mark.skipif(
    "fbgemm" not in torch.backends.quantized.supported_engines, reason="int8 is for x86 processors with AVX2 only"
)


def linear(outputs: int, inputs: int, *, bias: bool) -> nn.Linear:
    torch.manual_seed(3)
    layer = nn.Linear(inputs, outputs, bias=bias).requires_grad_(False)
    # As in a trained model: few weights near the largest. Without VNNI instructions FBGEMM adds two products in 16
    # bits, which overflow where weights and activations are all large (docs/lab-notes.md).
    nn.init.normal_(layer.weight, std=0.02)
    return layer


def relative_error(found: torch.Tensor, true: torch.Tensor) -> float:
    return float((found - true).norm() / true.norm())


KINDS = (OneDnnProduct, FbgemmProduct)
"""Both compute on every x86 processor with AVX2; which is the faster differs."""


@needs_int8
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rows", [1, 7, MANY])
def test_int8_products_are_near_the_true_ones(rows, bias, kind):
    layer = linear(96, 128, bias=bias)
    x = torch.randn(rows, 128)
    found = kind(*quantise(layer.weight), layer.bias)(x)
    assert relative_error(found, layer(x)) < (0.02 if kind is OneDnnProduct else 0.08)


@needs_int8
@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_goes_in_and_comes_out(kind):
    """The rest of the model is bfloat16 where the processor has it, with int8 instructions or without."""
    layer = linear(96, 128, bias=True)
    for rows in (7, MANY):
        x = torch.randn(rows, 128)
        found = kind(*quantise(layer.weight), layer.bias.bfloat16())(x.bfloat16())
        assert found.dtype == torch.bfloat16
        assert relative_error(found.float(), layer(x)) < (0.02 if kind is OneDnnProduct else 0.08)


@needs_int8
@pytest.mark.parametrize("kind", KINDS)
def test_a_large_row_does_not_blur_a_small_one(kind):
    """One activation scale for all rows would: the small row would be rounded to almost nothing."""
    layer = linear(96, 128, bias=False)
    x = torch.randn(MANY, 128)
    x[0] *= 1000
    found = kind(*quantise(layer.weight), None)(x)
    assert relative_error(found[1], layer(x)[1]) < 0.08


@needs_int8
@pytest.mark.parametrize(("rows", "exact"), [(FEW_ROWS, False), (MANY, True)])
def test_few_rows_and_exact_products_lose_nothing_but_what_the_weights_lost(rows, exact):
    """A value far above all others in each row would leave the others a handful of levels."""
    layer = linear(96, 128, bias=False)
    weight, scales = quantise(layer.weight)
    rounded = weight.float() * scales[:, None]
    x = torch.randn(rows, 128)
    x[:, 5] *= 100
    true = x @ rounded.T
    assert relative_error(OneDnnProduct(weight, scales, None, exact=exact)(x), true) < 0.001
    coarse = OneDnnProduct(weight, scales, None)(x.repeat(MANY, 1))[:rows]
    assert relative_error(coarse, true) > 0.01


def test_rows_get_their_own_scale():
    rows, scales = quantise_rows(torch.tensor([[127.0, -127.0, 0.4, 0.6], [-2.0, 1.0, 0.0, 0.0], [0.0] * 4]))
    assert rows.tolist() == [[127, -127, 0, 1], [-127, 64, 0, 0], [0] * 4]
    assert scales[:2, 0].tolist() == pytest.approx([1.0, 2 / 127])


def test_two_numbers_hold_what_one_would_round_away():
    (large, small), scales = quantise_twice(torch.tensor([[127.0, -127.0, 0.5, -1.25], [0.0] * 4]))
    assert large.tolist() == [[127, -127, 0, -1], [0] * 4]
    assert small.tolist() == [[0, 0, 63, -31], [0] * 4]
    assert scales[0].tolist() == [1.0]


def test_quantising_in_blocks_changes_nothing(monkeypatch):
    x = torch.randn(9, 20)
    whole, twice = quantise_rows(x), quantise_twice(x)
    monkeypatch.setattr(int8_products, "_BLOCK", 40)
    for one, other in ((whole, quantise_rows(x)), (twice[0], quantise_twice(x)[0])):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_weights_keep_their_largest_magnitude_exactly():
    weight, scales = quantise(torch.tensor([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0]]))
    assert weight.tolist() == [[64, -127, 32], [0, 0, 0]]
    assert scales[0].item() == pytest.approx(1 / 127)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [False, True])
def test_products_of_floats_are_those_of_a_linear_layer(kind, bias):
    layer = linear(96, 128, bias=bias).to(kind)
    x = torch.randn(7, 128).to(kind)
    assert relative_error(float_product(layer.weight, layer.bias, rows=7)(x).float(), layer(x).float()) < 0.005


@needs_int8
def test_signed_and_unsigned_rows_give_the_same():
    weight, scales = quantise(linear(96, 128, bias=False).weight)
    product = OneDnnProduct(weight, scales, None)
    rows = torch.randint(-127, 128, (MANY, 128), dtype=torch.int8)
    true = (rows.double() @ weight.double().T * scales.double()).float()
    unsigned = (rows.short() + 128).to(torch.uint8)
    assert torch.equal(product.multiplied(rows), product.multiplied(unsigned))
    assert torch.allclose(product.multiplied(rows), true, rtol=1e-6)
    assert rows.min() < 0  # what was given stays as it was


@needs_int8
@pytest.mark.skipif(not has_int8_instructions(), reason="where there are no int8 instructions FBGEMM is taken")
@needs_int8
def test_rows_that_are_put_below_few_ones_change_nothing():
    torch.manual_seed(3)
    product = OneDnnProduct(*quantise(torch.randn(48, 64)), None)
    rows = torch.randint(-127, 128, (9, 64), dtype=torch.int8)
    whole = product.multiplied(rows)
    for count in range(1, 6):
        assert torch.equal(product.multiplied(rows[:count]), whole[:count])


@pytest.mark.parametrize("rows", [1, MANY])
def test_int8_has_not_fallen_back_to_a_reference(rows):
    """oneDNN takes 600 times as long where it has no code for the kind of rows, and says nothing."""
    layer = linear(1024, 1024, bias=False)
    product, x = int8_product(*quantise(layer.weight), None), torch.randn(rows, 1024)
    product(x), layer(x)
    int8, float32 = (min(timeit.repeat(lambda call=call: call(x), number=1, repeat=9)) for call in (product, layer))
    assert int8 < 10 * float32
