"""What TensorFlow's converter makes by itself: dense layers with a scale for each output."""

import tempfile
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from convert.layers import Layer
from convert.quantize import Network
from edge_runtime.system.native_logs import stderr_silenced


def per_channel(layers: Sequence[Layer], images: NDArray[np.uint8]) -> bytes:
    """Return an int8 flatbuffer whose ranges are those of `images`, uint8 (N, 28, 28)."""
    network = Network(layers, None)
    with tempfile.TemporaryDirectory() as folder, stderr_silenced():
        tf.saved_model.save(network, folder, signatures=network.logits)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[None].astype(np.float32)] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.int8
        return bytes(converter.convert())
