"""Keras network -> plain dense layers: fold scaling and batch normalization, drop the softmax."""

from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import EdgeError
from edge_runtime.inference.contract import SIDE


class UnusableModel(EdgeError, ValueError):
    """A Keras model that cannot become a digit classifier."""

    exit_code = 4


class Dense(NamedTuple):
    """A dense layer: `kernel` float32 (inputs, outputs), `bias` float32 (outputs,); ReLU between layers."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def fold(network: keras.Model) -> list[Dense]:  # noqa: C901 - one case for each kind of layer
    """Return the dense layers that compute the network's logits from pixels, (N, 28, 28) from 0 to 255.

    Raises UnusableModel where the network has anything but scaling, dense layers, batch normalization and ReLU, or does
    not end in a softmax over at least two classes.
    """
    _check_shapes(network)
    scale, offset = 1.0, 0.0  # of the network's input
    kernels: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    active = True  # whether a ReLU or the input precedes the next dense layer
    ended = False
    for layer in network.layers:
        if ended:
            raise UnusableModel(f"layer {layer.name} stands behind the softmax")
        if isinstance(layer, keras.layers.Rescaling) and not kernels:
            scale, offset = scale * float(layer.scale), offset * float(layer.scale) + float(layer.offset)
        elif isinstance(layer, keras.layers.Dense):
            if not active:
                raise UnusableModel(f"no ReLU stands before layer {layer.name}")
            kernel, bias = _weights(layer)
            if not kernels:
                if len(kernel) != SIDE * SIDE:
                    raise UnusableModel(f"layer {layer.name} does not see all pixels: no Flatten stands before it")
                kernel, bias = kernel * scale, bias + offset * kernel.sum(axis=0)
            kernels.append((kernel, bias))
            name = getattr(layer.activation, "__name__", type(layer.activation).__name__)
            if name not in ("linear", "relu", "softmax"):
                raise UnusableModel(
                    f"layer {layer.name} has the activation {name}; only relu and a last softmax can be"
                )
            active, ended = name == "relu", name == "softmax"
        elif isinstance(layer, keras.layers.BatchNormalization) and kernels and not active:
            (kernel, bias), (factor, shift) = kernels[-1], _normalization(layer)
            kernels[-1] = kernel * factor, bias * factor + shift
        elif isinstance(layer, keras.layers.ReLU) and kernels:
            if layer.max_value is not None or layer.negative_slope or layer.threshold:
                raise UnusableModel(f"layer {layer.name} is not a plain ReLU")
            active = True
        elif isinstance(layer, keras.layers.Softmax):
            if active:
                raise UnusableModel(f"no dense layer without a ReLU stands before the softmax, layer {layer.name}")
            ended = True
        elif not isinstance(layer, keras.layers.Flatten | keras.layers.Dropout | keras.layers.InputLayer):
            raise UnusableModel(f"layer {layer.name} ({type(layer).__name__}) cannot be converted")
    if not ended:
        raise UnusableModel("the network does not end in a softmax: its outputs are not probabilities of classes")
    layers = _finite([Dense(kernel.astype(np.float32), bias.astype(np.float32)) for kernel, bias in kernels])
    _check_answers(network, layers)
    return layers


def _check_shapes(network: keras.Model) -> None:
    if network.input_shape != (None, SIDE, SIDE):
        raise UnusableModel(f"the network takes {network.input_shape}, not (None, {SIDE}, {SIDE})")
    shape = network.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or not shape[1] or shape[1] < 2:
        raise UnusableModel(f"the network answers with {shape}, not with a score for each of two classes or more")


def _weights(layer: keras.layers.Dense) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    kernel = np.asarray(layer.kernel, np.float64)
    return kernel, np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(kernel.shape[1])


def _normalization(layer: keras.layers.BatchNormalization) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the factor and the shift of a batch normalization."""
    factor = 1 / np.sqrt(np.asarray(layer.moving_variance, np.float64) + layer.epsilon)
    if layer.scale:
        factor = factor * np.asarray(layer.gamma, np.float64)
    shift = -factor * np.asarray(layer.moving_mean, np.float64)
    return factor, shift + np.asarray(layer.beta, np.float64) if layer.center else shift


def _finite(layers: list[Dense]) -> list[Dense]:
    for number, layer in enumerate(layers, 1):
        if not (np.isfinite(layer.kernel).all() and np.isfinite(layer.bias).all()):
            raise UnusableModel(f"dense layer {number} has weights that are not finite numbers")
    return layers


def _check_answers(network: keras.Model, layers: list[Dense]) -> None:
    """Raise UnusableModel where the layers' outputs differ from the network's: it may not be sequential."""
    pixels = np.random.default_rng(1).integers(0, 256, (50, SIDE, SIDE)).astype(np.float32)
    values = pixels.reshape(len(pixels), -1)
    for kernel, bias in layers[:-1]:
        values = np.maximum(values @ kernel + bias, 0)
    values = values @ layers[-1].kernel + layers[-1].bias
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    if not np.allclose(powers / powers.sum(axis=1, keepdims=True), np.asarray(network(pixels)), atol=0.01):
        raise UnusableModel("the network is more than its layers one after another, each used once")
