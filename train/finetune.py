"""Fine-tuning: initialize a network from a model file, and average its weights before and after training.

The average is nearly as good on the new data, and as good as before on the old (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models"). The average of several fine-tuned networks is better than each of them (Wortsman et
al. 2022, "Model soups").
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
from train.normalization import begin, factor_and_shift

WHITE = 255.0  # the largest pixel value: the networks here scale pixels to [0, 1] first
# Lower bound of the standard deviation that divides a unit's outputs: a unit that is rarely active stays small.
LEAST_SPREAD = 1e-3
Float64 = NDArray[np.float64]


class Layer(NamedTuple):
    """A dense layer: `kernel` (inputs, outputs) and `bias` (outputs,); ReLU between layers."""

    kernel: Float64
    bias: Float64


def initialize(network: keras.Sequential, path: Path, images: Uint8) -> list[Layer]:
    """Give a network of `model.build` the weights of an int8 file, in place, and return its layers.

    The network computes the same logits as the file. Each hidden unit's scale gives its outputs on `images`, uint8 (N,
    28, 28), a standard deviation of 1, and batch normalization starts with the statistics of these images. Raises
    ModelError where the file's layers have other shapes than the network's.
    """
    layers = [Layer(layer.real_kernel, layer.real_bias) for layer in int8_file.read(path)]
    layers[0] = Layer(layers[0].kernel * WHITE, layers[0].bias)
    dense, normalized = _of(network, keras.layers.Dense), _of(network, keras.layers.BatchNormalization)
    shapes = [layer.kernel.shape for layer in layers]
    if shapes != [tuple(layer.kernel.shape) for layer in dense]:
        raise ModelError(f"{path} has layers of {shapes}, which differ from the recipe's")
    values = images.reshape(len(images), -1) / WHITE
    for n, normalization in enumerate(normalized):
        kernel, bias = layers[n]
        spread = np.maximum(LEAST_SPREAD, np.maximum(0, values @ kernel + bias).std(axis=0))
        layers[n] = kernel, bias = Layer(kernel / spread, bias / spread)
        layers[n + 1] = Layer(layers[n + 1].kernel * spread[:, None], layers[n + 1].bias)
        answers = values @ kernel
        begin(dense[n], normalization, kernel, bias, answers)
        values = np.maximum(0, answers + bias)
    dense[-1].set_weights(list(layers[-1]))
    return layers


def average(networks: Sequence[keras.Sequential], before: list[Layer], kept: float) -> keras.Sequential:
    """Return a network of dense layers with averaged weights and logits as outputs.

    `before` holds the layers before fine-tuning, with weight `kept`, 0-1; `networks` share the rest equally.
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
    """Return the dense layers of a network of `model.build`, with batch normalization folded in."""
    *hidden, last = _of(network, keras.layers.Dense)
    layers = []
    for dense, normalization in zip(hidden, _of(network, keras.layers.BatchNormalization), strict=True):
        factor, shift = factor_and_shift(normalization)
        layers.append(Layer(dense.get_weights()[0] * factor, shift))
    return [*layers, Layer(*last.get_weights())]


def _of(network: keras.Sequential, kind: type[keras.layers.Layer]) -> list[keras.layers.Layer]:
    return [layer for layer in network.layers if isinstance(layer, kind)]
