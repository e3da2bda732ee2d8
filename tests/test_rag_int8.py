"""The int8 layers against exact arithmetic."""

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.skipif(
    "fbgemm" not in torch.backends.quantized.supported_engines, reason="int8 is for x86 processors with AVX2 only"
)


def linear(outputs: int, inputs: int, *, bias: bool) -> "nn.Linear":
    torch.manual_seed(3)
    return nn.Linear(inputs, outputs, bias=bias)


def relative_error(found: "torch.Tensor", true: "torch.Tensor") -> float:
    return float((found - true).norm() / true.norm())


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_products_are_near_the_true_ones(rows, bias):
    from rag.int8 import Int8Linear, quantise

    layer = linear(96, 128, bias=bias)
    x = torch.randn(rows, 128)
    with torch.inference_mode():
        found = Int8Linear(*quantise(layer.weight.clone()), layer.bias)(x)
        assert relative_error(found, layer(x)) < 0.02


def test_a_large_row_does_not_blur_a_small_one():
    """One activation scale for all rows would: the small row would be rounded to almost nothing."""
    from rag.int8 import Int8Linear, quantise

    layer = linear(96, 128, bias=False)
    x = torch.randn(2, 128) * torch.tensor([[1000.0], [1.0]])
    with torch.inference_mode():
        found = Int8Linear(*quantise(layer.weight.clone()), None)(x)
        assert relative_error(found[1], layer(x)[1]) < 0.02


def test_the_weights_keep_their_largest_magnitude_exactly():
    from rag.int8 import quantise

    weight, scales = quantise(torch.tensor([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0]]))
    assert weight.tolist() == [[64, -127, 32], [0, 0, 0]]
    assert scales[0].item() == pytest.approx(1 / 127)
