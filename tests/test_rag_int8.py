"""The int8 layers against exact arithmetic."""

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.skipif(
    "fbgemm" not in torch.backends.quantized.supported_engines, reason="int8 is for x86 processors with AVX2 only"
)


def linear(outputs: int, inputs: int, *, bias: bool) -> "nn.Linear":
    torch.manual_seed(3)
    layer = nn.Linear(inputs, outputs, bias=bias)
    # As in a trained model: few weights near the largest. Without VNNI instructions FBGEMM adds two products in 16
    # bits, which overflow where weights and activations are all large (docs/lab-notes.md).
    nn.init.normal_(layer.weight, std=0.02)
    return layer


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
        assert relative_error(found, layer(x)) < 0.08


def test_a_large_row_does_not_blur_a_small_one():
    """One activation scale for all rows would: the small row would be rounded to almost nothing."""
    from rag.int8 import Int8Linear, quantise

    layer = linear(96, 128, bias=False)
    x = torch.randn(2, 128) * torch.tensor([[1000.0], [1.0]])
    with torch.inference_mode():
        found = Int8Linear(*quantise(layer.weight.clone()), None)(x)
        assert relative_error(found[1], layer(x)[1]) < 0.08


def test_the_weights_keep_their_largest_magnitude_exactly():
    from rag.int8 import quantise

    weight, scales = quantise(torch.tensor([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0]]))
    assert weight.tolist() == [[64, -127, 32], [0, 0, 0]]
    assert scales[0].item() == pytest.approx(1 / 127)


def test_stored_weights_give_the_same_model_and_a_broken_file_is_written_anew(tmp_path):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from rag.int8 import to_int8

    def model():
        torch.manual_seed(5)
        config = Qwen2Config(
            vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2,
        )  # fmt: skip
        return Qwen2ForCausalLM(config).to(torch.bfloat16).eval()

    ids = torch.tensor([[3, 1, 4, 1, 5]])
    file = tmp_path / "int8.safetensors"
    with torch.no_grad():
        direct = to_int8(model())(ids).logits
        first = to_int8(model(), stored=file)(ids).logits
        size = file.stat().st_size
        second = to_int8(model(), stored=file)(ids).logits
        file.write_bytes(file.read_bytes()[: size // 2])
        third = to_int8(model(), stored=file)(ids).logits
        true = model()(ids).logits.float()
    assert torch.equal(direct, first)
    assert torch.equal(first, second)
    assert torch.equal(first, third)
    assert file.stat().st_size == size
    assert relative_error(direct, true) < 0.05
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")) == [file.name]
