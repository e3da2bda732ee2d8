"""Vectors of words by a model of the BERT family, computed with few operations and without padding.

The same numbers as `sentence-transformers` gives, which loads the model, computes all other kinds and is the reference
in the tests. What makes it faster: texts of any length stand one after another in the same products, which only
attention tells apart; query, key and value are one product; no text waits for a longer one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from index.computing import computed
from index.products import Product, float_product

_TOKENS_AT_ONCE = 2_048
_USUAL_TOKENS = 64  # between a question and a batch of passages


@dataclass(frozen=True, slots=True)
class _Layer:
    query_key_value: Product
    attended: Product
    attended_norm: Any
    wide: Product
    narrow: Product
    narrow_norm: Any


class Encoder:
    """The layers of a BERT, with the tokenizer that its texts go through."""

    def __init__(self, bert: Any, tokenizer: Any, *, longest: int) -> None:
        self._tokenizer = tokenizer
        self._longest = longest
        self._heads = bert.config.num_attention_heads
        self._tables = bert.embeddings
        self._layers = [_layer(layer) for layer in bert.encoder.layer]

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
        found = torch.empty(len(texts), self._tables.word_embeddings.weight.shape[1])
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
        tables = self._tables
        rows = tables.LayerNorm(
            tables.word_embeddings(torch.tensor([token for one in ids for token in one]))
            + tables.token_type_embeddings.weight[0]
            + tables.position_embeddings(positions)
        )
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


def encoder_of(model: Any) -> Encoder | None:
    """The encoder of a loaded `SentenceTransformer`; None if it does anything else than here, or more."""
    steps = list(model)[1:]
    averages = [type(step).__name__ for step in steps] == ["Pooling", "Normalize"] and steps[0].pooling_mode == "mean"
    bert = getattr(model[0], "auto_model", None)
    config = getattr(bert, "config", None)
    if (
        config is None
        or not averages
        or model.default_prompt_name
        or config.model_type != "bert"
        or config.hidden_act != "gelu"
        or getattr(config, "position_embedding_type", "absolute") not in (None, "absolute")
        or config.is_decoder
        or model.max_seq_length is None
    ):
        return None
    return Encoder(bert, model.tokenizer, longest=model.max_seq_length)


def _layer(layer: Any) -> _Layer:
    attention, own = layer.attention, layer.attention.self
    return _Layer(
        query_key_value=_product(own.query, own.key, own.value),
        attended=_product(attention.output.dense),
        attended_norm=attention.output.LayerNorm,
        wide=_product(layer.intermediate.dense),
        narrow=_product(layer.output.dense),
        narrow_norm=layer.output.LayerNorm,
    )


def _product(*layers: Any) -> Product:
    """One product for linear layers that read the same rows."""
    weights, biases = ([getattr(layer, name).detach() for layer in layers] for name in ("weight", "bias"))
    return float_product(torch.cat(weights), torch.cat(biases), rows=_USUAL_TOKENS)


def _batches(order: Sequence[int], lengths: Sequence[int]) -> list[Sequence[int]]:
    """`order` in pieces of at most `_TOKENS_AT_ONCE` tokens, or one text."""
    ends, tokens = [0], 0
    for place, text in enumerate(order):
        if tokens and tokens + lengths[text] > _TOKENS_AT_ONCE:
            ends.append(place)
            tokens = 0
        tokens += lengths[text]
    return [order[start:end] for start, end in pairwise([*ends, len(order)])]
