"""Vectors of words by a model of the BERT family, loaded without much ado and computed with few operations.

The same numbers as `sentence-transformers` gives, which computes all other kinds and is the reference in the tests.
What makes it faster: texts of any length stand one after another in the same products, which only attention tells
apart; query, key and value are one product; no text waits for a longer one. And the package itself need not be
imported, which took three of the thirteen seconds from a command to its answer.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from index.computing import computed
from index.importing import TRANSFORMERS
from index.products import Product, float_product

_TOKENS_AT_ONCE = 2_048
_USUAL_TOKENS = 64  # between a question and a batch of passages
_SIZES = {"num_attention_heads", "num_hidden_layers", "layer_norm_eps"}
"""Of a model's configuration; where one is not written down, `transformers` knows what is meant."""

_Tokenizer = Callable[..., Mapping[str, list[list[int]]]]
_Norm = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class _Layer:
    query_key_value: Product
    attended: Product
    attended_norm: _Norm
    wide: Product
    narrow: Product
    narrow_norm: _Norm


class Encoder:
    """The layers of a BERT, with the tokenizer that its texts go through.

    `weights` are named as `transformers` names them, `config` is the model's own.
    """

    def __init__(
        self, weights: Mapping[str, Tensor], config: Mapping[str, Any], tokenizer: _Tokenizer, *, longest: int
    ) -> None:
        self._tokenizer = tokenizer
        self._longest = longest
        self._heads = config["num_attention_heads"]
        named = _Named(weights, epsilon=config["layer_norm_eps"])
        tables = named.under("embeddings")
        self._words, self._positions = tables["word_embeddings.weight"], tables["position_embeddings.weight"]
        self._type = tables["token_type_embeddings.weight"][0]
        self._norm = tables.norm("LayerNorm")
        self._layers = [_layer(named.under(f"encoder.layer.{number}")) for number in range(config["num_hidden_layers"])]

    @property
    def dimension(self) -> int:
        """The length of its vectors."""
        return self._words.shape[1]

    def words(self, texts: Sequence[str]) -> list[Tensor]:
        """The float32 vectors of the word pieces of each text, those that mark its beginning and end among them; shapes
        (pieces, dimension). What is too long for the model is cut.
        """
        found: list[Tensor] = [torch.empty(0)] * len(texts)
        for place, vectors in self._in_batches(texts):
            found[place] = vectors
        return found

    def means(self, texts: Sequence[str]) -> Tensor:
        """The mean of the vectors of each text's word pieces, at unit length, shape (texts, dimension)."""
        found = torch.empty(len(texts), self.dimension)
        for place, vectors in self._in_batches(texts):
            found[place] = functional.normalize(vectors.mean(dim=0), dim=0)
        return found

    def _in_batches(self, texts: Sequence[str]) -> Iterator[tuple[int, Tensor]]:
        if not texts:
            return
        ids = self._tokenizer(list(texts), truncation=True, max_length=self._longest)["input_ids"]
        # Texts of one length share their attention.
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        for places in _batches(order, [len(one) for one in ids]):
            yield from zip(places, self._encoded([ids[place] for place in places]), strict=True)

    @computed
    @torch.inference_mode()
    def _encoded(self, ids: Sequence[Sequence[int]]) -> Sequence[Tensor]:
        lengths = [len(one) for one in ids]
        positions = torch.cat([torch.arange(length) for length in lengths])
        tokens = torch.tensor([token for one in ids for token in one])
        rows = self._norm(self._words[tokens] + self._type + self._positions[positions])
        for layer in self._layers:
            seen = self._attended(layer.query_key_value(rows), lengths)
            rows = layer.attended_norm(layer.attended(seen) + rows)
            rows = layer.narrow_norm(layer.narrow(functional.gelu(layer.wide(rows))) + rows)
        return torch.split(rows.float(), lengths)

    def _attended(self, parts: Tensor, lengths: Sequence[int]) -> Tensor:
        """What each word takes from those of its own text; `lengths` ascend."""
        size = parts.shape[-1] // 3
        seen = torch.empty(len(parts), size, dtype=parts.dtype)
        end = 0
        for length, equal in groupby(lengths):
            count = sum(1 for _ in equal)
            start, end = end, end + count * length
            query, key, value = (
                part.view(count, length, self._heads, -1).transpose(1, 2)
                for part in torch.split(parts[start:end], size, dim=-1)
            )
            found = functional.scaled_dot_product_attention(query, key, value)
            seen[start:end] = found.transpose(1, 2).reshape(count * length, size)
        return seen


