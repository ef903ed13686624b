"""Keras network -> plain dense layers: scaling, batch normalization and softmax folded away."""

from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import EdgeError

SIDE = 28


class UnusableModel(EdgeError, ValueError):
    """A Keras model that cannot become a digit classifier."""

    exit_code = 4


class Dense(NamedTuple):
    """One dense layer: `kernel` float32 (inputs, outputs), `bias` float32 (outputs,); ReLU between layers."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def fold(network: keras.Model) -> list[Dense]:
    """Return the dense layers that give the network's logits from pixels, (N, 28, 28) from 0 to 255.

    Raises UnusableModel where the network is anything but scaling, dense layers, batch normalization and ReLU, ending
    in a softmax over at least two classes.
    """
    _check_shapes(network)
    scale, offset = 1.0, 0.0  # of the network's input
    kernels: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    active = True  # whether a ReLU, or the input, stands before the next dense layer
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
                kernel, bias = kernel * scale, bias + offset * kernel.sum(axis=0)
            kernels.append((kernel, bias))
            name = layer.activation.__name__
            if name not in ("linear", "relu", "softmax"):
                raise UnusableModel(
                    f"layer {layer.name} has the activation {name}; only relu and a last softmax can be"
                )
            active, ended = name == "relu", name == "softmax"
        elif isinstance(layer, keras.layers.BatchNormalization) and kernels and not active:
            gamma, beta, mean, variance = (np.asarray(weight, np.float64) for weight in layer.get_weights())
            factor = gamma / np.sqrt(variance + layer.epsilon)
            kernel, bias = kernels[-1]
            kernels[-1] = kernel * factor, (bias - mean) * factor + beta
        elif isinstance(layer, keras.layers.ReLU) and kernels:
            active = True
        elif isinstance(layer, keras.layers.Softmax):
            ended = True
        elif not isinstance(layer, keras.layers.Flatten | keras.layers.Dropout | keras.layers.InputLayer):
            raise UnusableModel(f"layer {layer.name} ({type(layer).__name__}) cannot be converted")
    if not ended:
        raise UnusableModel("the network does not end in a softmax: its outputs are not probabilities of classes")
    return _finite([Dense(kernel.astype(np.float32), bias.astype(np.float32)) for kernel, bias in kernels])


def _check_shapes(network: keras.Model) -> None:
    if network.input_shape != (None, SIDE, SIDE):
        raise UnusableModel(f"the network takes {network.input_shape}, not (None, {SIDE}, {SIDE})")
    shape = network.output_shape
    if len(shape) != 2 or not shape[1] or shape[1] < 2:
        raise UnusableModel(f"the network answers with {shape}, not with a score for each of two classes or more")


def _weights(layer: keras.layers.Dense) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    kernel = np.asarray(layer.kernel, np.float64)
    return kernel, np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(kernel.shape[1])


def _finite(layers: list[Dense]) -> list[Dense]:
    for number, layer in enumerate(layers, 1):
        if not (np.isfinite(layer.kernel).all() and np.isfinite(layer.bias).all()):
            raise UnusableModel(f"dense layer {number} has weights that are not finite numbers")
    return layers
