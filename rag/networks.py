"""How the layers of a language model are computed, behind one seam: tokens in, hidden states and logits out."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import torch
from torch import Tensor

from index.importing import TRANSFORMERS
from index.precisions import best_precision, has_bfloat16_instructions
from rag.adapter import Adapter
from rag.decoder_weights import load_decoder, read_config


class Memory(Protocol):
    """What a network keeps of the tokens it has read; its length is their number."""

    def __len__(self) -> int: ...

    def crop(self, length: int) -> None:
        """Forget all tokens after the first `length`."""
        ...

    def copy(self, length: int) -> Self:
        """A memory of its own of the first `length` tokens."""
        ...


class Network(Protocol):
    """The layers of a causal language model."""

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end a reply."""
        ...

    def empty(self) -> Any:
        """A memory of nothing read yet."""
        ...

    def read(
        self, ids: Sequence[int], memory: Any, *, wanted: int, adapter: Adapter | None = None, adapted: int = 0
    ) -> Tensor:
        """The last hidden states of the last `wanted` of these tokens, shape (wanted, hidden size). All join `memory`,
        which must come from `empty` of this network. An interruption leaves memory of no use or as it was before, and
        its length says which: 0 or the old one.

        With an adapter, which only our own decoders can have, the last `adapted` tokens are read with it. They are of
        no use for anything else then, and are to be forgotten.
        """
        ...

    def logits(self, hidden: Tensor) -> Tensor:
        """The float32 logits of the next token after each of these hidden states, shape (n, vocabulary)."""
        ...

    def logits_of(self, tokens: Sequence[int], hidden: Tensor) -> Tensor:
        """The logits of these next tokens alone after one hidden state, computed in float32, shape (tokens,)."""
        ...


def load_network(folder: Path, *, precision: str, int8_file: Path) -> Network:
    """The model in `folder` in that precision ("auto": the fastest here that its kind can be computed in).

    Raises OSError, ValueError or RuntimeError where the weights do not load, and ResourceError where there is no room
    for the int8 ones.
    """
    kind = best_precision() if precision == "auto" else precision
    decoder = load_decoder(folder, precision=kind, int8_file=int8_file)
    if decoder is not None:
        return decoder
    if kind == "int8" and precision == "auto":
        kind = "bfloat16" if has_bfloat16_instructions() else "float32"
    if kind == "int8":
        family = read_config(folder).get("model_type", "unknown")
        raise ValueError(f"int8 does not fit this kind of model ({family}); use another precision")
    return TransformersNetwork(folder, precision=kind)


class TransformersNetwork:
    """Any causal language model that `transformers` knows."""

    def __init__(self, folder: Path, *, precision: str) -> None:
        kind = torch.float32 if precision == "float32" else torch.bfloat16
        with TRANSFORMERS:
            from transformers import AutoModelForCausalLM, DynamicCache
            from transformers.utils import logging

            logging.disable_progress_bar()
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=kind, local_files_only=True)
        self._model: Any = model.eval()
        self._cache = DynamicCache
        ends = model.generation_config.eos_token_id
        self.ends = frozenset(ends if isinstance(ends, list) else () if ends is None else [ends])

    def empty(self) -> "TransformersMemory":
        """A memory of nothing read yet."""
        return TransformersMemory(self._cache(config=self._model.config))

    @torch.inference_mode()
    def read(
        self,
        ids: Sequence[int],
        memory: "TransformersMemory",
        *,
        wanted: int,
        adapter: Adapter | None = None,
        adapted: int = 0,
    ) -> Tensor:
        """See `Network.read`."""
        assert adapter is None, "no adapter is trained for this kind of model"
        try:
            output = self._model.base_model(
                input_ids=torch.tensor([list(ids)]), past_key_values=memory.cache, use_cache=True
            )
        except BaseException:
            # An interrupted pass leaves some layers longer than others; nothing of it may be used again.
            memory.cache = self.empty().cache
            raise
        hidden: Tensor = output.last_hidden_state[0, -wanted:]
        return hidden

    @torch.inference_mode()
    def logits(self, hidden: Tensor) -> Tensor:
        """See `Network.logits`."""
        logits: Tensor = self._model.get_output_embeddings()(hidden).float()
        return logits

    @torch.inference_mode()
    def logits_of(self, tokens: Sequence[int], hidden: Tensor) -> Tensor:
        """See `Network.logits_of`."""
        rows: Tensor = self._model.get_output_embeddings().weight[list(tokens)].float()
        return rows @ hidden.reshape(-1).float()


class TransformersMemory:
    """Implements `Memory` with a cache of `transformers`."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def __len__(self) -> int:
        return int(self.cache.get_seq_length())

    def crop(self, length: int) -> None:
        """Forget all tokens after the first `length`."""
        if length < len(self):
            # Since transformers 5.18 crop() takes the *negative* number of tokens to forget.
            self.cache.crop(length - len(self))

    def copy(self, length: int) -> "TransformersMemory":
        """A memory of its own of the first `length` tokens."""
        copied = TransformersMemory(copy.deepcopy(self.cache))
        copied.crop(length)
        return copied
