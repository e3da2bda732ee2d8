"""A causal model with int8 weights (`rag/int8_linear.py`), stored once as such.

Half the bytes of bfloat16: a word is written in less than two thirds of the time, since writing is reading the weights.
Without bfloat16 instructions PyTorch falls back to a slow reference (measured: 18 GFLOP/s, against 144 in int8 on two
cores with AVX2). Embeddings and the output layer stay bfloat16; all else is bfloat16 where the processor has
instructions for it, else float32.
"""

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from index.errors import ResourceError
from rag.int8_linear import OneDnnLinear, Recent, int8_linear, quantise

_FORMAT = {"format": "byline-int8-2"}


class _FloatEmbedding(nn.Module):
    """A bfloat16 table whose rows come out as float32."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.table = embedding

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        rows: torch.Tensor = self.table(ids)
        return rows.float()


class _FloatHead(nn.Module):
    """A bfloat16 output layer with float32 around it."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = linear.weight

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(rows.to(self.weight.dtype), self.weight).float()


def load_int8(folder: Path, *, stored: Path) -> Any:
    """The causal language model in `folder` with int8 weights; they are kept in the file `stored`.

    Quantising takes half a minute, so it is done once. Afterwards the file alone is read: it holds all weights, and the
    published ones are not touched. Expects the usual layout of `transformers`: `model.model.layers`,
    `model.model.embed_tokens`, `model.lm_head`. Raises what `from_pretrained` raises, and ResourceError.
    """
    if not _readable(stored):
        _save(_quantised(_published(folder)), stored)
    with safe_open(stored, framework="pt") as file:
        return _assembled(folder, file)


def _published(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, local_files_only=True)


def _quantised(model: Any) -> dict[str, torch.Tensor]:
    """All weights by name: of the decoder's `Linear` layers in int8 with their scales, the others as they are."""
    tensors = dict(model.state_dict())
    if model.config.tie_word_embeddings:
        tensors.pop("lm_head.weight")
    for name, _, linear in _linears(model):
        tensors[f"{name}.weight"], tensors[f"{name}.scales"] = quantise(linear.weight)
    return tensors


def _assembled(folder: Path, file: Any) -> Any:
    """The model's modules, made without memory for weights, around the tensors of `file`."""
    from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
    names = set(file.keys())
    inside = {f"{name}.{part}" for name, _, _ in _linears(model) for part in ("weight", "bias", "scales")}
    rest = {name: file.get_tensor(name) for name in names - inside}
    if config.tie_word_embeddings:
        rest["lm_head.weight"] = rest["model.embed_tokens.weight"]
    _replace(model, file, names)
    model.load_state_dict(rest, strict=False, assign=True)
    # Its buffers are computed, not stored.
    model.model.rotary_emb = type(model.model.rotary_emb)(config)
    left = [name for name, tensor in (*model.named_parameters(), *model.named_buffers()) if tensor.is_meta]
    if left:
        raise ValueError(f"int8 does not fit this kind of model: {left[0]} has no weights; use another precision")
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        model.model.layers.float()
        model.model.norm.float()
        model.model.embed_tokens = _FloatEmbedding(model.model.embed_tokens)
        model.lm_head = _FloatHead(model.lm_head)
    if (folder / "generation_config.json").exists():
        model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    return model


def _linears(model: Any) -> Iterator[tuple[str, nn.Module, nn.Linear]]:
    """Every linear layer of the decoder, with its full name and its parent."""
    for prefix, parent in list(model.model.layers.named_modules(prefix="model.layers")):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear):
                yield f"{prefix}.{name}", parent, child


def _replace(model: Any, file: Any, names: set[str]) -> None:
    layers = list(_linears(model))

    def packed(place: int) -> nn.Module:
        name = layers[place][0]
        bias = file.get_tensor(f"{name}.bias") if f"{name}.bias" in names else None
        return int8_linear(file.get_tensor(f"{name}.weight"), file.get_tensor(f"{name}.scales"), bias)

    recent = Recent()
    # Packing takes most of the time, uses one core and lets go of the interpreter's lock.
    with warnings.catch_warnings(), ThreadPoolExecutor(torch.get_num_threads()) as threads:
        # PyTorch announces the end of FBGEMM's operators. The pinned version has them, and nothing newer is as fast
        # without int8 instructions (docs/lab-notes.md).
        warnings.filterwarnings("ignore", message=r"torch\.quantize_per_tensor", category=UserWarning)
        for (name, parent, _), layer in zip(layers, threads.map(packed, range(len(layers))), strict=True):
            if isinstance(layer, OneDnnLinear):
                layer.recent = recent
            setattr(parent, name.rsplit(".", 1)[-1], layer)


def _readable(stored: Path) -> bool:
    """Whether the file is there and whole; a broken one is written anew."""
    if not stored.exists():
        return False
    try:
        with safe_open(stored, framework="pt") as file:
            return bool(file.metadata() == _FORMAT)
    except SafetensorError:
        return False


def _save(weights: dict[str, torch.Tensor], stored: Path) -> None:
    stored.parent.mkdir(parents=True, exist_ok=True)
    # One name for all processes, under a lock: what a killed one left half-made is overwritten, not kept.
    temporary = stored.with_name(f".{stored.name}.tmp")
    with FileLock(stored.with_name(f".{stored.name}.lock")):
        try:
            save_file(weights, temporary, metadata=_FORMAT)
            os.replace(temporary, stored)
        except OSError as error:
            raise ResourceError(
                f"The int8 weights ({sum(map(_bytes, weights.values())) / 1e9:.1f} GB) could not be stored in "
                f"{stored.parent}: {error}.",
                help="Make room, or set BYLINE_HOME to a folder with more; BYLINE_PRECISION=float32 does without.",
            ) from error
        finally:
            temporary.unlink(missing_ok=True)


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
