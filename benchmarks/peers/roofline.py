"""How fast could this network be on this core? Its products at the rate of int8, its weights at that of reading.

That is the roofline (Williams, Waterman, Patterson 2009, "Roofline: an insightful visual performance model").

Both rates are measured, in the same turns as the runtimes: nothing is taken from a data sheet.

- **Products**: uint8 times int8 matrices, 512 on a side, through ONNX Runtime's MatMulInteger, which uses whatever this
  core has for it (VNNI or AMX, dot products or the matrix extension of ARM). A matrix stays in the second cache, and
  each number is used 512 times: reading does not limit it.
- **Reading**: so many bytes as the network has weights, again and again, so that they come from the cache that the
  weights come from, by the quickest of three loops of other people's: the C library's memchr for a byte that is not
  there, the inner product of BLAS, the maximum of numpy.

A single digit uses each weight once, so no runtime can do without reading all of them. From memory they come only where
something else has taken the caches meanwhile; `memory` says how fast that is.
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

SIDE = 512  # of the matrices: the quickest of 256, 512 and 1024
# What takes turns with the runtimes.
PRODUCTS = f"limit/int8 product of {SIDE}x{SIDE}"
READERS = MEMCHR, INNER, MAXIMUM = tuple(f"limit/weights read by {name}" for name in ("memchr", "dot", "max"))
# What comes of it.
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
    """The least that one digit can take: the slower of both, which overlap."""

    reading: Measure
    products: Measure

    @property
    def time(self) -> Measure:
        """The one that limits."""
        return max(self, key=lambda measure: measure.value)


def multiply_adds(layers: Sequence[Whole]) -> int:
    """Return how many products one digit needs."""
    return sum(layer.weights.size for layer in layers)


def weight_bytes(layers: Sequence[Whole]) -> int:
    """Return how many bytes of weights and biases one digit needs."""
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
    """Return how many bytes a second come from memory, beyond all caches."""
    text = b"\1" * min(MOST, max(LEAST, BEYOND * _largest_cache()))
    spent = []
    for _ in range(PASSES):
        started = perf_counter_ns()
        text.find(b"\0")
        spent.append(perf_counter_ns() - started)
    return 1e9 * len(text) / min(spent)


def limit(measures: Mapping[str, Measure], products: int) -> Limit:
    """Return the limit out of what was measured of `calls`; `products` are the network's multiply-adds."""
    reading = min((measures[name] for name in READERS), key=lambda measure: measure.value)
    scale = products / SIDE**3
    scaled = [[scale * value for value in block] for block in measures[PRODUCTS].samples or ()]
    return Limit(
        timed(READING, reading.samples or (), paired=reading.paired, better=None),
        timed(COMPUTING, scaled, paired=reading.paired, better=None),
    )


def measures(measured: Mapping[str, Measure], limit: Limit, layers: Sequence[Whole], memory: float) -> list[Measure]:
    """Return the limit, what it is made of, and the rates behind it; `memory` is in bytes a second."""
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
    """Return the bytes of the largest cache that this system tells of; 0 where it tells of none."""
    sizes = [path.read_text().strip() for path in CACHES.glob("index*/size")]
    return max((1024 * int(size[:-1]) for size in sizes if size[-1:] == "K" and size[:-1].isdecimal()), default=0)
