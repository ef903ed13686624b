"""Folding: plain dense layers that answer as the Keras network does, or a clear refusal."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from convert.fold import UnusableModel, fold
from convert.layers import Layer
from train import dataset

Float = NDArray[np.float64]


def network(*stack: Any, classes: int = 10) -> keras.Sequential:
    """Return a network of random weights, moving averages included, that ends in a softmax."""
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((28, 28)), *stack, layers.Dense(classes), layers.Softmax()])
    rng = np.random.default_rng(1)
    for layer in made.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in layer.get_weights()])
        elif isinstance(layer, layers.Dense) and layer.use_bias:
            layer.bias.assign(rng.normal(size=layer.bias.shape))
    return made


def without_softmax(made: keras.Sequential) -> keras.Model:
    return keras.Sequential([keras.Input((28, 28)), *made.layers[:-1]])


def logits(folded: list[Layer], images: NDArray[np.uint8]) -> Float:
    values = images.reshape(len(images), -1).astype(np.float64)
    for layer in folded[:-1]:
        values = np.maximum(values @ layer.kernel + layer.bias, 0)
    return np.asarray(values @ folded[-1].kernel + folded[-1].bias)


def softmax(values: Float) -> Float:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return dataset.load("test").images[:200]


def scaling(scale: float, offset: float = 0) -> list[Any]:
    return [layers.Rescaling(scale, offset), layers.Flatten()]


NETWORKS: dict[str, Callable[[], keras.Sequential]] = {
    "no scaling": lambda: network(layers.Flatten(), layers.Dense(30, activation="relu")),
    "to 0 and 1": lambda: network(*scaling(1 / 255), layers.Dense(30, activation="relu")),
    "to -1 and 1": lambda: network(*scaling(2 / 255, -1), layers.Dense(30, activation="relu")),
    "scaled twice": lambda: network(layers.Rescaling(0.5, 3), *scaling(0.01, -0.25), layers.Dense(20), layers.ReLU()),
    "flattened first": lambda: network(layers.Flatten(), layers.Rescaling(1 / 255), layers.Dense(30), layers.ReLU()),
    "no hidden layer": lambda: network(*scaling(1 / 255)),
    "no biases": lambda: network(*scaling(1 / 255, 0.5), layers.Dense(30, use_bias=False), layers.ReLU()),
    "batch normalization": lambda: network(
        *scaling(1 / 255, -0.5),
        layers.Dense(30, use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Dense(20), layers.BatchNormalization(epsilon=0.1), layers.ReLU(),
    ),
    "half a batch normalization": lambda: network(
        *scaling(1 / 255),
        layers.Dense(30), layers.BatchNormalization(scale=False), layers.ReLU(),
        layers.Dense(20), layers.BatchNormalization(center=False), layers.ReLU(),
    ),
    "dropout": lambda: network(
        *scaling(1 / 255), layers.Dropout(0.2), layers.Dense(30), layers.ReLU(), layers.Dropout(0.5),
    ),
    "seven classes": lambda: network(*scaling(1 / 255), layers.Dense(30, activation="relu"), classes=7),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_folded_layers_give_the_networks_logits(name: str, images: NDArray[np.uint8]) -> None:
    made = NETWORKS[name]()
    expected = np.asarray(without_softmax(made)(images))
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(logits(fold(made), images), expected, atol=1e-3)


def test_last_layer_may_have_the_softmax_itself(images: NDArray[np.uint8]) -> None:
    made = keras.Sequential(
        [keras.Input((28, 28)), *scaling(1 / 255), layers.Dense(20, activation="relu"), layers.Dense(10, "softmax")]
    )
    np.testing.assert_allclose(softmax(logits(fold(made), images)), np.asarray(made(images)), atol=1e-5)


def test_trained_network_keeps_its_probabilities(smoke_build: Path, images: NDArray[np.uint8]) -> None:
    trained = keras.models.load_model(smoke_build / "digits.keras")
    folded = fold(trained)
    assert [layer.kernel.shape for layer in folded] == [(784, 128), (128, 10)]
    assert all(layer.kernel.dtype == layer.bias.dtype == np.float32 for layer in folded)
    predicted = trained.predict(images, verbose=0)
    np.testing.assert_allclose(softmax(logits(folded, images)), predicted, atol=1e-4)


# Refusals


def not_finite() -> keras.Sequential:
    made = network(*scaling(1 / 255), layers.Dense(30), layers.ReLU())
    made.layers[2].bias.assign([np.nan] * 30)
    return made


def sequential(*stack: Any, shape: tuple[int, ...] = (28, 28)) -> keras.Sequential:
    return keras.Sequential([keras.Input(shape), *stack])


def two_outputs() -> keras.Model:
    pixels = keras.Input((28, 28))
    flat = layers.Flatten()(pixels)
    return keras.Model(pixels, [layers.Dense(10, "softmax")(flat), layers.Dense(10, "softmax")(flat)])


def shared_layer() -> keras.Model:
    pixels = keras.Input((28, 28))
    again = layers.Dense(20, "relu")
    values = layers.Dense(20, "relu")(layers.Flatten()(pixels))
    return keras.Model(pixels, layers.Dense(10, "softmax")(again(again(values))))


def conv() -> keras.Sequential:
    return sequential(
        layers.Reshape((28, 28, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(10), layers.Softmax()
    )


UNUSABLE: dict[str, tuple[Callable[[], keras.Model], str]] = {
    "flat input": (
        lambda: sequential(layers.Dense(10), layers.Softmax(), shape=(784,)),
        r"expected input shape \(None, 28, 28\), found \(None, 784\)",
    ),
    "color input": (
        lambda: sequential(layers.Flatten(), layers.Dense(10), layers.Softmax(), shape=(28, 28, 3)),
        r"expected input shape \(None, 28, 28\), found \(None, 28, 28, 3\)",
    ),
    "no softmax": (
        lambda: sequential(layers.Flatten(), layers.Dense(10)),
        "must end in a softmax",
    ),
    "sigmoids": (
        lambda: sequential(layers.Flatten(), layers.Dense(10, "sigmoid", name="last")),
        "layer last has the activation sigmoid; only relu",
    ),
    "one class": (
        lambda: sequential(layers.Flatten(), layers.Dense(1), layers.Softmax()),
        r"expected one output for each of two classes or more, found output shape \(None, 1\)",
    ),
    "a class for every pixel": (
        lambda: sequential(layers.Dense(10), layers.Softmax()),
        r"found output shape \(None, 28, 10\)",
    ),
    "two outputs": (two_outputs, "found output shape "),
    "linear convolution": (conv, r"layer dense\w* must follow a ReLU"),
    "reshaped between": (
        lambda: network(layers.Flatten(), layers.Dense(30, "relu"), layers.Reshape((30,), name="late")),
        r"layer late \(Reshape\) is not supported",
    ),
    "not finite": (not_finite, "layer 1 has weights that are not finite"),
    "tanh": (
        lambda: network(layers.Flatten(), layers.Dense(30, "tanh", name="bent")),
        "layer bent has the activation tanh",
    ),
    "leaky layer as activation": (
        lambda: network(layers.Flatten(), layers.Dense(30, activation=layers.LeakyReLU(), name="bent")),
        "layer bent has the activation LeakyReLU",
    ),
    "clipped ReLU": (
        lambda: network(layers.Flatten(), layers.Dense(30), layers.ReLU(max_value=6, name="clipped")),
        "layer clipped is not a plain ReLU",
    ),
    "leaky ReLU": (
        lambda: network(layers.Flatten(), layers.Dense(30), layers.ReLU(negative_slope=0.1, name="leaky")),
        "layer leaky is not a plain ReLU",
    ),
    "shifted ReLU": (
        lambda: network(layers.Flatten(), layers.Dense(30), layers.ReLU(threshold=1, name="shifted")),
        "layer shifted is not a plain ReLU",
    ),
    "layer after the softmax": (
        lambda: sequential(layers.Flatten(), layers.Dense(10, "softmax"), layers.Dense(10, name="late")),
        "the layer after the softmax, late, is not supported",
    ),
    "two softmaxes": (
        lambda: sequential(layers.Flatten(), layers.Dense(10, "softmax"), layers.Softmax(name="late")),
        "the layer after the softmax, late, is not supported",
    ),
    "nothing between dense layers": (
        lambda: network(layers.Flatten(), layers.Dense(30)),
        r"layer dense\w* must follow a ReLU",
    ),
    "ReLU before the softmax": (
        lambda: sequential(layers.Flatten(), layers.Dense(10, "relu"), layers.Softmax(name="last")),
        "the softmax, layer last, must follow a dense layer without a ReLU",
    ),
    "no dense layer": (
        lambda: sequential(layers.Flatten(), layers.Softmax(name="last")),
        "the softmax, layer last, must follow a dense layer without a ReLU",
    ),
    "dense before flatten": (
        lambda: sequential(layers.Dense(30, "relu", name="rows"), layers.Flatten(), layers.Dense(10, "softmax")),
        "layer rows must follow a Flatten",
    ),
    "normalization before the first layer": (
        lambda: network(layers.Flatten(), layers.BatchNormalization(name="early")),
        r"layer early \(BatchNormalization\) is not supported",
    ),
    "normalization after the ReLU": (
        lambda: network(layers.Flatten(), layers.Dense(30, "relu"), layers.BatchNormalization(name="late")),
        r"layer late \(BatchNormalization\) is not supported",
    ),
    "scaling between": (
        lambda: network(layers.Flatten(), layers.Dense(30, "relu"), layers.Rescaling(2, name="late")),
        r"layer late \(Rescaling\) is not supported",
    ),
    "shared layer": (shared_layer, "must be a plain sequence of layers, each used once"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_network_is_refused_with_the_reason(name: str) -> None:
    make, message = UNUSABLE[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras doubts some of these networks too
        made = make()
    with pytest.raises(UnusableModel, match=message) as error:
        fold(made)
    assert error.value.exit_code == 4
    assert "\n" not in str(error.value)
