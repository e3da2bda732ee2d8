"""A causal model with int8 weights, for processors without bfloat16 arithmetic (AVX2 and no more).

There PyTorch's bfloat16 matrix product falls back to a slow reference (measured: 18 GFLOP/s, against 58 in float32 and
144 in int8, on two cores), so each `Linear` of the decoder gets int8 weights with a scale per output channel.
Activations are quantised with one scale per token: each row is brought to a largest magnitude of 1 first, so that the
one scale that `linear_dynamic` takes for a whole tensor fits every row. One scale for rows of different size would
cost truth. Embeddings and the output layer stay bfloat16, all else is float32.
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

_SMALLEST = 1e-12
_FORMAT = {"format": "byline-int8-2"}


class Int8Linear(nn.Module):
    """A linear layer over the last dimension, float32 in and out, with int8 weights.

    `weight` is int8 of shape (outputs, inputs), `scales` float32 of shape (outputs,): the true weight is their product.
    """

    def __init__(self, weight: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        zeros = torch.zeros(len(scales), dtype=torch.int64)
        quantised = torch._make_per_channel_quantized_tensor(weight, scales.double(), zeros, 0)
        self._packed = torch.ops.quantized.linear_prepack(quantised, None)
        self.bias = None if bias is None else nn.Parameter(bias.float(), requires_grad=False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """`rows @ weight.T + bias`, shape (…, inputs) to (…, outputs)."""
        largest = rows.abs().amax(dim=-1, keepdim=True).clamp(min=_SMALLEST)
        product: torch.Tensor = torch.ops.quantized.linear_dynamic(rows / largest, self._packed, False)
        product = product * largest
        return product if self.bias is None else product + self.bias


def quantise(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Symmetric int8 with one scale per output channel: int8 weights and float32 scales."""
    weight = weight.detach().float()
    scales = weight.abs().amax(dim=1).clamp(min=_SMALLEST) / 127
    return weight.div_(scales[:, None]).round_().to(torch.int8), scales


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

    def packed(place: int) -> Int8Linear:
        name = layers[place][0]
        bias = file.get_tensor(f"{name}.bias") if f"{name}.bias" in names else None
        return Int8Linear(file.get_tensor(f"{name}.weight"), file.get_tensor(f"{name}.scales"), bias)

    # Packing takes most of the time, uses one core and lets go of the interpreter's lock.
    with warnings.catch_warnings(), ThreadPoolExecutor(torch.get_num_threads()) as threads:
        # PyTorch announces the end of these operators. The pinned version has them, and nothing newer is as fast
        # without VNNI instructions (docs/lab-notes.md).
        warnings.filterwarnings("ignore", message=r"torch\.quantize_per_tensor", category=UserWarning)
        for (name, parent, _), layer in zip(layers, threads.map(packed, range(len(layers))), strict=True):
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
