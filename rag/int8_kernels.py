"""What an int8 decoder does between its products, in one pass over each row instead of one for every operation.

Between two products rows are scaled, normed, turned or gated and brought to int8. In PyTorch that is two dozen
operations, each of which writes its result to memory and reads it again: half the time of a prompt (docs/lab-notes.md).
Here they are loops that numba compiles for this processor, the first time for some seconds; the machine code is kept
beside this module, or in the user's cache folder where that cannot be written.

The loops run in the threads of PyTorch: threads of their own would have to share the cores with those, which wait for
the next product without sleeping. So `GOMP_parallel` of the OpenMP library that PyTorch has loaded is called directly:
it runs a function in every thread of a team, and each takes its share of the rows.

Raises ImportError where there is no numba or no such library; `rag/decoder.py` computes the same in PyTorch.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import llvmlite.binding
import numpy as np
import torch
from numba import carray, cfunc, njit, types
from torch import Tensor

from rag.int8_products import NOUGHT

_LEVELS = 127
_SMALLEST = 1e-12
_ROWS = 8
"""For fewer rows than these a second thread would take longer to start than to work."""

try:
    _GOMP = ctypes.CDLL("libgomp.so.1")  # that of PyTorch: the loader knows the name already
except OSError as error:
    raise ImportError("PyTorch computes without GNU's OpenMP here.") from error
_GOMP.GOMP_parallel.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
_GOMP.GOMP_parallel.restype = None
for _name in ("omp_get_thread_num", "omp_get_num_threads"):
    llvmlite.binding.add_symbol(_name, ctypes.cast(getattr(_GOMP, _name), ctypes.c_void_p).value)
# By name, not by address: machine code with addresses in it cannot be kept.
_thread = types.ExternalFunction("omp_get_thread_num", types.intc())
_threads = types.ExternalFunction("omp_get_num_threads", types.intc())

_SIGNATURE = types.void(types.CPointer(types.voidptr))
# With numba's own check for division by zero a loop would not be vectorised.
_FAST: dict[str, Any] = {"fastmath": True, "error_model": "numpy"}
_Decorator: TypeAlias = Callable[[Callable[..., Any]], Any]
_inlined: _Decorator = njit(inline="always")
_loop: _Decorator = njit(**_FAST)
_kernel: _Decorator = cfunc(_SIGNATURE, cache=True, **_FAST)
f32, i32, u32 = np.float32, np.int32, np.uint32


@dataclass(frozen=True, slots=True)
class Quantised:
    """Rows in int8: value = size x (number + second number / 127)."""

    numbers: Tensor
    """int8, or uint8 with each number 128 higher, as a `OneDnnProduct` wants them; shape (rows, width), or (2 x rows,
    width): then all second numbers stand below all first ones."""
    sizes: Tensor
    """float32, shape (rows,)."""

    @property
    def twice(self) -> bool:
        """Is there a second number for each value?"""
        return len(self.numbers) != len(self.sizes)

    def part(self, rows: slice) -> "Quantised":
        """These rows alone, which have no second numbers."""
        return Quantised(self.numbers[rows], self.sizes[rows])

    def apart(self, chosen: Tensor) -> tuple["Quantised", "Quantised"]:
        """The first numbers, and the second ones of the chosen rows, int64 of shape (chosen,), as rows of their own:
        what both say of a row adds up to what this says."""
        count = len(self.sizes)
        first = Quantised(self.numbers[:count], self.sizes)
        return first, Quantised(self.numbers[count:][chosen], self.sizes[chosen] / _LEVELS)


def bring(rows: Tensor, *, twice: bool) -> Quantised:
    """Rows of bfloat16, shape (n, width), in int8."""
    count, width = rows.shape
    brought = _empty(count, width, twice=twice)
    _run(_bring, count, (count, width, twice, NOUGHT), rows, brought.numbers, brought.sizes)
    return brought


def norm(rows: Tensor, weight: Tensor, epsilon: float, *, twice: bool) -> Quantised:
    """Rows of float32, shape (n, width), brought to a mean square of 1, times `weight`, shape (width,), in int8."""
    count, width = rows.shape
    normed = _empty(count, width, twice=twice)
    _run(_norm, count, (count, width, twice, NOUGHT), torch.tensor(epsilon), rows, weight, normed.numbers, normed.sizes)
    return normed


def add(rows: Tensor, product: Tensor, of: Quantised) -> None:
    """Add to `rows`, float32 of shape (n, width), what the product of the numbers of `of` says of them."""
    count, width = rows.shape
    _run(_add, count, (count, width, of.twice), rows, product, of.sizes)


def gate(product: Tensor, of: Quantised) -> tuple[Quantised, Tensor]:
    """silu(gate) x up, in int8 with second numbers, from the product of `of` with both, whose columns stand side by
    side (SwiGLU); and the root mean square of each row, float32 of shape (rows,).
    """
    count, width = len(of.sizes), product.shape[1] // 2
    gated, means = _empty(count, width, twice=True), torch.empty(count)
    _run(_gate, count, (count, width, of.twice, NOUGHT), product, of.sizes, gated.numbers, gated.sizes, means)
    return gated, means


def turn(
    product: Tensor, of: Quantised, bias: Tensor | None, turns: tuple[Tensor, Tensor], keys: Tensor, values: Tensor
) -> Tensor:
    """From the product of `of` with queries, keys and values: the queries in bfloat16, shape (n, heads, head size), and
    keys and values written to the first n places of `keys` and `values`, bfloat16 of shape (key heads, room, head
    size); queries and keys turned by the cosines and sines of `turns`, float32 of shape (n, head size / 2).
    """
    count = len(of.sizes)
    key_heads, _, size = keys.shape
    heads = product.shape[1] // size - 2 * key_heads
    queries = torch.empty(count, heads, size, dtype=torch.bfloat16)
    whole = (count, heads, key_heads, size, of.twice, bias is not None, keys.stride(0))
    _run(_turn, count, whole, product, of.sizes, bias, *turns, queries, keys, values)
    return queries


def soften(scores: Tensor, scale: float, *, block: int) -> Tensor:
    """What `rag.attention.softened` makes of scores in bfloat16, written in their place."""
    _, _, seen = scores.shape
    count = scores.numel() // seen
    _run(_soften, count, (count, seen, block), torch.tensor(scale), scores)
    return scores


def _empty(count: int, width: int, *, twice: bool) -> Quantised:
    kind = torch.uint8 if NOUGHT else torch.int8
    return Quantised(torch.empty(count * (2 if twice else 1), width, dtype=kind), torch.empty(count))


def _run(kernel: Any, count: int, whole: tuple[int, ...], *tensors: Tensor | None) -> None:
    """Call a kernel for so many rows, with whole numbers and the places of tensors."""
    numbers = np.array(whole, np.int64)
    places = (0 if tensor is None else tensor.data_ptr() for tensor in tensors)
    given = (ctypes.c_void_p * (1 + len(tensors)))(numbers.ctypes.data, *places)
    threads = min(torch.get_num_threads(), count // _ROWS)
    if threads > 1:
        _GOMP.GOMP_parallel(kernel.address, given, threads, 0)
    else:
        kernel.ctypes(ctypes.cast(given, kernel.ctypes.argtypes[0]))


# Below here is what numba compiles.


@_inlined
def _share(rows: Any) -> Any:
    """The first of this thread's rows, and the first of the next one's."""
    team, mine = _threads(), _thread()
    return rows * mine // team, rows * (mine + 1) // team


@_loop
def _largest(values: Any) -> Any:
    """The largest magnitude. Without their signs, the bits of floats are ordered as the floats are, and of integers the
    search for the largest is vectorised."""
    bits = values.view(np.int32)
    most = np.zeros(1, np.int32)
    found = i32(0)
    for at in range(len(bits)):
        one = bits[at] & i32(0x7FFFFFFF)
        found = one if one > found else found
    most[0] = found
    return most.view(np.float32)[0]


@_loop
def _quantise(values: Any, row: Any, numbers: Any, sizes: Any, twice: Any, nought: Any) -> None:
    """`values` as a row of a `Quantised`, whose bytes are unsigned here: -1 is 255, or 127 where nought is 128."""
    higher = i32(nought)
    size = max(_largest(values), f32(_SMALLEST)) / f32(_LEVELS)
    sizes[row] = size
    inverse = f32(1) / size
    if twice:
        large, small = numbers[row], numbers[row + len(sizes)]
        for at in range(len(values)):
            value = values[at] * inverse
            whole = i32(value + f32(128.5)) - i32(128)
            large[at] = whole + higher
            small[at] = i32((value - f32(whole)) * f32(_LEVELS)) + higher
    else:
        nearest, lower = numbers[row], higher - i32(128)
        for at in range(len(values)):
            nearest[at] = i32(values[at] * inverse + f32(128.5)) + lower


@_loop
def _add_product(into: Any, product: Any, sizes: Any, row: Any, twice: Any) -> None:
    size = sizes[row]
    first = product[row]
    if twice:
        second = product[row + len(sizes)]
        rest = size / f32(_LEVELS)
        for at in range(len(into)):
            into[at] += first[at] * size + second[at] * rest
    else:
        for at in range(len(into)):
            into[at] += first[at] * size


@_inlined
def _bfloat16(bits: Any) -> Any:
    """The upper half of a float32's bits, to the nearest; of two that are as near, the even one."""
    return np.uint16((bits + u32(0x7FFF) + ((bits >> u32(16)) & u32(1))) >> u32(16))


