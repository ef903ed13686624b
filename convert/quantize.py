"""Layers -> flatbuffer, with TensorFlow's own converter."""

import os
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.layers import Conv, Layer, activated, largest_weights, linear
from convert.recipes import Conversion
from edge_runtime.inference.contract import SIDE

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

Range = tuple[float, float]


class Network(tf.Module):  # type: ignore[misc]
    """Layers with a ReLU between them; `ranges` of their outputs only where activations are integers."""

    def __init__(self, layers: Sequence[Layer], ranges: list[Range] | None) -> None:
        super().__init__()
        self.layers = [
            layer._replace(kernel=tf.constant(layer.kernel), bias=tf.constant(layer.bias)) for layer in layers
        ]
        self._largest = [largest_weights(layer).astype(np.float32) for layer in layers]
        self._ranges = ranges

    @tf.function(input_signature=[tf.TensorSpec((None, SIDE, SIDE), tf.float32, name="pixels")])  # type: ignore[untyped-decorator]
    def logits(self, pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return logits, (N, classes), of pixels, (N, 28, 28) from 0 to 255."""
        values = pixels if self._ranges is None else _fake_quantized(pixels, (0.0, 255.0))
        if isinstance(self.layers[0], Conv):
            values = values[..., None]
        for i, layer in enumerate(self.layers):
            kernel = layer.kernel if self._ranges is None else _fake_quantized_kernel(layer.kernel, self._largest[i])
            if isinstance(layer, Conv):
                values = tf.nn.conv2d(values, kernel, layer.stride, layer.padding.upper()) + layer.bias
            else:
                flat = values if values.shape.rank == 2 else tf.reshape(values, (-1, kernel.shape[0]))
                values = flat @ kernel + layer.bias
            if i < len(self.layers) - 1:
                values = tf.nn.relu(values)
            if self._ranges is not None:
                values = _fake_quantized(values, self._ranges[i])
            if isinstance(layer, Conv) and layer.pool > 1:
                values = tf.nn.max_pool2d(values, layer.pool, layer.pool, "VALID")
        return {"logits": values}


def quantize(layers: Sequence[Layer], conversion: Conversion, calibration: NDArray[np.uint8]) -> bytes:
    """Return the flatbuffer of a network from raw pixels to logits.

    `calibration` is uint8 (N, 28, 28), in the contract. The int8 recipe takes raw uint8 bytes (scale 1, zero point 0)
    and returns int8; every other takes and returns float32.

    By default the converter gives each output of a layer its own scale. That suits convolutions. For dense layers, fake
    quantization in the network, as in quantization-aware training (Jacob et al. 2018), forces one scale per kernel;
    where activations are floats, the converter's former quantizer does the same.
    """
    integers = conversion.activations == "int8"
    network = Network(layers, _ranges(layers, calibration) if integers else None)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(network, folder, signatures=network.logits)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if conversion.weights != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if conversion.weights == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if integers:
            converter.inference_input_type = tf.uint8
            converter.inference_output_type = tf.int8
        elif conversion.weights == "int8":
            converter.experimental_new_dynamic_range_quantizer = False
        return bytes(converter.convert())


def _ranges(layers: Sequence[Layer], calibration: NDArray[np.uint8]) -> list[Range]:
    """Return the least and greatest output of each layer, 0 included; 0 to 1 where all outputs are 0.

    Rounding from float64 to float32 hides the order of additions, which differs from run to run.
    """
    values: NDArray[Any] = calibration
    ranges = []
    for i, layer in enumerate(layers):
        outputs = linear(layer, values)
        low = float(np.float32(outputs.min(initial=0.0))) if i == len(layers) - 1 else 0.0  # others have a ReLU
        high = float(np.float32(outputs.max(initial=0.0)))
        ranges.append((low, high if low < high else 1.0))
        values = activated(layer, outputs)
    return ranges


def _fake_quantized(values: tf.Tensor, bounds: Range) -> tf.Tensor:
    """Return values in 255 steps of a range."""
    return tf.quantization.fake_quant_with_min_max_args(values, *bounds, num_bits=8)


def _fake_quantized_kernel(kernel: tf.Tensor, largest: NDArray[np.float32]) -> tf.Tensor:
    """Return a kernel in 254 steps around 0: of one size, or of one for each output; see `largest_weights`."""
    if largest.ndim:
        return tf.quantization.fake_quant_with_min_max_vars_per_channel(kernel, -largest, largest, narrow_range=True)
    bounds = -float(largest), float(largest)
    return tf.quantization.fake_quant_with_min_max_args(kernel, *bounds, narrow_range=True)
