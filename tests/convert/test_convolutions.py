"""Convolutions: folded, rounded and quantized like dense layers, but with a scale for each output."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from numpy.typing import NDArray

from convert import quantize
from convert.equalize import equalize
from convert.fold import UnusableModel, fold
from convert.layers import Conv, activated, as_float32, largest_weights, linear, logits
from convert.recipes import CONVERSIONS
from convert.rounding import STEPS, round_weights
from convert.verify import verify
from edge_runtime.system.native_logs import stderr_silenced
from tests.convert.test_fold import network, softmax, without_softmax
from train import dataset, model
from train.recipes import Convolution, Recipe

STACK = Recipe(
    name="small",
    convolutions=(Convolution(filters=6, size=5, stride=2), Convolution(filters=8, pool=2)),
    hidden=(12,),
    epochs=1,
    batch_size=1,
)


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return dataset.load("test").images[:200]


@pytest.fixture(scope="module")
def made() -> keras.Sequential:
    """A network as `train` builds them, with random weights and statistics."""
    return network(*model.build(STACK).layers[:-1])


@settings(max_examples=25)
@given(
    side=st.integers(1, 5), stride=st.integers(1, 3), padding=st.sampled_from(["same", "valid"]),
    channels=st.integers(1, 3), length=st.integers(5, 12), seed=st.integers(0, 99),
)  # fmt: skip
def test_linear_equals_keras(side: int, stride: int, padding: Any, channels: int, length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(3, length, length + 2, channels))
    layer = Conv(rng.normal(size=(side, side, channels, 4)), rng.normal(size=4), stride, padding)
    expected = keras.ops.conv(values.astype(np.float32), layer.kernel.astype(np.float32), stride, padding)
    np.testing.assert_allclose(linear(layer, values), np.asarray(expected) + layer.bias, atol=1e-4)


def test_activated_is_a_relu_and_a_maximum() -> None:
    values = np.array([[-1, 3, 9], [2, -5, 9], [9, 9, 9]], float)[None, :, :, None]
    layer = Conv(np.ones((1, 1, 1, 1)), np.zeros(1), pool=2)
    assert activated(layer, values).tolist() == [[[[3]]]]
    assert activated(layer._replace(pool=1), values)[0, :, :, 0].tolist() == [[0, 3, 9], [2, 0, 9], [9, 9, 9]]


def test_folded_layers_give_the_networks_logits(made: keras.Sequential, images: NDArray[np.uint8]) -> None:
    folded = fold(made)
    assert [layer.kernel.shape for layer in folded] == [(5, 5, 1, 6), (3, 3, 6, 8), (392, 12), (12, 10)]
    assert all(layer.kernel.dtype == layer.bias.dtype == np.float32 for layer in folded)
    expected = np.asarray(without_softmax(made)(images))
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(logits(folded, images), expected, atol=1e-3)


def test_a_tutorials_own_network_folds(images: NDArray[np.uint8]) -> None:
    made = network(
        layers.Rescaling(1 / 255, 0.1), layers.Reshape((28, 28, 1)), layers.Conv2D(4, 3, activation="relu"),
        layers.MaxPooling2D(), layers.Dropout(0.2), layers.Conv2D(5, 3), layers.ReLU(), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(16, activation="relu"),
    )  # fmt: skip
    np.testing.assert_allclose(softmax(logits(fold(made), images)), np.asarray(made(images)), atol=1e-4)


@pytest.mark.parametrize("name", CONVERSIONS)
def test_flatbuffer_gives_the_networks_logits(name: str, made: keras.Sequential, images: NDArray[np.uint8]) -> None:
    folded, conversion = equalize(fold(made)), CONVERSIONS[name]
    own = round_weights(folded, images) if conversion.weights == "int8" else folded
    with stderr_silenced():
        flatbuffer = quantize.quantize(own, conversion, images)
        verify(flatbuffer, conversion)
        interpreter = Interpreter(model_content=flatbuffer)
        interpreter.allocate_tensors()
    taken, answered = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(taken["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(taken["index"], images.astype(taken["dtype"]))
    interpreter.invoke()
    expected = logits(folded, images)
    seen = interpreter.get_tensor(answered["index"]).astype(float)
    if answered["dtype"] == np.int8:
        seen = (seen - answered["quantization"][1]) * answered["quantization"][0]
    assert np.abs(seen - expected).max() < 0.04 * np.ptp(expected)
    assert np.corrcoef(seen.ravel(), expected.ravel())[0, 1] > 0.999
    kernels = [
        each for each in interpreter.get_tensor_details() if tuple(each["shape"]) in ((6, 5, 5, 1), (8, 3, 3, 6))
    ]
    if conversion.activations == "int8":
        assert [len(np.unique(each["quantization_parameters"]["scales"])) for each in kernels] in ([6, 8], [8, 6])


def test_rounded_kernels_are_whole_steps(made: keras.Sequential, images: NDArray[np.uint8]) -> None:
    folded = fold(made)
    rounded = round_weights(folded, images)
    for layer, after in zip(folded, rounded, strict=True):
        step = largest_weights(layer) / STEPS
        assert step.shape == (layer.kernel.shape[-1:] if isinstance(layer, Conv) else ())
        assert np.abs(after.kernel / step - np.round(after.kernel / step)).max() < 1e-3
        np.testing.assert_allclose(largest_weights(after) / STEPS, step, rtol=1e-5)


def test_rounding_loses_less_than_the_nearest_steps(made: keras.Sequential, images: NDArray[np.uint8]) -> None:
    folded = fold(made)
    nearest = []
    for layer in folded:
        step = largest_weights(layer) / STEPS
        nearest.append(as_float32(layer._replace(kernel=np.round(layer.kernel / step) * step)))
    lost = [
        np.square(logits(each, images) - logits(folded, images)).mean()
        for each in (round_weights(folded, images), nearest)
    ]
    assert lost[0] < 0.7 * lost[1]


def test_equalizing_leaves_convolutions_alone(made: keras.Sequential, images: NDArray[np.uint8]) -> None:
    folded = fold(made)
    equalized = equalize(folded)
    np.testing.assert_allclose(logits(equalized, images), logits(folded, images), rtol=1e-3, atol=1e-3)
    for before, after in zip(folded[:2], equalized[:2], strict=True):
        np.testing.assert_array_equal(before.kernel, after.kernel)
    ranges = [np.abs(layer.kernel).max(axis=axis) for axis, layer in zip((0, 1), equalized[2:], strict=True)]
    for incoming, outgoing in pairwise(ranges):
        np.testing.assert_allclose(incoming, outgoing, rtol=1e-3)


def convolution(*stack: Any, scaling: Any = None, **options: Any) -> Callable[[], keras.Sequential]:
    return lambda: network(
        scaling or layers.Rescaling(1 / 255), layers.Reshape((28, 28, 1)),
        layers.Conv2D(4, 3, activation="relu", name="conv", **options), *stack, layers.Flatten(),
    )  # fmt: skip


UNUSABLE: dict[str, tuple[Callable[[], keras.Sequential], str]] = {
    "pixels as channels": (
        lambda: network(
            layers.Rescaling(1 / 255),
            layers.Reshape((14, 14, 4)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.Flatten(),
        ),
        r"layer conv cannot be converted: its input must be \(28, 28, 1\)",
    ),
    "pooled before the ReLU": (
        lambda: network(
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(4, 3),
            layers.MaxPooling2D(2, name="pool"),
            layers.ReLU(),
            layers.Flatten(),
        ),
        "layer pool cannot be converted: it must follow a convolution and its ReLU",
    ),
    "dilation": (convolution(dilation_rate=2), "layer conv cannot be converted: .* no dilation"),
    "two strides": (convolution(strides=(1, 2)), "layer conv cannot be converted: it must have equal strides"),
    "offset with padding": (
        convolution(scaling=layers.Rescaling(1 / 255, 0.5), padding="same"),
        "layer conv cannot be converted: with this padding",
    ),
    "overlapping windows": (
        convolution(layers.MaxPooling2D(3, strides=1, name="pool")),
        "layer pool cannot be converted: its windows must be",
    ),
    "pooled twice": (
        convolution(layers.MaxPooling2D(), layers.MaxPooling2D(name="pool")),
        "layer pool cannot be converted: it must follow a convolution",
    ),
    "average": (convolution(layers.AveragePooling2D(2, name="mean")), r"layer mean \(AveragePooling2D\) is not"),
    "depthwise": (convolution(layers.DepthwiseConv2D(3, name="deep")), r"layer deep \(DepthwiseConv2D\) is not"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_convolution_is_refused(name: str) -> None:
    make, message = UNUSABLE[name]
    with pytest.raises(UnusableModel, match=message):
        fold(make())