@_inlined
def _exponential(x: Any) -> Any:
    """e^x as a number near 1 and the bits of the power of two that it is to be multiplied with, for x from -87 to 87,
    and for others as for the nearest of these (expf of Moshier's Cephes library)."""
    x = x if x < f32(87.0) else f32(87.0)
    x = x if x > f32(-87.0) else f32(-87.0)
    two = i32(x * f32(1.44269504) + f32(200.5)) - i32(200)
    rest = x - f32(two) * f32(0.693359375) + f32(two) * f32(2.12194440e-4)
    y = f32(1.9875691500e-4)
    y = y * rest + f32(1.3981999507e-3)
    y = y * rest + f32(8.3334519073e-3)
    y = y * rest + f32(4.1665795894e-2)
    y = y * rest + f32(1.6666665459e-1)
    y = y * rest + f32(5.0000001201e-1)
    return y * rest * rest + rest + f32(1), (two + i32(127)) << i32(23)


@_kernel
def _bring(given: Any) -> None:
    whole = carray(given[0], 4, np.int64)
    count, width, twice, nought = whole[0], whole[1], whole[2], whole[3]
    rows = carray(given[1], (count, width), np.uint16)
    numbers = carray(given[2], (count * (2 if twice else 1), width), np.uint8)
    sizes = carray(given[3], count, np.float32)
    bits = np.empty(width, np.uint32)
    first, last = _share(count)
    for row in range(first, last):
        halves = rows[row]
        for at in range(width):
            bits[at] = u32(halves[at]) << u32(16)
        _quantise(bits.view(np.float32), row, numbers, sizes, twice, nought)


