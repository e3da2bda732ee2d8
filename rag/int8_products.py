"""Products of rows and a weight matrix in int8, in the way that fits the processor.

Weights have one scale per output channel and rows one scale each. One scale for all rows of a prompt would
cost truth: a few of them are a hundred times larger than the others, which would be rounded to almost nothing. A second
int8 number for what the first one leaves of each value makes rows nearly exact; it costs nothing where rows are few,
since time goes into reading the weights then (docs/lab-notes.md).
"""

from typing import Any

import torch
from torch import Tensor

from index.precisions import has_int8_instructions, has_signed_int8_instructions
from index.products import Product

FEW_ROWS = 16
"""Up to as many rows, a second int8 number for each value takes no longer."""

LEAST_ROWS = 4
"""oneDNN's products with VNNI read the weights faster for as many rows than for one or two, so others that nobody looks
at are put below them: a token takes a quarter less time (docs/lab-notes.md)."""

NOUGHT = 0 if has_signed_int8_instructions() else 128
"""What stands for nought in the rows of a `OneDnnProduct`: 128 makes unsigned numbers of int8 ones."""

_SMALLEST = 1e-12
_LEVELS = 127
_BLOCK = 500_000  # values that are quantised at a time, so that they stay in the processor's cache


def quantise(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Symmetric int8 with one scale per output channel: int8 weights and float32 scales."""
    weight = weight.detach().float()
    scales = weight.abs().amax(dim=1).clamp(min=_SMALLEST) / _LEVELS
    return weight.div(scales[:, None]).round_().to(torch.int8), scales


def int8_product(weight: Tensor, scales: Tensor, bias: Tensor | None, *, exact: bool = False) -> Product:
    """The product with these weights in the way that is the fastest on this processor.

    `weight` is int8 of shape (outputs, inputs), `scales` float32 of shape (outputs,): the true weight is their product.
    `exact`: rows get a second number each also where they are many.
    """
    if has_int8_instructions():
        return OneDnnProduct(weight, scales, bias, exact=exact)
    return FbgemmProduct(weight, scales, bias)


class OneDnnProduct:
    """For processors with int8 instructions: exact sums of products of int8 numbers, scaled afterwards."""

    def __init__(self, weight: Tensor, scales: Tensor, bias: Tensor | None, *, exact: bool = False) -> None:
        self._packed = torch.ops.onednn.qlinear_prepack(weight, None)
        self._scales = scales
        self._zeros = torch.zeros(len(scales), dtype=torch.int64)
        self.bias = bias
        self._exact = exact

    def __call__(self, rows: Tensor) -> Tensor:
        """`rows @ weight.T + bias`."""
        if self._exact or len(rows) <= FEW_ROWS:
            (large, small), sizes = quantise_twice(rows)
            whole = self.multiplied(torch.cat([large, small]))
            product = torch.add(whole[: len(rows)], whole[len(rows) :], alpha=1 / _LEVELS).mul_(sizes).to(rows.dtype)
        else:
            quantised, sizes = quantise_rows(rows)
            product = self.multiplied(quantised, rows.dtype).mul_(sizes.to(rows.dtype))
        return product if self.bias is None else product.add_(self.bias)

    def multiplied(self, rows: Tensor, kind: torch.dtype = torch.float32) -> Tensor:
        """int8 rows with the true weights, not scaled as the rows were and without bias, in that kind of number.

        uint8 rows are int8 ones above 128. Both give the same, where the processor multiplies both.
        """
        if NOUGHT and rows.dtype == torch.int8:
            rows = rows.view(torch.uint8) ^ NOUGHT  # the same as adding it
        nought = 128 if rows.dtype == torch.uint8 else 0
        wanted = len(rows)
        if wanted < LEAST_ROWS:
            room = rows.new_empty(LEAST_ROWS, rows.shape[1])
            room[:wanted] = rows
            rows = room
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            rows, 1.0, nought, self._packed, self._scales, self._zeros, None, 1.0, 0, kind, "none", [], ""
        )
        return product[:wanted]


class FbgemmProduct:
    """For processors with AVX2 and no int8 instructions.

    `linear_dynamic` takes one scale for a whole tensor, so each row is brought to a largest magnitude of 1 first, which
    makes that scale fit every row.
    """

    def __init__(self, weight: Tensor, scales: Tensor, bias: Tensor | None) -> None:
        zeros = torch.zeros(len(scales), dtype=torch.int64)
        quantised = torch._make_per_channel_quantized_tensor(weight, scales.double(), zeros, 0)
        self._packed: Any = torch.ops.quantized.linear_prepack(quantised, None)
        self._bias = bias

    def __call__(self, rows: Tensor) -> Tensor:
        """`rows @ weight.T + bias`."""
        exact = rows.float()
        largest = exact.abs().amax(dim=-1, keepdim=True).clamp(min=_SMALLEST)
        product: Tensor = torch.ops.quantized.linear_dynamic(exact / largest, self._packed, False)
        product = (product * largest).to(rows.dtype)
        return product if self._bias is None else product.add_(self._bias)


def quantise_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Each row with a scale of its own: int8 of the shape of `rows`, (n, inputs), and float32 scales, shape (n, 1)."""
    quantised, sizes = torch.empty(rows.shape, dtype=torch.int8), _sizes(rows)
    for part in _blocks(rows):
        quantised[part] = (rows[part].float() / sizes[part]).round_()
    return quantised, sizes


def quantise_twice(rows: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Each value as two int8 numbers and its row's scale: value = scale x (first + second / 127), but for a rest below
    scale / 127.
    """
    large, small = (torch.empty(rows.shape, dtype=torch.int8) for _ in range(2))
    sizes = _sizes(rows)
    for part in _blocks(rows):
        scaled = rows[part].float() / sizes[part]
        large[part] = scaled  # towards zero, so that the rest is within 127 levels as well
        small[part] = scaled.sub_(large[part]).mul_(_LEVELS)
    return (large, small), sizes


def _sizes(rows: Tensor) -> Tensor:
    return rows.abs().amax(dim=-1, keepdim=True).float().clamp_(min=_SMALLEST).div_(_LEVELS)


def _blocks(rows: Tensor) -> list[slice]:
    step = max(1, _BLOCK // max(1, rows.shape[-1]))
    return [slice(start, start + step) for start in range(0, len(rows), step)]
