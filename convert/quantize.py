"""Dense layers -> flatbuffer, by TensorFlow's own converter."""

import os
import tempfile
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from convert.fold import SIDE, Dense
from convert.recipes import Conversion

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf


class _Network(tf.Module):  # type: ignore[misc]
    def __init__(self, layers: list[Dense]) -> None:
        super().__init__()
        self.layers = [(tf.constant(layer.kernel), tf.constant(layer.bias)) for layer in layers]

    @tf.function(input_signature=[tf.TensorSpec((None, SIDE, SIDE), tf.float32, name="pixels")])  # type: ignore[untyped-decorator]
    def logits(self, pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        """Pixels, (N, 28, 28) from 0 to 255, to logits, (N, classes)."""
        values = tf.reshape(pixels, (-1, SIDE * SIDE))
        for kernel, bias in self.layers[:-1]:
            values = tf.nn.relu(values @ kernel + bias)
        kernel, bias = self.layers[-1]
        return {"logits": values @ kernel + bias}


def quantize(layers: list[Dense], conversion: Conversion, calibration: NDArray[np.uint8]) -> bytes:
    """Return the flatbuffer of a network that takes pixels as they are and answers with logits.

    `calibration` is uint8 (N, 28, 28), in the contract. The int8 recipe takes the raw uint8 bytes (scale 1, zero point
    0) and answers in int8; every other takes and answers float32.
    """
    network = _Network(layers)

    def samples() -> Iterator[list[NDArray[np.float32]]]:
        for image in calibration:
            yield [image[None].astype(np.float32)]

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(network, folder, signatures=network.logits)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter._experimental_disable_per_channel_quantization_for_dense_layers = not conversion.per_channel
        if conversion.weights != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if conversion.weights == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if conversion.activations == "int8":
            converter.representative_dataset = samples
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = tf.uint8
            converter.inference_output_type = tf.int8
        return bytes(converter.convert())