@_kernel
def _norm(given: Any) -> None:
    whole, epsilon = carray(given[0], 4, np.int64), carray(given[1], 1, np.float32)
    count, width, twice, nought = whole[0], whole[1], whole[2], whole[3]
    rows = carray(given[2], (count, width), np.float32)
    weight = carray(given[3], width, np.float32)
    numbers = carray(given[4], (count * (2 if twice else 1), width), np.uint8)
    sizes = carray(given[5], count, np.float32)
    normed = np.empty(width, np.float32)
    first, last = _share(count)
    for row in range(first, last):
        values = rows[row]
        squares = f32(0)
        for at in range(width):
            squares += values[at] * values[at]
        factor = f32(1) / np.sqrt(squares / f32(width) + epsilon[0])
        for at in range(width):
            normed[at] = values[at] * factor * weight[at]
        _quantise(normed, row, numbers, sizes, twice, nought)


@_kernel
def _add(given: Any) -> None:
    whole = carray(given[0], 3, np.int64)
    count, width, of_two = whole[0], whole[1], whole[2]
    rows = carray(given[1], (count, width), np.float32)
    product = carray(given[2], (count * (2 if of_two else 1), width), np.float32)
    scales = carray(given[3], count, np.float32)
    first, last = _share(count)
    for row in range(first, last):
        _add_product(rows[row], product, scales, row, of_two)


