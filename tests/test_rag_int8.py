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


KINDS = ("OneDnnLinear", "FbgemmLinear")
"""Both compute on every x86 processor with AVX2; which is the faster differs."""


def int8(kind: str, layer: "nn.Linear") -> "nn.Module":
    from rag import int8_linear

    return getattr(int8_linear, kind)(*int8_linear.quantise(layer.weight.clone()), layer.bias)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_products_are_near_the_true_ones(rows, bias, kind):
    layer = linear(96, 128, bias=bias)
    x = torch.randn(rows, 128)
    with torch.inference_mode():
        assert relative_error(int8(kind, layer)(x), layer(x)) < (0.02 if kind == "OneDnnLinear" else 0.08)
        assert relative_error(int8(kind, layer)(x[None]), layer(x[None])) < 0.08


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_goes_in_and_comes_out(kind):
    """The rest of the model is bfloat16 where the processor has it, with int8 instructions or without."""
    layer = linear(96, 128, bias=True)
    x = torch.randn(7, 128)
    with torch.inference_mode():
        found = int8(kind, layer)(x.bfloat16())
        assert found.dtype == torch.bfloat16
        assert relative_error(found.float(), layer(x)) < (0.02 if kind == "OneDnnLinear" else 0.08)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_row_does_not_blur_a_small_one(kind):
    """One activation scale for all rows would: the small row would be rounded to almost nothing."""
    layer = linear(96, 128, bias=False)
    x = torch.randn(2, 128) * torch.tensor([[1000.0], [1.0]])
    with torch.inference_mode():
        assert relative_error(int8(kind, layer)(x)[1], layer(x)[1]) < 0.08


def test_rows_get_their_own_scale_around_128():
    from rag.int8_linear import quantise_rows

    rows, scales = quantise_rows(torch.tensor([[127.0, -127.0, 0.4, 0.6], [-2.0, 1.0, 0.0, 0.0], [0.0] * 4]))
    assert rows.tolist() == [[255, 1, 128, 129], [1, 192, 128, 128], [128] * 4]
    assert scales[:2, 0].tolist() == pytest.approx([1.0, 2 / 127])


def test_layers_that_read_the_same_rows_quantise_them_once(monkeypatch):
    from rag import int8_linear

    first, second = (int8("OneDnnLinear", linear(8, 16, bias=False)) for _ in range(2))
    first.recent = second.recent
    true, counted = int8_linear.quantise_rows, []
    monkeypatch.setattr(int8_linear, "quantise_rows", lambda rows: counted.append(rows) or true(rows))
    x, other = torch.randn(3, 16), torch.randn(3, 16)
    with torch.inference_mode():
        products = [layer(rows) for rows in (x, other) for layer in (first, second)]
    assert len(counted) == 2
    assert torch.equal(products[0], products[1])
    assert torch.equal(products[2], int8("OneDnnLinear", linear(8, 16, bias=False))(other))


def test_the_weights_keep_their_largest_magnitude_exactly():
    from rag.int8_linear import quantise

    weight, scales = quantise(torch.tensor([[0.5, -1.0, 0.25], [0.0, 0.0, 0.0]]))
    assert weight.tolist() == [[64, -127, 32], [0, 0, 0]]
    assert scales[0].item() == pytest.approx(1 / 127)


@pytest.mark.parametrize("tied", [True, False])
def test_stored_weights_give_the_same_model_and_a_broken_file_is_written_anew(tmp_path, tied):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from rag.int8 import load_int8

    torch.manual_seed(5)
    config = Qwen2Config(
        vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=tied,
    )  # fmt: skip
    true = Qwen2ForCausalLM(config).to(torch.bfloat16).eval()
    for name, parameter in true.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)
    true.save_pretrained(tmp_path / "model")
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    file = tmp_path / "int8" / "weights.safetensors"
    with torch.no_grad():
        first = load_int8(tmp_path / "model", stored=file)(ids).logits
        content = file.read_bytes()
        # Afterwards the file alone is read.
        (tmp_path / "model" / "model.safetensors").rename(tmp_path / "moved")
        second = load_int8(tmp_path / "model", stored=file)(ids).logits
        (tmp_path / "moved").rename(tmp_path / "model" / "model.safetensors")
        file.write_bytes(content[: len(content) // 2])
        third = load_int8(tmp_path / "model", stored=file)(ids).logits
        logits = true(ids).logits.float()
    assert torch.equal(first, second)
    assert torch.equal(first, third)
    assert file.read_bytes() == content
    assert relative_error(first, logits) < 0.05
    assert sorted(path.name for path in file.parent.iterdir() if not path.name.endswith(".lock")) == [file.name]
