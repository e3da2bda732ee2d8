"""The contract of a network, over the decoder in each precision and `transformers`, with that as the reference."""

from pathlib import Path

import numpy as np
import pytest
import torch
from network_material import MODELS, NEXT, ONE_LAYER, PROMPT, load, loss, needs_int8
from torch import nn

from rag import decoder
from rag.decoder import Decoder
from rag.networks import TransformersNetwork

PRECISIONS = ["float32", "bfloat16", pytest.param("int8", marks=needs_int8)]
LOSS = {"float32": 1e-5, "bfloat16": 0.05, "int8": 0.08}
"""How far logits may be from those of float32, as a share."""


@pytest.fixture(params=MODELS)
def folder(request, tmp_path) -> Path:
    torch.manual_seed(5)
    model = MODELS[request.param]().eval()
    for name, parameter in model.named_parameters():
        if name.endswith("bias") or "norm" in name:
            nn.init.normal_(parameter, mean=1.0)
    model.save_pretrained(tmp_path / request.param)
    return tmp_path / request.param


def reference(folder: Path, ids: list[int]) -> torch.Tensor:
    network = TransformersNetwork(folder, precision="float32")
    return network.logits(network.read(ids, network.empty(), wanted=len(ids)))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_logits_are_those_of_transformers(folder, precision):
    if "gemma" in folder.name and precision == "int8":
        with pytest.raises(ValueError, match=r"int8 does not fit this kind of model \(gemma\)"):
            load(folder, precision)
        return
    network = load(folder, precision)
    assert isinstance(network, TransformersNetwork if "gemma" in folder.name else Decoder)
    memory = network.empty()
    true = reference(folder, PROMPT + NEXT)
    found = network.logits(network.read(PROMPT, memory, wanted=2))
    assert found.dtype == torch.float32
    assert loss(found, true[len(PROMPT) - 2 : len(PROMPT)]) < LOSS[precision]
    assert len(memory) == len(PROMPT)
    hidden = network.read(PROMPT, network.empty(), wanted=1)
    some = network.logits_of([4, 9, 0], hidden)
    assert some.dtype == torch.float32
    # Full logits of bfloat16 are rounded to eight bits.
    assert torch.allclose(some, network.logits(hidden)[0, [4, 9, 0]], rtol=0.01, atol=0.01)
    assert loss(network.logits(network.read(NEXT, memory, wanted=3)), true[len(PROMPT) :]) < LOSS[precision]
    assert len(memory) == len(PROMPT + NEXT)
    assert network.ends == {7, 9}


@needs_int8
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("first", [8, 40, 300, 600])
@pytest.mark.parametrize("folder", ["qwen2", "qwen2 tied", "llama"], indirect=True)
def test_int8_with_kernels_and_in_pytorch_is_near_the_reference(folder, first, plain, monkeypatch):
    """Few rows, many, and more than go through the middle of a layer, or to one product, at a time."""
    if plain:
        monkeypatch.setattr("rag.decoder_weights._int8_class", lambda: Decoder)
    network = load(folder, "int8")
    ids = torch.randint(1, 50, (first + 43,)).tolist()
    true = reference(folder, ids)
    memory = network.empty()
    found, start = [], 0
    for end in (first, first + 1, first + 12, first + 43):
        found.append(network.logits(network.read(ids[start:end], memory, wanted=end - start)))
        start = end
    assert loss(torch.cat(found), true) < 0.15  # of so small a model single tokens may be further off


def test_what_is_cropped_is_forgotten_and_a_copy_goes_its_own_way(folder):
    network = load(folder, "float32")
    memory = network.empty()
    network.read([*PROMPT, 8, 8, 8], memory, wanted=1)
    memory.crop(len(PROMPT))
    copied = memory.copy(len(PROMPT) - 2)
    true = reference(folder, PROMPT + NEXT)[-1:]
    other = reference(folder, PROMPT[:-2] + NEXT)[-1:]
    assert loss(network.logits(network.read(NEXT, memory, wanted=1)), true) < 1e-5
    assert loss(network.logits(network.read(NEXT, copied, wanted=1)), other) < 1e-5
    assert (len(memory), len(copied)) == (len(PROMPT) + 3, len(PROMPT) + 1)


def test_a_memory_grows_beyond_its_first_room(tmp_path):
    torch.manual_seed(5)
    MODELS["llama"]().save_pretrained(tmp_path)
    ids = torch.randint(1, 50, (1200,)).tolist()
    network = load(tmp_path, "float32")
    memory = network.empty()
    for start in range(0, 1200, 400):
        hidden = network.read(ids[start : start + 400], memory, wanted=1)
    assert loss(network.logits(hidden), reference(tmp_path, ids)[-1:]) < 1e-4


