"""Weights in files: single tensors read without the rest, and int8 weights, stored once in a file of their own.

int8 is half the bytes of bfloat16, and writing a word is reading the weights (docs/lab-notes.md).
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from index.errors import ResourceError
from rag.int8_products import quantise

_FORMAT = {"format": "byline-int8-3"}


def int8_weights(stored: Path, weights: Callable[[], Mapping[str, Callable[[], Tensor]]]) -> Path:
    """The file of int8 weights; where it is missing, broken or of an older format, it is made from `weights()`: how to
    read each by its name.

    Matrices (names that end in ".weight") become int8 with their scales under ".scales"; all else stays as it is.
    Raises ResourceError if there is no room for the file.
    """
    if not _readable(stored):
        _save(_quantised(weights()), stored)
    return stored


def names_in(path: Path) -> frozenset[str]:
    """The names of the tensors in a file of weights."""
    with safe_open(path, framework="pt") as file:
        return frozenset(file.keys())


def tensor_in(path: Path, name: str) -> Tensor:
    """A tensor of a file of weights, which stays there: only what is used of it comes into memory.

    It has a mapping of the file to itself, since memory is given back mapping by mapping.
    """
    with safe_open(path, framework="pt") as file:
        tensor: Tensor = file.get_tensor(name)
    return tensor


def _quantised(weights: Mapping[str, Callable[[], Tensor]]) -> dict[str, Tensor]:
    tensors = {}
    for name, read in weights.items():
        if name.endswith(".weight"):
            tensors[name], tensors[f"{name.removesuffix('.weight')}.scales"] = quantise(read())
        else:
            tensors[name] = read().contiguous()
    return tensors


def _readable(stored: Path) -> bool:
    if not stored.exists():
        return False
    try:
        with safe_open(stored, framework="pt") as file:
            return bool(file.metadata() == _FORMAT)
    except SafetensorError:
        return False


def _save(weights: dict[str, Tensor], stored: Path) -> None:
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
                help="Make room, or set BYLINE_HOME to a folder with more; BYLINE_PRECISION=bfloat16 does without.",
            ) from error
        finally:
            temporary.unlink(missing_ok=True)


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
