"""Linear layers with int8 weights: one scale per output channel, and one per token for what they multiply.

One scale for all tokens of a prompt would cost truth: a few of them are a hundred times larger than the others, which
would be rounded to almost nothing (docs/lab-notes.md). Both ways of computing give back the kind of number they take.
"""

from typing import Any

import torch
from torch import nn

_SMALLEST = 1e-12
_ZERO_POINT = 128


def quantise(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Symmetric int8 with one scale per output channel: int8 weights and float32 scales."""
    weight = weight.detach().float()
    scales = weight.abs().amax(dim=1).clamp(min=_SMALLEST) / 127
    return weight.div_(scales[:, None]).round_().to(torch.int8), scales


def quantise_rows(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each row with a scale of its own: uint8 around 128, shape of `rows`, and float32 scales, shape (…, 1)."""
    largest = torch.maximum(rows.amax(dim=-1, keepdim=True), rows.amin(dim=-1, keepdim=True).neg_()).float()
    largest.clamp_(min=_SMALLEST)
    # In float32: bfloat16 has too few digits for numbers up to 255.
    return (rows.float() * (127 / largest)).add_(_ZERO_POINT + 0.5).to(torch.uint8), largest.div_(127)


def has_int8_instructions() -> bool:
    """Whether the processor multiplies int8 numbers in one step (VNNI): oneDNN is the faster way there."""
    return torch.cpu._is_vnni_supported()


def int8_linear(weight: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None) -> nn.Module:
    """The layer with these weights in the way that is the fastest on this processor.

    `weight` is int8 of shape (outputs, inputs), `scales` float32 of shape (outputs,): the true weight is their product.
    """
    kind = OneDnnLinear if has_int8_instructions() else FbgemmLinear
    return kind(weight, scales, bias)


class OneDnnLinear(nn.Module):
    """For processors with int8 instructions: exact sums of products of int8 numbers, scaled afterwards.

    Layers that read the same rows one after another (query, key and value) share one quantisation of them, if they
    share `recent`.
    """

    def __init__(self, weight: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self._packed = torch.ops.onednn.qlinear_prepack(weight, None)
        self._scales = scales
        self._zeros = torch.zeros(len(scales), dtype=torch.int64)
        self.bias = None if bias is None else nn.Parameter(bias.float(), requires_grad=False)
        self.recent = Recent()

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """`rows @ weight.T + bias`, shape (…, inputs) to (…, outputs)."""
        quantised, sizes = self.recent.quantised(rows)
        product: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            quantised, 1.0, _ZERO_POINT, self._packed, self._scales, self._zeros, None,
            1.0, 0, rows.dtype, "none", [], "",
        )  # fmt: skip
        product.mul_(sizes.to(rows.dtype))
        return product if self.bias is None else product.add_(self.bias)


class Recent:
    """The rows quantised last. Not for two threads at once, as a model is not."""

    def __init__(self) -> None:
        self._rows: torch.Tensor | None = None
        self._found: tuple[torch.Tensor, torch.Tensor] | None = None

    def quantised(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As `quantise_rows`; the same tensor object again costs nothing."""
        if self._found is None or rows is not self._rows:
            self._rows, self._found = rows, quantise_rows(rows)
        return self._found


class FbgemmLinear(nn.Module):
    """For processors with AVX2 and no int8 instructions.

    `linear_dynamic` takes one scale for a whole tensor, so each row is brought to a largest magnitude of 1 first, which
    makes that scale fit every row.
    """

    def __init__(self, weight: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        zeros = torch.zeros(len(scales), dtype=torch.int64)
        quantised = torch._make_per_channel_quantized_tensor(weight, scales.double(), zeros, 0)
        self._packed: Any = torch.ops.quantized.linear_prepack(quantised, None)
        self.bias = None if bias is None else nn.Parameter(bias.float(), requires_grad=False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """`rows @ weight.T + bias`, shape (…, inputs) to (…, outputs)."""
        exact = rows.float()
        largest = exact.abs().amax(dim=-1, keepdim=True).clamp(min=_SMALLEST)
        product: torch.Tensor = torch.ops.quantized.linear_dynamic(exact / largest, self._packed, False)
        product = product * largest
        return (product if self.bias is None else product + self.bias).to(rows.dtype)