def load_encoder(folder: Path, *, kind: torch.dtype) -> Encoder | None:
    """The encoder of a folder in the format of `sentence-transformers`, in numbers of that kind; None if such a model
    does anything else than here, or more.

    Raises OSError, ValueError, TypeError, KeyError or SafetensorError for a file that is damaged.
    """
    config, limits, more = (
        _read(folder / name)
        for name in ("config.json", "sentence_bert_config.json", "config_sentence_transformers.json")
    )
    file, longest = folder / "model.safetensors", limits.get("max_seq_length")
    if (
        not file.is_file()
        or not _averages(folder)
        or not config.keys() >= _SIZES
        or config.get("model_type") != "bert"
        or config.get("hidden_act") != "gelu"
        or config.get("position_embedding_type", "absolute") != "absolute"
        or config.get("is_decoder", False)
        or limits.get("do_lower_case", False)
        or more.get("default_prompt_name")
        or longest is None
    ):
        return None
    weights = {
        name: tensor.to(kind) if tensor.is_floating_point() else tensor for name, tensor in load_file(file).items()
    }
    with TRANSFORMERS:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return Encoder(weights, config, tokenizer, longest=longest)


def _averages(folder: Path) -> bool:
    """Whether its vectors are the mean of those of the word pieces, brought to unit length."""
    modules = folder / "modules.json"
    steps = json.loads(modules.read_text(encoding="utf-8")) if modules.is_file() else []
    kinds = [step["type"].rsplit(".", 1)[-1] for step in steps]
    if kinds != ["Transformer", "Pooling", "Normalize"] or steps[0]["path"]:
        return False
    pooling = _read(folder / steps[1]["path"] / "config.json")
    if "pooling_mode" in pooling:
        return bool(pooling["pooling_mode"] == "mean")
    # Older files have a flag for each way of pooling.
    return [name for name in pooling if name.startswith("pooling_mode_") and pooling[name]] == [
        "pooling_mode_mean_tokens"
    ]


def _read(file: Path) -> dict[str, Any]:
    """What a file says; nothing if it is not there. Raises ValueError if it is no JSON object."""
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if not isinstance(found, dict):
        raise ValueError(f"{file.name} holds no object")
    return found


@dataclass(frozen=True, slots=True)
class _Named:
    """The weights whose names begin alike."""

    weights: Mapping[str, Tensor]
    epsilon: float
    prefix: str = ""

    def __getitem__(self, name: str) -> Tensor:
        return self.weights[self.prefix + name]

    def under(self, name: str) -> "_Named":
        return _Named(self.weights, self.epsilon, f"{self.prefix}{name}.")

    def norm(self, name: str) -> _Norm:
        weight, bias = self[f"{name}.weight"], self[f"{name}.bias"]
        return lambda rows: functional.layer_norm(rows, weight.shape, weight, bias, self.epsilon)

    def product(self, *names: str) -> Product:
        """One product for linear layers that read the same rows."""
        weights, biases = ([self[f"{name}.{part}"] for name in names] for part in ("weight", "bias"))
        return float_product(torch.cat(weights), torch.cat(biases), rows=_USUAL_TOKENS)


def _layer(named: _Named) -> _Layer:
    return _Layer(
        query_key_value=named.product("attention.self.query", "attention.self.key", "attention.self.value"),
        attended=named.product("attention.output.dense"),
        attended_norm=named.norm("attention.output.LayerNorm"),
        wide=named.product("intermediate.dense"),
        narrow=named.product("output.dense"),
        narrow_norm=named.norm("output.LayerNorm"),
    )


def _batches(order: Sequence[int], lengths: Sequence[int]) -> list[Sequence[int]]:
    """`order` in pieces of at most `_TOKENS_AT_ONCE` tokens, or one text."""
    ends, tokens = [0], 0
    for place, text in enumerate(order):
        if tokens and tokens + lengths[text] > _TOKENS_AT_ONCE:
            ends.append(place)
            tokens = 0
        tokens += lengths[text]
    return [order[start:end] for start, end in pairwise([*ends, len(order)])]
