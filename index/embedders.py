"""Texts into vectors: the real embedder, and one that needs no model.

An embedder has a `name` and a `fingerprint` (of its weights); an index made with one is not asked with
another.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from index.computing import apart, computed
from index.errors import ModelError, ResourceError
from index.importing import TRANSFORMERS
from index.layout import tidy
from index.types import Vectors

if TYPE_CHECKING:
    from index.encoder import Encoder

EMBEDDERS: dict[str, str] = {
    "sentence-transformers": "index.embedders:SentenceTransformerEmbedder",
    "hashing": "index.embedders:HashingEmbedder",
}
"""Kind of embedder → "module:class"."""


class Embedder(Protocol):
    """Turns passages and questions into comparable vectors of unit length."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors of the same text would."""
        ...

    @property
    def precision(self) -> str:
        """The numbers it computes with on this machine. Vectors made with others can be compared with its own."""
        ...

    @property
    def dimension(self) -> int:
        """Length of its vectors. May load the model."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages or sentences, shape (len(texts), dimension)."""
        ...

    def embed_question(self, text: str) -> Vectors:
        """The vector of one question, shape (dimension,)."""
        ...

    def embed_words(self, texts: Sequence[str]) -> list[Vectors] | None:
        """The vectors of the words (or word pieces) of each text, shapes (words, dimension), rows of unit length; None
        if it has none."""
        ...


class SentenceTransformerEmbedder:
    """A sentence-transformers model in a local folder: on the CPU, offline, loaded at the first use.

    Reads only the first 256 word pieces or so of a text (the model's own limit). Safe to use from several
    threads. Where the processor has instructions for bfloat16 it computes with these numbers, in a third of the time;
    the rankings are the same (docs/results/scale.md).
    """

    def __init__(
        self, folder: Path, *, name: str, fingerprint: str, batch_size: int = 32, precision: str | None = None
    ) -> None:
        self._folder = folder
        self._batch_size = batch_size
        self._precision = precision
        self._loaded: tuple[Encoder | None, Any] | None = None
        self._loading = threading.Lock()
        self._asked: tuple[str | None, Any] = (None, None)
        self.name = name
        self.fingerprint = fingerprint

    @property
    def precision(self) -> str:
        """bfloat16 where the processor has it, else float32; or what was asked for."""
        if self._precision is None:
            import torch

            self._precision = "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"
        return self._precision

    @property
    def dimension(self) -> int:
        """Length of the model's vectors. Loads the model."""
        encoder, model = self._model()
        dimension = encoder.dimension if encoder else model.get_embedding_dimension()
        if not dimension:
            raise ModelError(f"The embedder {self.name} does not say how long its vectors are.")
        return int(dimension)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages or sentences; sorted by length and batched inside."""
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return self._encode([_encodable(text) for text in texts])

    def embed_question(self, text: str) -> Vectors:
        """The vector of one question."""
        encoder, _ = self._model()
        if encoder is None:
            return np.asarray(self._encode([_encodable(text)])[0])
        (words,) = encoder.words([_encodable(text)])
        self._asked = (text, words)  # the pass for its vector made them as well
        return _unit_length(words.numpy().mean(axis=0))

    def embed_words(self, texts: Sequence[str]) -> list[Vectors] | None:
        """The vectors of the word pieces of each text, without those that mark its beginning and end."""
        encoder, model = self._model()
        asked, words_of_asked = self._asked
        if list(texts) == [asked]:
            found = [words_of_asked]
        elif encoder is not None:
            found = encoder.words([_encodable(text) for text in texts])
        else:
            found = computed(model.encode)(
                [_encodable(text) for text in texts],
                batch_size=self._batch_size,
                output_value="token_embeddings",
                convert_to_numpy=False,
                show_progress_bar=False,
            )
        return [_unit_length(words[1:-1].float().numpy()) for words in found]

    def _encode(self, texts: list[str]) -> Vectors:
        encoder, model = self._model()
        try:
            if encoder is not None:
                return np.ascontiguousarray(encoder.means(texts).numpy())
            vectors = computed(model.encode)(
                texts,
                batch_size=self._batch_size,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        except MemoryError as error:
            raise ResourceError(f"Not enough memory to embed {len(texts)} texts with {self.name}.") from error
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def _model(self) -> "tuple[Encoder | None, Any]":
        """Our own encoder, or the model of `sentence-transformers` where that does something else."""
        with self._loading:
            if self._loaded is None:
                self._loaded = apart(self._load)()
            return self._loaded

    def _load(self) -> "tuple[Encoder | None, Any]":
        if not self._folder.is_dir():
            raise ModelError(
                f"The embedder {self.name} is not at {self._folder}.",
                help="`byline models fetch` brings it there.",
            )
        import torch
        from safetensors import SafetensorError

        from index.encoder import load_encoder

        try:
            encoder = load_encoder(self._folder, kind=getattr(torch, self.precision))
            if encoder is not None:
                return encoder, None
            with TRANSFORMERS:
                model = _load_quietly(self._folder)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"The embedder {self.name} in {self._folder} cannot be loaded: {error}",
                help="`byline models verify` tells whether its files are damaged.",
            ) from error
        model.eval()
        if self.precision == "bfloat16":
            _compute_in_bfloat16(model[0])
        return None, model


def _load_quietly(folder: Path) -> Any:
    """The model, without the bar for a second's work that would be written into the terminal, whoever uses it."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    shows_bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    finally:
        if shows_bars:
            logging.enable_progress_bar()


