"""The roofline: what a network needs at least, out of what was measured."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from benchmarks.peers import calls as peer_calls
from benchmarks.peers import networks, roofline
from benchmarks.peers.roofline import INNER, MAXIMUM, MEMCHR, PRODUCTS
from edge_runtime.bench.result import Measure, timed
from train.int8_file import Steps, Whole

STEPS = Steps(1.0, 0)


def layer(outputs: int, inputs: int) -> Whole:
    weights, bias = np.zeros((outputs, inputs), np.int8), np.zeros(outputs, np.int32)
    return Whole(weights, np.ones(1, np.float32), bias, STEPS, STEPS)


def measured(memchr: float, inner: float, maximum: float, product: float) -> dict[str, Measure]:
    """Return measures of two processes, two turns each, the second of which takes twice as long."""
    times = {MEMCHR: memchr, INNER: inner, MAXIMUM: maximum, PRODUCTS: product}
    return {name: timed(name, [[each, each], [2 * each, 2 * each]], paired="turns") for name, each in times.items()}


def test_products_and_bytes_are_counted() -> None:
    layers = [layer(512, 784), layer(10, 512)]
    assert roofline.multiply_adds(layers) == 512 * 784 + 10 * 512
    assert roofline.weight_bytes(layers) == 512 * 784 + 10 * 512 + 4 * (512 + 10)


def test_the_limit_is_the_slower_of_both() -> None:
    products = 512**3 // 1000  # a thousandth of the product that is measured
    limit = roofline.limit(measured(400, 300, 500, 200e3), products)
    assert limit.reading.samples == [[300, 300], [600, 600]]  # by the quickest of the readers
    assert np.array(limit.products.samples) == pytest.approx(np.array([[200, 200], [400, 400]]), rel=1e-3)
    assert limit.time is limit.reading
    assert {each.paired for each in limit} == {"turns"}  # so that ratios to runtimes are turn by turn
    limit = roofline.limit(measured(400, 300, 500, 400e3), products)
    assert limit.time is limit.products


def test_rates_are_of_what_was_measured() -> None:
    layers = [layer(100, 1000)]
    raw = measured(400, 300, 500, 200e3)
    limit = roofline.limit(raw, roofline.multiply_adds(layers))
    measures = {each.name: each for each in roofline.measures(raw, limit, layers, 8e9)}
    assert {each.better for each in measures.values()} == {None}  # nothing of this is anybody's merit
    assert measures["limit/weight bytes"].value == 100_400
    assert measures["limit/multiply-adds"].value == 100_000
    assert measures["limit/reading"].value == 450
    assert measures["limit/bytes from the cache a second"].value == pytest.approx(1e9 * 100_400 / 450)
    assert measures["limit/bytes from memory a second"].value == 8e9
    assert measures["limit/int8 multiply-adds a second"].value == pytest.approx(1e9 * 512**3 / 300e3)


def test_every_way_to_the_limit_reads_everything() -> None:
    calls = roofline.calls(1000)
    assert tuple(calls) == (MEMCHR, INNER, MAXIMUM, PRODUCTS)
    assert calls[MEMCHR]() == -1  # not there: it has looked at every byte
    assert calls[MAXIMUM]() == 254
    assert 0 < float(str(calls[INNER]())) < 125
    (answer,) = np.array(calls[PRODUCTS]())
    assert (answer.shape, answer.dtype) == ((512, 512), np.int32)


def test_the_product_is_one() -> None:
    network = networks.product(32)
    weights = numpy_helper.to_array(onnx.load_from_string(network).graph.initializer[0]).astype(np.int32)
    pixels = np.random.default_rng(3).integers(0, 256, (32, 32), np.uint8)
    answer = peer_calls.session(network).run(None, {"pixels": pixels})[0]
    assert np.array_equal(answer, pixels.astype(np.int32) @ weights)


def test_memory_is_read_beyond_the_largest_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofline, "CACHES", tmp_path / "none")
    assert roofline._largest_cache() == 0
    assert roofline.memory() > 0
    for i, size in enumerate(("32K\n", "1024K\n", "36608K\n", "unknown\n", "")):
        (tmp_path / f"index{i}").mkdir()
        (tmp_path / f"index{i}" / "size").write_text(size)
    monkeypatch.setattr(roofline, "CACHES", tmp_path)
    assert roofline._largest_cache() == 36608 * 1024
