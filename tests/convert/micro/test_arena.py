"""TFLite Micro's own interpreter: its memory, and what it answers."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from convert.layers import Conv, Dense
from convert.micro import arena, layers
from convert.micro.arena import Arena
from edge_runtime import Classifier
from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file
from edge_runtime.records import Uint8
from tests.builds import ROOT
from tests.micro_sources import SHIPPED_ARENA, Sources
from train import dataset
from train.recipes import RECIPES

pytestmark = pytest.mark.micro

DOCUMENT = ROOT / "docs" / "microcontrollers.md"


def answers(flatbuffer: bytes, size: int, images: Uint8) -> NDArray[np.int8]:
    """Return TFLite Micro's scores for uint8 (N, 28, 28)."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(flatbuffer, arena_size=size)
    rows = []
    for image in images:
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        rows.append(interpreter.get_output(0)[0].copy())
    return np.stack(rows)


def test_the_shipped_model_needs_the_stated_arena() -> None:
    assert arena.measure(model_file.read(model_file.SHIPPED).flatbuffer) == SHIPPED_ARENA
    row = f"| {SHIPPED_ARENA.measured:,} | {SHIPPED_ARENA.reserved:,} |"
    assert row in DOCUMENT.read_text(encoding="utf-8")


def test_golden_vectors_differ_by_one_unit_at_most() -> None:
    model = model_file.read(model_file.SHIPPED)
    golden = model.golden()
    scores = answers(model.flatbuffer, SHIPPED_ARENA.measured, golden["inputs"])
    assert np.abs(scores.astype(int) - golden["outputs"]).max() <= 1
    assert (scores.argmax(axis=1) == golden["outputs"].argmax(axis=1)).all()


def test_1000_digits_have_the_labels_of_litert(classifier: Classifier, sources: Sources) -> None:
    images = dataset.load("test").images[:1000]
    scores = answers(classifier.model.flatbuffer, SHIPPED_ARENA.measured, images)
    expected = classifier.scores(images)
    assert (scores.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert np.abs(scores.astype(int) - expected).max() <= 1
    assert (scores == [sources.scores(image) for image in images]).all()  # the engine c rounds like TFLite Micro


def test_convolutions_run_with_the_listed_operators(tmp_path: Path) -> None:
    from convert.quantize import quantize
    from convert.recipes import CONVERSIONS

    rng = np.random.default_rng(3)
    made: Sequence[Conv | Dense] = [
        Conv(rng.normal(0, 0.1, (5, 5, 1, 4)).astype(np.float32), np.zeros(4, np.float32), stride=2, pool=2),
        Dense(rng.normal(0, 0.1, (7 * 7 * 4, 10)).astype(np.float32), np.zeros(10, np.float32)),
    ]
    images = rng.integers(0, 256, (20, 28, 28)).astype(np.uint8)
    flatbuffer = quantize(made, CONVERSIONS["int8"], images)
    (tmp_path / "network.tflite").write_bytes(flatbuffer)
    methods = layers.resolver_methods(layers.read(tmp_path / "network.tflite"))
    assert {"AddConv2D", "AddMaxPool2D", "AddFullyConnected"} <= set(methods)
    measured = arena.measure(flatbuffer)
    assert measured.measured % arena.ALIGNMENT == 0
    assert answers(flatbuffer, measured.measured, images).shape == (20, 10)


def test_the_recipe_micro_needs_the_documented_arena() -> None:
    from convert.quantize import quantize
    from convert.recipes import CONVERSIONS

    rng = np.random.default_rng(4)  # the arena depends on the shapes alone, unless tensors are equal
    sizes = (784, *RECIPES["micro"].hidden, 11)
    made = [
        Dense(rng.normal(0, 0.05, shape).astype(np.float32), rng.normal(0, 0.05, shape[1]).astype(np.float32))
        for shape in itertools.pairwise(sizes)
    ]
    flatbuffer = quantize(made, CONVERSIONS["int8"], dataset.load("test").images[:20])
    measured = arena.measure(flatbuffer)
    assert f"| {measured.measured:,} | {measured.reserved:,} |" in DOCUMENT.read_text(encoding="utf-8")


def test_networks_that_do_not_run_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "MOST", 1024)
    with pytest.raises(ModelError, match=r"does not run this network in 1,024 bytes"):
        arena.measure(model_file.read(model_file.SHIPPED).flatbuffer)


def test_one_unit_less_does_not_run() -> None:
    flatbuffer = model_file.read(model_file.SHIPPED).flatbuffer
    with pytest.raises(RuntimeError):
        answers(flatbuffer, SHIPPED_ARENA.measured - arena.ALIGNMENT, np.zeros((1, 28, 28), np.uint8))
    assert Arena(3744, 3744 + arena.MARGIN) == SHIPPED_ARENA
