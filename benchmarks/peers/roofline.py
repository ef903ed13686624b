"""The time limit of this network on this core: its products at the int8 rate, its weights at the read rate.

This is the roofline (Williams, Waterman, Patterson 2009, "Roofline: an insightful visual performance model").

Both rates are measured in the same turns as the runtimes; nothing comes from a data sheet.

- **Products**: uint8 times int8 matrices, 512 on a side, through ONNX Runtime's MatMulInteger, which uses this core's
  instructions (VNNI or AMX, dot products or the matrix extension of ARM). A matrix stays in the L2 cache, and each
  number is used 512 times, so reading is not the limit.
- **Reading**: as many bytes as the network has weights, repeatedly, so that they come from the same cache as the
  weights, by the fastest of three third-party loops: the C library's memchr for an absent byte, the inner product of
  BLAS, the maximum of numpy.

A single digit uses each weight once, so every runtime must read all of them. They come from memory only if other work
has evicted them from the caches; `memory` gives that rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter_ns
from typing import NamedTuple

import numpy as np

from benchmarks.common.turns import Call
from benchmarks.peers import calls as peer_calls
from benchmarks.peers import networks
from edge_runtime.bench.result import Measure, figure, timed
from train.int8_file import Whole

SIDE = 512  # of the matrices: the fastest of 256, 512 and 1024
# Measures in turns with the runtimes.
PRODUCTS = f"limit/int8 product of {SIDE}x{SIDE}"
READERS = MEMCHR, INNER, MAXIMUM = tuple(f"limit/weights read by {name}" for name in ("memchr", "dot", "max"))
# Derived measures.
READING, COMPUTING = "limit/reading", "limit/products"
BYTES, MULTIPLY_ADDS = "limit/weight bytes", "limit/multiply-adds"
CACHE_RATE, MEMORY_RATE, PRODUCT_RATE = (
    f"limit/{what} a second" for what in ("bytes from the cache", "bytes from memory", "int8 multiply-adds")
)
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
BEYOND = 2  # times the largest cache
LEAST, MOST = 1 << 26, 1 << 30  # bytes read from memory
PASSES = 3


class Limit(NamedTuple):
    """The minimum time of one digit: the slower of the two, which overlap."""

    reading: Measure
    products: Measure

    @property
    def time(self) -> Measure:
        """The limiting measure."""
        return max(self, key=lambda measure: measure.value)


def multiply_adds(layers: Sequence[Whole]) -> int:
    """Return the number of multiply-adds for one digit."""
    return sum(layer.weights.size for layer in layers)


def weight_bytes(layers: Sequence[Whole]) -> int:
    """Return the bytes of weights and biases for one digit."""
    return sum(layer.weights.nbytes + layer.bias.nbytes for layer in layers)


def calls(size: int) -> dict[str, Call]:
    """Return the ways to read `size` bytes, and the product."""
    rng = np.random.default_rng(1)
    numbers = rng.integers(2, 255, size, np.uint8)
    text = numbers.tobytes()
    one, other = rng.random((2, size // 8), np.float32)
    session = peer_calls.session(networks.product(SIDE))
    inputs = {"pixels": rng.integers(0, 256, (SIDE, SIDE), np.uint8)}
    return {
        MEMCHR: lambda: text.find(b"\0"),
        INNER: lambda: np.dot(one, other),
        MAXIMUM: lambda: numbers.max(),
        PRODUCTS: lambda: session.run(None, inputs),
    }


def memory() -> float:
    """Return the bytes a second from memory, beyond all caches."""
    text = b"\1" * min(MOST, max(LEAST, BEYOND * _largest_cache()))
    spent = []
    for _ in range(PASSES):
        started = perf_counter_ns()
        text.find(b"\0")
        spent.append(perf_counter_ns() - started)
    return 1e9 * len(text) / min(spent)


def limit(measures: Mapping[str, Measure], products: int) -> Limit:
    """Return the limit from the measurements of `calls`; `products` is the network's number of multiply-adds."""
    reading = min((measures[name] for name in READERS), key=lambda measure: measure.value)
    scale = products / SIDE**3
    scaled = [[scale * value for value in block] for block in measures[PRODUCTS].samples or ()]
    return Limit(
        timed(READING, reading.samples or (), paired=reading.paired, better=None),
        timed(COMPUTING, scaled, paired=reading.paired, better=None),
    )


def measures(measured: Mapping[str, Measure], limit: Limit, layers: Sequence[Whole], memory: float) -> list[Measure]:
    """Return the limit, its parts, and the rates behind it; `memory` is in bytes a second."""
    size, products = weight_bytes(layers), multiply_adds(layers)
    return [
        *limit,
        *[replace(measured[name], better=None) for name in (*READERS, PRODUCTS)],
        figure(BYTES, size, "B"),
        figure(MULTIPLY_ADDS, products, "1"),
        figure(CACHE_RATE, 1e9 * size / limit.reading.value, "1/s"),
        figure(MEMORY_RATE, memory, "1/s"),
        figure(PRODUCT_RATE, 1e9 * products / limit.products.value, "1/s"),
    ]


def _largest_cache() -> int:
    """Return the bytes of the largest cache that the system reports; 0 if it reports none."""
    sizes = [path.read_text().strip() for path in CACHES.glob("index*/size")]
    return max((1024 * int(size[:-1]) for size in sizes if size[-1:] == "K" and size[:-1].isdecimal()), default=0)
