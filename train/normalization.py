"""Batch normalization after a layer without a bias: its factor and shift, and how it begins from given weights."""

import keras
import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-9  # lower bound of a divisor
Float64 = NDArray[np.float64]


def factor_and_shift(normalization: keras.layers.BatchNormalization) -> tuple[Float64, Float64]:
    """Return what an inference multiplies each channel by, and what it then adds: float64 (channels,)."""
    factor = 1 / np.sqrt(np.asarray(normalization.moving_variance, np.float64) + normalization.epsilon)
    if normalization.scale:
        factor = factor * np.asarray(normalization.gamma, np.float64)
    shift = -factor * np.asarray(normalization.moving_mean, np.float64)
    return factor, shift + np.asarray(normalization.beta, np.float64) if normalization.center else shift


def begin(
    layer: keras.Layer, normalization: keras.layers.BatchNormalization, kernel: Float64, bias: Float64, outputs: Float64
) -> None:
    """Set the weights of a layer and of the normalization after it, which together then compute `kernel` and `bias`.

    The normalization starts with the statistics of `outputs`, (..., channels): those of the kernel alone on some
    inputs. It leaves the length of a channel's kernel free: that of the layer before makes an optimizer step have the
    same relative effect as there.
    """
    channels = len(bias)
    factor = _lengths(layer.get_weights()[0], channels) / np.maximum(SMALLEST, _lengths(kernel, channels))
    layer.set_weights([kernel * of_channels(factor, kernel)])
    axes = tuple(range(outputs.ndim - 1))
    mean, variance = outputs.mean(axis=axes) * factor, outputs.var(axis=axes) * factor**2
    deviation = np.sqrt(variance + normalization.epsilon)
    normalization.set_weights([deviation / factor, bias + mean / factor, mean, variance])


def of_channels(factor: Float64, kernel: Float64) -> Float64:
    """Return a factor for each channel, shaped to multiply a kernel: of a dense, a convolution or a depthwise layer.

    Channels are the kernel's last axis; of a depthwise kernel, (rows, columns, channels, 1), the last but one.
    """
    return factor[:, None] if kernel.shape[-1] != len(factor) else factor


def _lengths(kernel: Float64, channels: int) -> Float64:
    return np.asarray(np.linalg.norm(kernel.reshape(-1, channels), axis=0), np.float64)
