"""Products of rows and a weight matrix in floats: what models do nearly all the time."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from index.precisions import has_bfloat16_instructions

Product: TypeAlias = Callable[[Tensor], Tensor]
"""`rows @ weight.T + bias`: from shape (n, inputs) to (n, outputs), in the kind of number that it is given."""


def float_product(weight: Tensor, bias: Tensor | None, *, rows: int) -> Product:
    """The product in the weights' own precision; bfloat16 is laid out for the processor once, for about so many rows
    at a time.
    """
    if weight.dtype == torch.bfloat16 and has_bfloat16_instructions():
        packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)

        def product(given: Tensor) -> Tensor:
            found: Tensor = torch.ops.mkldnn._linear_pointwise(given, packed, bias, "none", [], "")
            return found

        return product
    return lambda given: functional.linear(given, weight, bias)
