"""The line network: strips, (N, 32, W, 1) from 0 to 255, ink bright on 0, to logits (N, W / 2, 11).

The network has convolutions only, so that the cost of a strip does not depend on its content. Ten outputs are the
digits, the last is the blank of connectionist temporal classification (Graves et al. 2006): no digit at this step.
"""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_runtime.inference.contract import BLANK, ROWS
from edge_runtime.lines.ctc import greedy

RESIDUALS = 4  # blocks with kernels 7 steps wide, 14 columns, after reduction to one row


def build(columns: int | None = None) -> keras.Model:
    """Return an untrained network for strips of `columns`; without it, for any width, as in training."""
    strips = keras.Input((ROWS, columns, 1))
    values = keras.layers.Rescaling(1 / 255)(strips)
    values = _convolved(values, 16, (3, 3), (2, 2))
    values = _convolved(values, 32, (3, 3), (2, 1))
    values = _separable(values, 64, (3, 3))
    values = keras.layers.MaxPooling2D((2, 1))(values)
    values = _separable(values, 96, (3, 3))
    values = _separable(values, 96, (3, 3))
    values = _convolved(values, 128, (4, 1), (1, 1), "valid")
    for _ in range(RESIDUALS):
        values = keras.layers.Add()([values, _separable(values, 128, (1, 7))])
    logits = keras.layers.Conv2D(BLANK + 1, 1)(values)
    return keras.Model(strips, keras.layers.Reshape((-1, BLANK + 1))(logits))


def _convolved(
    values: keras.KerasTensor, filters: int, kernel: tuple[int, int], strides: tuple[int, int], padding: str = "same"
) -> keras.KerasTensor:
    return _normalized(keras.layers.Conv2D(filters, kernel, strides, padding, use_bias=False)(values))


def _separable(values: keras.KerasTensor, filters: int, kernel: tuple[int, int]) -> keras.KerasTensor:
    values = _normalized(keras.layers.DepthwiseConv2D(kernel, padding="same", use_bias=False)(values))
    return _normalized(keras.layers.Conv2D(filters, 1, use_bias=False)(values))


def _normalized(values: keras.KerasTensor) -> keras.KerasTensor:
    # Bounded: otherwise one odd line widens the range that the 256 values of int8 cover (Howard et al. 2017).
    return keras.layers.ReLU(6.0)(keras.layers.BatchNormalization(momentum=0.95)(values))


@keras.saving.register_keras_serializable()  # type: ignore[untyped-decorator]
def ctc_loss(digits: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the negative log likelihood of each line in nats; `digits` is (N, LONGEST), -1 after the last."""
    digits = tf.cast(digits, tf.int32)
    lengths = tf.reduce_sum(tf.cast(digits >= 0, tf.int32), 1)
    steps = tf.fill([tf.shape(logits)[0]], tf.shape(logits)[1])
    return tf.nn.ctc_loss(tf.maximum(digits, 0), logits, lengths, steps, logits_time_major=False, blank_index=BLANK)


def exact(logits: NDArray[np.float32], digits: NDArray[np.int8]) -> float:
    """Return the share of lines that `logits` read exactly as their `digits`."""
    read = [[label for label, *_ in greedy(row)] for row in logits]
    return float(np.mean([line == truth[truth >= 0].tolist() for line, truth in zip(read, digits, strict=True)]))