@_kernel
def _gate(given: Any) -> None:
    whole = carray(given[0], 4, np.int64)
    count, width, of_two, nought = whole[0], whole[1], whole[2], whole[3]
    product = carray(given[1], (count * (2 if of_two else 1), 2 * width), np.float32)
    scales = carray(given[2], count, np.float32)
    numbers = carray(given[3], (count * 2, width), np.uint8)
    sizes, means = carray(given[4], count, np.float32), carray(given[5], count, np.float32)
    both = np.empty(2 * width, np.float32)
    part, twos = np.empty(width, np.float32), np.empty(width, np.int32)
    power = twos.view(np.float32)
    first, last = _share(count)
    for row in range(first, last):
        both[:] = f32(0)
        _add_product(both, product, scales, row, of_two)
        gates, up = both[:width], both[width:]
        for at in range(width):
            part[at], twos[at] = _exponential(-gates[at])
        for at in range(width):
            up[at] = gates[at] * up[at] / (f32(1) + part[at] * power[at])
        squares = f32(0)
        for at in range(width):
            squares += up[at] * up[at]
        means[row] = np.sqrt(squares / f32(width))
        _quantise(up, row, numbers, sizes, True, nought)


@_kernel
def _turn(given: Any) -> None:
    whole = carray(given[0], 7, np.int64)
    count, heads, key_heads, size = whole[0], whole[1], whole[2], whole[3]
    of_two, biased, stride = whole[4], whole[5], whole[6]
    width, half = (heads + 2 * key_heads) * size, size // 2
    product = carray(given[1], (count * (2 if of_two else 1), width), np.float32)
    scales = carray(given[2], count, np.float32)
    bias = carray(given[3], width, np.float32)
    cosines = carray(given[4], (count, half), np.float32)
    sines = carray(given[5], (count, half), np.float32)
    queries = carray(given[6], (count, heads * size), np.uint16)
    room = (key_heads - 1) * stride + count * size
    keys, values = carray(given[7], room, np.uint16), carray(given[8], room, np.uint16)
    found = np.empty(width, np.float32)
    bits = found.view(np.uint32)
    first, last = _share(count)
    for row in range(first, last):
        found[:] = f32(0)
        if biased:
            found[:] = bias
        _add_product(found, product, scales, row, of_two)
        for head in range(heads + key_heads):
            start = head * size
            for at in range(half):
                one, other = found[start + at], found[start + half + at]
                found[start + at] = one * cosines[row, at] - other * sines[row, at]
                found[start + half + at] = other * cosines[row, at] + one * sines[row, at]
        mine = queries[row]
        for at in range(heads * size):
            mine[at] = _bfloat16(bits[at])
        for head in range(key_heads):
            place = head * stride + row * size
            key, value = (heads + head) * size, (heads + key_heads + head) * size
            for at in range(size):
                keys[place + at] = _bfloat16(bits[key + at])
                values[place + at] = _bfloat16(bits[value + at])


@_kernel
def _soften(given: Any) -> None:
    whole, scale = carray(given[0], 3, np.int64), carray(given[1], 1, np.float32)
    count, width, block = whole[0], whole[1], whole[2]
    scores = carray(given[2], (count, width), np.uint16)
    weights, twos = np.empty(width, np.float32), np.empty(width, np.int32)
    bits, power = weights.view(np.uint32), twos.view(np.float32)
    first, last = _share(count)
    for row in range(first, last):
        mine = scores[row]
        seen = width - block + row % block + 1
        for at in range(seen):
            bits[at] = u32(mine[at]) << u32(16)
        most = weights[0]
        for at in range(seen):
            most = weights[at] if weights[at] > most else most
        for at in range(seen):
            weights[at], twos[at] = _exponential((weights[at] - most) * scale[0])
        total = f32(0)
        for at in range(seen):
            weights[at] *= power[at]
            total += weights[at]
        share = f32(1) / total
        for at in range(seen):
            weights[at] *= share
            mine[at] = _bfloat16(bits[at])
        for at in range(seen, width):
            mine[at] = np.uint16(0)
