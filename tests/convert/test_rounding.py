from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convert import calibration, quantize
from convert.equalize import equalize
from convert.fold import fold
from convert.layers import Layer
from convert.recipes import CONVERSIONS
from convert.rounding import STEPS, round_weights
from edge_runtime.system.native_logs import stderr_silenced
from tests.convert.test_equalize import answers, network, rounded
from tests.convert.test_quantize import interpreter


def pictures(count: int, seed: int) -> np.ndarray:
    """Return pictures whose pixels depend on each other, as those of strokes do, and whose edges are bare."""
    rng = np.random.default_rng(seed)
    blobs = rng.uniform(0, 1, (12, 28, 28))
    blobs[:, :4] = blobs[:, -4:] = 0
    values = rng.dirichlet(np.full(12, 0.3), count) @ blobs.reshape(12, -1)
    return np.asarray(255 * values, np.uint8).reshape(count, 28, 28)


def in_steps(layers: Sequence[Layer]) -> bool:
    for layer in layers:
        steps = layer.kernel.astype(np.float64) / (np.abs(layer.kernel).max() / STEPS)
        if np.abs(steps - np.round(steps)).max() > 1e-3:
            return False
    return True


@settings(max_examples=8)
@given(st.integers(1, 12), st.integers(0, 100))
def test_kernels_are_whole_steps_of_their_scale(hidden: int, seed: int) -> None:
    layers = network([784, hidden, 3], seed)
    after = round_weights(layers, pictures(40, seed))
    assert in_steps(after)
    for one, other in zip(layers, after, strict=True):
        assert np.abs(other.kernel).max() == pytest.approx(np.abs(one.kernel).max(), rel=1e-6)
        assert other.kernel.dtype == other.bias.dtype == np.float32
        assert other.kernel.shape == one.kernel.shape


def test_it_loses_less_on_other_pictures_too() -> None:
    layers = network([784, 64, 48, 10], 1, spread=0.5)
    shown, others = pictures(600, 2)[:300], pictures(600, 2)[300:]
    after = round_weights(layers, shown)
    values = others.reshape(300, -1)
    expected = answers(layers, values)
    lost, nearest = (np.abs(answers(made, values) - expected).mean() for made in (after, rounded(layers)))
    assert lost < 0.5 * nearest


def test_what_is_lost_on_average_is_made_good() -> None:
    layers = network([784, 10], 3)
    shown = pictures(200, 4)
    off = answers(round_weights(layers, shown), shown.reshape(200, -1)) - answers(layers, shown.reshape(200, -1))
    assert np.abs(off.mean(axis=0)).max() < 1e-3 * np.abs(off).max() + 1e-6


def test_zero_layers_and_blank_pictures_work() -> None:
    layers = network([784, 5, 3], 5)
    layers[0].kernel[:] = 0
    after = round_weights(layers, np.zeros((3, 28, 28), np.uint8))
    assert not after[0].kernel.any()
    assert all(np.isfinite(array).all() for layer in after for array in layer)


def test_conversion_keeps_the_steps(smoke_build: Path) -> None:
    chosen = calibration.choose()
    layers = round_weights(equalize(fold(keras.models.load_model(smoke_build / "digits.keras"))), chosen.images)
    with stderr_silenced():
        flatbuffer = quantize.quantize(layers, CONVERSIONS["int8"], chosen.images)
    made = interpreter(flatbuffer)
    kernels = [
        made.get_tensor(detail["index"]) for detail in made.get_tensor_details()
        if detail["dtype"] == np.int8 and len(detail["shape"]) == 2 and detail["shape"].prod() in (784 * 128, 1280)
    ]  # fmt: skip
    kernels = [kernel for kernel in kernels if np.abs(kernel.astype(int)).max() == STEPS]
    for layer in layers:
        steps = np.round(layer.kernel.T / (np.abs(layer.kernel).max() / STEPS)).astype(np.int8)
        assert any(kernel.shape == steps.shape and np.array_equal(kernel, steps) for kernel in kernels)