def _unit_length(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)


def _compute_in_bfloat16(transformer: Any) -> None:
    """Only the layers: what comes out of them is averaged and brought to unit length in float32."""

    def widen(_: object, __: object, features: dict[str, Any]) -> None:
        features["token_embeddings"] = features["token_embeddings"].float()

    transformer.bfloat16()
    transformer.register_forward_hook(widen)


class HashingEmbedder:
    """Vectors from hashed words and character n-grams: no model, no download, the same on every machine.

    Texts that share words, or parts of words, have similar vectors; meaning is beyond it. For tests, and for
    trying Byline out where no model can be had.
    """

    name = "hashing"
    fingerprint = "hashing-256-v1"
    precision = "float64"
    dimension = 256

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages or sentences."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float64)
        for row, text in zip(vectors, texts, strict=True):
            for feature, weight in _features(text):
                position, sign = _bucket(feature)
                row[position] += sign * weight
            if not row.any():
                row[0] = 1.0
            row /= np.linalg.norm(row)
        return vectors.astype(np.float32)

    def embed_words(self, texts: Sequence[str]) -> list[Vectors] | None:
        """None: its vectors are of words already."""
        return None

    def embed_question(self, text: str) -> Vectors:
        """The vector of one question."""
        vector: Vectors = self.embed_passages([text])[0]
        return vector


def _features(text: str) -> Iterator[tuple[str, float]]:
    """Words, and the 4-grams of longer words, each with a weight; short words, mostly grammar, weigh
    little."""
    words = "".join(character if character.isalnum() else " " for character in tidy(text).casefold()).split()
    for word, count in Counter(words).items():
        frequency = 1.0 + np.log(count)
        yield f"word {word}", (1.0 if len(word) > 3 or word[0].isdigit() else 0.3) * frequency
        if len(word) > 4:
            grams = [word[start : start + 4] for start in range(len(word) - 3)]
            for gram in grams:
                yield f"gram {gram}", 0.7 * frequency / len(grams) ** 0.5


@lru_cache(maxsize=200_000)
def _bucket(feature: str) -> tuple[int, float]:
    digest = hashlib.blake2b(_encodable(feature).encode(), digest_size=8).digest()
    return digest[0], 1.0 if digest[1] & 1 else -1.0


def _encodable(text: str) -> str:
    """The text with lone surrogates replaced: tokenizers cannot take them."""
    return text.encode("utf-8", "replace").decode("utf-8")
