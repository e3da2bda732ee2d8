"""The limits of the machine: how fast it multiplies matrices as large as a model's, and how fast it reads memory.

Knows nothing about prompts or questions. Threads are those of PyTorch.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from bench_figures import Limits

from index.products import float_product
from rag.int8_products import OneDnnProduct, int8_product, quantise, quantise_rows

ROWS = 512
"""Rows of a product: a prompt of evidence has about as many tokens."""
RUNS = 15
READ_BYTES = 2**30
"""Far more than any cache of a core holds."""

_TELLING = (
    *("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8"),
    *("asimddp", "i8mm", "bf16", "sve"),
)
_DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


@dataclass(frozen=True, slots=True)
class Sizes:
    """The matrices of a decoder: those of one layer as (outputs, inputs), how many layers, and the output layer."""

    layer: tuple[tuple[int, int], ...]
    layers: int
    head: tuple[int, int]

    @property
    def operations(self) -> float:
        """To read one token among many: a multiplication and an addition a weight. Without attention, 1 to 2 % more,
        and without the output layer, which only the last token passes."""
        return 2.0 * self.layers * _weights(self.layer)

    def bytes_read(self, precision: str) -> float:
        """To write one token: every weight once. Without the key-value cache, about a hundredth of it."""
        size = {"int8": 1, "bfloat16": 2, "float32": 4}[precision]
        return float(size * (self.layers * _weights(self.layer) + _weights((self.head,))))


def sizes_of(folder: Path) -> Sizes:
    """The sizes of the model in `folder`, which is laid out as Qwen2 and Llama are."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    width = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries, keys = width * config["num_attention_heads"], width * config["num_key_value_heads"]
    attention = ((queries, hidden), (keys, hidden), (keys, hidden), (hidden, queries))
    layer = (*attention, (inner, hidden), (inner, hidden), (hidden, inner))
    return Sizes(layer, config["num_hidden_layers"], (config["vocab_size"], hidden))


def measure_limits(folder: Path, precisions: Sequence[str], until: float) -> Limits:
    """The limits, for the sizes of the model in `folder`; no run begins after the time `until` (`time.time()`)."""
    sizes = sizes_of(folder)
    return Limits(
        flags=_flags(),
        threads=torch.get_num_threads(),
        products={
            precision: product_rates(sizes.layer, precision, rows=ROWS, until=until)
            for precision in dict.fromkeys(precisions)
            if precision != "int8" or _has_int8()
        },
        reading=reading_rates(READ_BYTES, until=until),
    )


def product_rates(
    shapes: Sequence[tuple[int, int]], precision: str, *, rows: int, until: float, runs: int = RUNS
) -> tuple[float, ...]:
    """Operations a second of `rows` rows times matrices of these shapes, one after the other, run by run."""
    make = _int8_product if precision == "int8" else _float_product(_DTYPES[precision])
    products = [make(outputs, inputs, rows) for outputs, inputs in shapes]

    def run() -> None:
        for product in products:
            product()

    return tuple(2.0 * rows * _weights(shapes) / seconds for seconds in _timed(run, runs=runs, until=until))


def reading_rates(size: int, *, until: float, runs: int = RUNS) -> tuple[float, ...]:
    """Bytes a second at which `size` bytes are read, run by run, by the fastest way that is tried."""
    numbers = torch.ones(size // 4)
    table, row = numbers.view(-1, 2048), torch.ones(2048)
    ways: tuple[Callable[[], Any], ...] = (numbers.sum, lambda: table @ row)
    tried = [_timed(way, runs=runs, until=until) for way in ways]
    return tuple(size / seconds for seconds in min(tried, key=lambda times: sorted(times)[len(times) // 2]))


def _timed(run: Callable[[], Any], *, runs: int, until: float) -> list[float]:
    """Seconds of each run after one to warm up; at least one."""
    seconds: list[float] = []
    with torch.inference_mode():
        run()
        while len(seconds) < runs and not (seconds and time.time() > until):
            began = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - began)
    return seconds


def _float_product(dtype: torch.dtype) -> Callable[[int, int, int], Callable[[], Any]]:
    def make(outputs: int, inputs: int, rows: int) -> Callable[[], Any]:
        product, x = (
            float_product(torch.randn(outputs, inputs).to(dtype), None, rows=rows),
            torch.randn(rows, inputs).to(dtype),
        )
        return lambda: product(x)

    return make


def _int8_product(outputs: int, inputs: int, rows: int) -> Callable[[], Any]:
    """The bare operator that int8 uses here: no scaling of rows, neither before nor after."""
    product: Any = int8_product(*quantise(torch.randn(outputs, inputs) * 0.02), None)
    x = torch.randn(rows, inputs)
    if not isinstance(product, OneDnnProduct):
        packed = product._packed
        return lambda: torch.ops.quantized.linear_dynamic(x, packed, False)
    quantised, _ = quantise_rows(x)
    dtype = torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32
    return lambda: product.multiplied(quantised, dtype)


def _has_int8() -> bool:
    # As `index.precisions.best_precision` asks: elsewhere the operators are missing.
    return "fbgemm" in torch.backends.quantized.supported_engines


def _flags() -> tuple[str, ...]:
    """The processor's flags that say what it multiplies, where Linux tells."""
    listing = Path("/proc/cpuinfo")
    if not listing.exists():
        return ()
    lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
    found = next((line.split(":", 1)[1].split() for line in lines if line.startswith(("flags", "Features"))), [])
    return tuple(flag for flag in _TELLING if flag in found)


def _weights(shapes: Sequence[tuple[int, int]]) -> int:
    return sum(outputs * inputs for outputs, inputs in shapes)