def test_an_interrupted_pass_leaves_nothing_behind(folder, monkeypatch):
    network = load(folder, "float32")
    memory = network.empty()
    network.read(PROMPT, memory, wanted=1)
    calls = []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return attention(*args, **options)

    if isinstance(network, Decoder):
        module, name = decoder, "attention"
    else:
        module, name = nn.functional, "scaled_dot_product_attention"
    attention = getattr(module, name)
    with monkeypatch.context() as patched:
        patched.setattr(module, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            network.read([8, 8], memory, wanted=1)
    assert len(memory) in (0, len(PROMPT))
    after = NEXT if len(memory) else PROMPT + NEXT
    true = reference(folder, PROMPT + NEXT)[-1:]
    assert loss(network.logits(network.read(after, memory, wanted=1)), true) < 1e-5


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "gpt2"},
        {"use_sliding_window": True},
        {"hidden_act": "gelu"},
        {"rope_parameters": {"rope_type": "yarn", "rope_theta": 10_000.0, "factor": 2.0}},
    ],
)
def test_what_the_decoder_does_not_compute_is_not_given_to_it(tmp_path, change):
    import json

    from rag.decoder_weights import load_decoder

    MODELS["qwen2"]().save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    assert load_decoder(tmp_path, precision="float32", int8_file=tmp_path / "int8") is not None
    file.write_text(json.dumps(config | change), encoding="utf-8")
    assert load_decoder(tmp_path, precision="float32", int8_file=tmp_path / "int8") is None


@needs_int8
def test_stored_int8_weights_give_the_same_model_and_a_broken_file_is_written_anew(tmp_path):
    torch.manual_seed(5)
    MODELS["qwen2"]().to(torch.bfloat16).save_pretrained(tmp_path / "model")
    file = tmp_path / "int8" / "weights.safetensors"

    def logits() -> torch.Tensor:
        network = load(tmp_path / "model", "int8")
        return network.logits(network.read(PROMPT, network.empty(), wanted=2))

    first = logits()
    content = file.read_bytes()
    # Afterwards the file alone is read.
    (tmp_path / "model" / "model.safetensors").rename(tmp_path / "moved")
    assert torch.equal(logits(), first)
    (tmp_path / "moved").rename(tmp_path / "model" / "model.safetensors")
    file.write_bytes(content[: len(content) // 2])
    assert torch.equal(logits(), first)
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir() if not path.name.endswith(".lock")] == [file.name]


@needs_int8
def test_int8_on_a_processor_with_neither_int8_nor_bfloat16_instructions(tmp_path, monkeypatch):
    for place, what in (
        ("rag.decoder_weights", "int8"), ("rag.int8_products", "int8"),
        ("rag.decoder_weights", "bfloat16"), ("index.products", "bfloat16"),
    ):  # fmt: skip
        monkeypatch.setattr(f"{place}.has_{what}_instructions", lambda: False)
    torch.manual_seed(5)
    MODELS["qwen2"]().save_pretrained(tmp_path / "model")
    network = load(tmp_path / "model", "int8")
    memory = network.empty()
    true = reference(tmp_path / "model", PROMPT + NEXT)
    hidden = network.read(PROMPT, memory, wanted=2)
    assert hidden.dtype == torch.float32
    assert loss(network.logits(hidden), true[len(PROMPT) - 2 : len(PROMPT)]) < 0.15
    assert loss(network.logits(network.read(NEXT, memory, wanted=3)), true[len(PROMPT) :]) < 0.15
    assert torch.allclose(network.logits_of([4, 9], hidden[-1:]), network.logits(hidden)[-1, [4, 9]], atol=0.1)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_rotations_are_exact_to_the_last_digit(tmp_path, precision):
    """Cosines of float32 are not the same in every process, which gave one prompt two drafts."""
    MODELS["qwen2"]().save_pretrained(tmp_path)
    network = load(tmp_path, precision)
    kind = torch.float32 if precision == "float32" else torch.bfloat16
    speeds = 10_000.0 ** (-torch.arange(0, 8, 2).float() / 8)
    angles = np.outer(np.arange(700, dtype=np.float32), speeds.numpy()).astype(np.float64)
    for found, true in zip(network._rotation(0, 700), (np.cos(angles), np.sin(angles)), strict=True):
        assert found.dtype == kind
        assert torch.equal(found[:, 0], torch.from_numpy(np.tile(true, 2)).to(kind))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("folder", ["qwen2", "llama"], indirect=True)
def test_what_is_recalled_where_it_was_read_is_as_if_read_there(folder, precision):
    network = load(folder, precision)
    source, memory = network.empty(), network.empty()
    network.read(PROMPT, source, wanted=1)
    network.read(PROMPT[:3], memory, wanted=1)
    network.recall(memory, source, [3, 4, 5, 6, 7])
    assert len(memory) == len(PROMPT)
    found = network.logits(network.read(NEXT, memory, wanted=3))
    assert loss(found, reference(folder, PROMPT + NEXT)[len(PROMPT) :]) < LOSS[precision]
    assert len(source) == len(PROMPT)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("model", ONE_LAYER)
def test_what_is_recalled_elsewhere_is_turned_to_its_new_place(model, precision, tmp_path):
    """In a model of one layer a token's key and value depend on nothing but the token and its place."""
    torch.manual_seed(5)
    ONE_LAYER[model]().eval().save_pretrained(tmp_path / model)
    network = load(tmp_path / model, precision)
    source, memory = network.empty(), network.empty()
    network.read([9, 2, 6, *PROMPT], source, wanted=1)
    network.read([8, 8], memory, wanted=1)
    network.recall(memory, source, [7, 8, 3, 4])
    moved = [8, 8, *PROMPT[4:6], *PROMPT[:2]]
    found = network.logits(network.read(NEXT, memory, wanted=3))
    true = reference(tmp_path / model, moved + NEXT)[len(moved) :]
    assert loss(found, true) < LOSS[precision]
    unturned = reference(tmp_path / model, [*PROMPT[:2], 8, 8, *PROMPT[4:6], *NEXT])[len(moved) :]
    assert loss(unturned, true) > 2 * LOSS[precision]
