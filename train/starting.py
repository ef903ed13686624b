"""Go on from a model file: its network, to be trained on, and the average of what it was and what it became.

The average reads what was trained for nearly as well, and keeps what the network could do before (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models"); several that went on from one network average better than any (by the same,
"Model soups").
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.records import Uint8
from train import int8_file

WHITE = 255.0  # of pixels, which the networks here scale to [0, 1]
LEAST_SPREAD = 1e-3  # of what a unit answers: one that hardly ever speaks is not made louder than that
Float64 = NDArray[np.float64]


class Layer(NamedTuple):
    """A dense layer: `kernel` (inputs, outputs) and `bias` (outputs,); a ReLU stands between layers."""

    kernel: Float64
    bias: Float64


def put(network: keras.Sequential, path: Path, images: Uint8) -> list[Layer]:
    """Let a network of `model.build` answer as the int8 file does, and return the layers that it has then.

    On `images`, uint8 (N, 28, 28), each hidden unit is scaled to answer with a standard deviation of 1, and batch
    normalization begins with what it measures there. Raises ModelError where the file has other layers.
    """
    layers = [Layer(whole.kernel, whole.shift) for whole in int8_file.read(path)]
    layers[0] = Layer(layers[0].kernel * WHITE, layers[0].bias)
    dense, normalized = _of(network, keras.layers.Dense), _of(network, keras.layers.BatchNormalization)
    shapes = [layer.kernel.shape for layer in layers]
    if shapes != [tuple(layer.kernel.shape) for layer in dense]:
        raise ModelError(f"{path} has layers of {shapes}, other than this recipe's")
    values = images.reshape(len(images), -1) / WHITE
    for n, normalization in enumerate(normalized):
        kernel, bias = layers[n]
        spread = np.maximum(LEAST_SPREAD, np.maximum(0, values @ kernel + bias).std(axis=0))
        layers[n] = kernel, bias = Layer(kernel / spread, bias / spread)
        layers[n + 1] = Layer(layers[n + 1].kernel * spread[:, None], layers[n + 1].bias)
        answers = values @ kernel
        # Its columns are as long as those of a network that has not learned: a step of training is worth as much.
        longer = _lengths(dense[n].get_weights()[0]) / np.maximum(1e-9, _lengths(kernel))
        mean, variance = answers.mean(axis=0) * longer, answers.var(axis=0) * longer**2
        dense[n].set_weights([kernel * longer])
        deviation = np.sqrt(variance + normalization.epsilon)
        normalization.set_weights([deviation / longer, bias + mean / longer, mean, variance])
        values = np.maximum(0, answers + bias)
    dense[-1].set_weights(list(layers[-1]))
    return layers


def averaged(networks: Sequence[keras.Sequential], before: list[Layer], kept: float) -> keras.Sequential:
    """Return a network of plain dense layers: the average of `before`, which weighs `kept`, 0-1, and of `networks`.

    These went on from `before`, and weigh the same.
    """
    shape = keras.Input(networks[0].input_shape[1:])
    result = keras.Sequential([shape, keras.layers.Rescaling(1 / WHITE), keras.layers.Flatten()])
    for was, *became in zip(before, *map(_folded, networks), strict=True):
        if len(result.layers) > 2:
            result.add(keras.layers.ReLU())
        result.add(keras.layers.Dense(len(was.bias)))
        result.layers[-1].set_weights(
            [kept * old + (1 - kept) * np.mean(new, axis=0) for old, *new in zip(was, *became, strict=True)]
        )
    return result


def _folded(network: keras.Sequential) -> list[Layer]:
    """Return the layers that a network of `model.build` amounts to."""
    *hidden, last = _of(network, keras.layers.Dense)
    layers = []
    for dense, normalization in zip(hidden, _of(network, keras.layers.BatchNormalization), strict=True):
        gamma, beta, mean, variance = normalization.get_weights()
        factor = gamma / np.sqrt(variance + normalization.epsilon)
        layers.append(Layer(dense.get_weights()[0] * factor, beta - mean * factor))
    return [*layers, Layer(*last.get_weights())]


def _of(network: keras.Sequential, kind: type[keras.layers.Layer]) -> list[keras.layers.Layer]:
    return [layer for layer in network.layers if isinstance(layer, kind)]


def _lengths(kernel: Float64) -> Float64:
    return np.asarray(np.linalg.norm(kernel, axis=0))
