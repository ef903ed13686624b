"""Keras network -> plain layers: fold scaling and batch normalization, drop the softmax."""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from convert.layers import Conv, Dense, Layer, as_float32, flat_kernel, logits
from edge_runtime.errors import EdgeError
from edge_runtime.inference.contract import SIDE
from train.normalization import factor_and_shift


class UnusableModel(EdgeError, ValueError):
    """A Keras model that cannot become a digit classifier."""

    exit_code = 4


def fold(network: keras.Model) -> list[Layer]:
    """Return the layers that compute the network's logits from pixels, (N, 28, 28) from 0 to 255.

    Raises UnusableModel where the network has anything but scaling, convolutions with maximum pooling, dense layers,
    batch normalization and ReLU, or does not end in a softmax over at least two classes.
    """
    _check_shapes(network)
    folding = _Folding()
    for layer in network.layers:
        folding.add(layer)
    if not folding.ended:
        raise UnusableModel("the network must end in a softmax, whose outputs are probabilities of classes")
    layers = _finite([as_float32(layer) for layer in folding.layers])
    _check_answers(network, layers)
    return layers


class _Folding:
    """The layers so far, in float64."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.scale, self.offset = 1.0, 0.0  # of the network's input
        self.active = True  # whether a ReLU or the input precedes the next layer
        self.ended = False  # whether the softmax is there

    def add(self, layer: keras.layers.Layer) -> None:
        """Take the network's next layer in. Raises UnusableModel."""
        kinds = keras.layers
        if self.ended:
            raise UnusableModel(f"the layer after the softmax, {layer.name}, is not supported")
        if isinstance(layer, kinds.Rescaling) and not self.layers:
            self.scale *= float(layer.scale)
            self.offset = self.offset * float(layer.scale) + float(layer.offset)
        elif isinstance(layer, kinds.Dense):
            self._add_kernel(layer, _dense(layer))
        elif type(layer) is kinds.Conv2D:
            self._add_kernel(layer, _convolution(layer, is_first=not self.layers))
        elif isinstance(layer, kinds.BatchNormalization) and self.layers and not self.active:
            last, (factor, shift) = self.layers[-1], factor_and_shift(layer)
            self.layers[-1] = last._replace(kernel=last.kernel * factor, bias=last.bias * factor + shift)
        elif isinstance(layer, kinds.ReLU) and self.layers:
            if layer.max_value is not None or layer.negative_slope or layer.threshold:
                raise UnusableModel(f"layer {layer.name} is not a plain ReLU")
            self.active = True
        elif isinstance(layer, kinds.MaxPooling2D):
            self.layers[-1:] = [_pooled(self.layers[-1] if self.layers and self.active else None, layer)]
        elif isinstance(layer, kinds.Softmax):
            if self.active:
                raise UnusableModel(f"the softmax, layer {layer.name}, must follow a dense layer without a ReLU")
            self.ended = True
        elif not isinstance(layer, kinds.Flatten | kinds.Dropout | kinds.InputLayer) and not (
            isinstance(layer, kinds.Reshape) and not self.layers
        ):
            raise UnusableModel(f"layer {layer.name} ({type(layer).__name__}) is not supported")

    def _add_kernel(self, layer: keras.layers.Layer, plain: Layer) -> None:
        if not self.active:
            raise UnusableModel(f"layer {layer.name} must follow a ReLU")
        if not self.layers:
            kernel = flat_kernel(plain)
            if self.offset and isinstance(plain, Conv) and plain.padding == "same":
                raise UnusableModel(
                    f"layer {layer.name} cannot be converted: with this padding, scaling must have no offset"
                )
            plain = plain._replace(kernel=plain.kernel * self.scale, bias=plain.bias + self.offset * kernel.sum(axis=0))
        self.layers.append(plain)
        name = getattr(layer.activation, "__name__", type(layer.activation).__name__)
        if name not in ("linear", "relu", "softmax"):
            raise UnusableModel(
                f"layer {layer.name} has the activation {name}; only relu and a final softmax are supported"
            )
        self.active, self.ended = name == "relu", name == "softmax"


def _check_shapes(network: keras.Model) -> None:
    if network.input_shape != (None, SIDE, SIDE):
        raise UnusableModel(f"expected input shape (None, {SIDE}, {SIDE}), found {network.input_shape}")
    shape = network.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2 or not shape[1] or shape[1] < 2:
        raise UnusableModel(f"expected one output for each of two classes or more, found output shape {shape}")


def _dense(layer: keras.layers.Dense) -> Dense:
    if len(layer.input.shape) != 2:
        raise UnusableModel(f"layer {layer.name} must follow a Flatten, to see all pixels")
    return Dense(*_weights(layer))


def _convolution(layer: keras.layers.Conv2D, is_first: bool) -> Conv:
    if is_first and layer.input.shape[1:] != (SIDE, SIDE, 1):
        raise UnusableModel(f"layer {layer.name} cannot be converted: its input must be ({SIDE}, {SIDE}, 1)")
    if len(set(layer.strides)) > 1 or layer.dilation_rate != (1, 1) or layer.groups != 1:
        raise UnusableModel(
            f"layer {layer.name} cannot be converted: it must have equal strides, no dilation, one group"
        )
    if layer.data_format != "channels_last":
        raise UnusableModel(f"layer {layer.name} cannot be converted: use the data format channels_last")
    return Conv(*_weights(layer), layer.strides[0], layer.padding)


def _pooled(last: Layer | None, layer: keras.layers.MaxPooling2D) -> Conv:
    if not isinstance(last, Conv) or last.pool > 1:
        raise UnusableModel(f"layer {layer.name} cannot be converted: it must follow a convolution and its ReLU")
    if len({*layer.pool_size, *layer.strides}) > 1 or layer.padding != "valid":
        raise UnusableModel(
            f"layer {layer.name} cannot be converted: its windows must be square and adjacent, without padding"
        )
    return last._replace(pool=layer.pool_size[0])


def _weights(layer: keras.layers.Dense | keras.layers.Conv2D) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    kernel = np.asarray(layer.kernel, np.float64)
    return kernel, np.asarray(layer.bias, np.float64) if layer.use_bias else np.zeros(kernel.shape[-1])


def _finite(layers: list[Layer]) -> list[Layer]:
    for number, layer in enumerate(layers, 1):
        if not (np.isfinite(layer.kernel).all() and np.isfinite(layer.bias).all()):
            raise UnusableModel(f"layer {number} has weights that are not finite numbers")
    return layers


def _check_answers(network: keras.Model, layers: Sequence[Layer]) -> None:
    """Raise UnusableModel where the layers' outputs differ from the network's: it may not be sequential."""
    pixels = np.random.default_rng(1).integers(0, 256, (50, SIDE, SIDE)).astype(np.float32)
    values = logits(layers, pixels)
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    if not np.allclose(powers / powers.sum(axis=1, keepdims=True), np.asarray(network(pixels)), atol=0.01):
        raise UnusableModel("the network must be a plain sequence of layers, each used once")
