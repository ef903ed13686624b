"""Initialize the line network from the int8 one in a model file, and average it with that one after training.

The average is as accurate as the earlier network on data unlike the new training data, and nearly as accurate as the
trained one on data like it (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from pathlib import Path

import keras
import numpy as np

from edge_runtime.errors import ModelError
from edge_runtime.records import Uint8
from train import int8_file, normalization
from train.int8_file import Convolution

WHITE = 255.0  # the largest pixel value: the network scales pixels to [0, 1] first, the int8 one does not
BATCH = 64  # strips at a time, to save memory


def read(network: keras.Model, path: Path) -> list[Convolution]:
    """Return the convolutions of a model file's line network. Raises ModelError where they are not like `network`'s.

    `network` is one of `line_network.build`.
    """
    stored = int8_file.convolutions(path)
    if [each.kernel.shape for each in stored] != [tuple(each.kernel.shape) for each in _layers(network)]:
        raise ModelError(f"the line network of {path} has other layers than `python -m train.line` trains")
    return stored


def initialize(network: keras.Model, convolutions: list[Convolution], strips: Uint8) -> None:
    """Give a network the weights of these convolutions, in place: it computes the same logits, without rounding.

    Batch normalization starts with the statistics of these strips, uint8 (N, 32, W).
    """
    first = convolutions[0]._replace(kernel=convolutions[0].kernel * WHITE)
    batches = np.array_split(strips[..., None], -(-len(strips) // BATCH))
    for layer, (kernel, bias) in zip(_layers(network), [first, *convolutions[1:]], strict=True):
        if layer.use_bias:
            layer.set_weights([kernel, bias])
            continue
        before = layer.get_weights()
        layer.set_weights([kernel])
        part = keras.Model(network.input, layer.output)
        outputs = np.concatenate([part(own) for own in batches])  # `predict` would compile a function for each layer
        layer.set_weights(before)
        normalization.begin(layer, _after(network, layer), kernel, bias, outputs)


def average(network: keras.Model, before: list[Convolution], strips: Uint8) -> None:
    """Replace the weights of a network, in place, by the average of them and of those it was trained from."""
    pairs = zip(folded(network), before, strict=True)
    initialize(network, [Convolution(*((a + b) / 2 for a, b in zip(*pair, strict=True))) for pair in pairs], strips)


def folded(network: keras.Model) -> list[Convolution]:
    """Return the convolutions of a network, with batch normalization and the division of pixels by 255 folded in."""
    convolutions = []
    for layer in _layers(network):
        kernel, *bias = layer.get_weights()
        if not layer.use_bias:
            factor, shift = normalization.factor_and_shift(_after(network, layer))
            kernel, bias = kernel * normalization.of_channels(factor, kernel), [shift]
        convolutions.append(Convolution(kernel, bias[0]))
    convolutions[0] = convolutions[0]._replace(kernel=convolutions[0].kernel / WHITE)
    return convolutions


def _layers(network: keras.Model) -> list[keras.Layer]:
    return [each for each in network.layers if isinstance(each, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)]


def _after(network: keras.Model, layer: keras.Layer) -> keras.layers.BatchNormalization:
    """Return the batch normalization that takes a layer's output."""
    return network.layers[network.layers.index(layer) + 1]
