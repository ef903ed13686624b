"""Layers as plain arrays, and what they compute."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

CHUNK = 100  # pictures at a time: a convolution of 3x3 pixels and 32 channels takes 180 MB for them
Float64 = NDArray[np.float64]


class Dense(NamedTuple):
    """A dense layer: `kernel` float (inputs, outputs), `bias` float (outputs,); a ReLU follows all but the last."""

    kernel: NDArray[Any]
    bias: NDArray[Any]


class Conv(NamedTuple):
    """A convolution: `kernel` float (rows, columns, inputs, outputs), `bias` float (outputs,).

    A ReLU follows it, then a maximum over separate windows of `pool` pixels a side. `same` padding is TensorFlow's:
    zeros on all sides, the odd one right and below.
    """

    kernel: NDArray[Any]
    bias: NDArray[Any]
    stride: int = 1
    padding: Literal["same", "valid"] = "same"
    pool: int = 1


Layer = Dense | Conv


def flat_kernel(layer: Layer) -> Float64:
    """Return a layer's kernel as float64 (inputs of an output, outputs)."""
    return np.asarray(layer.kernel, np.float64).reshape(-1, layer.kernel.shape[-1])


def as_float32(layer: Layer) -> Layer:
    """Return the layer with kernel and bias as float32."""
    return layer._replace(kernel=layer.kernel.astype(np.float32), bias=layer.bias.astype(np.float32))


def largest_weights(layer: Layer) -> Float64:
    """Return the largest weight of each int8 scale: () for a dense layer, (outputs,) for a convolution; 1 for 0."""
    largest = np.abs(flat_kernel(layer)).max(axis=0 if isinstance(layer, Conv) else None)
    return np.where(largest > 0, largest, 1)


def logits(layers: Sequence[Layer], images: NDArray[Any]) -> Float64:
    """Return the output of the last layer, float64 (N, classes), for pictures (N, 28, 28)."""
    values: NDArray[Any] = images
    for layer in layers[:-1]:
        values = activated(layer, linear(layer, values))
    return linear(layers[-1], values)


def inputs(layer: Layer, values: NDArray[Any]) -> Iterator[Float64]:
    """Yield what the outputs of a layer see, for CHUNK of `values` at a time.

    Values are (N, ...): pictures (N, 28, 28), or what the layer before computed. A chunk is float64 (n, inputs) for a
    dense layer, and (n, rows, columns, inputs of an output) for a convolution.
    """
    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK].astype(np.float64)
        yield _windows(layer, chunk) if isinstance(layer, Conv) else chunk.reshape(len(chunk), -1)


def linear(layer: Layer, values: NDArray[Any]) -> Float64:
    """Return a layer's outputs before the ReLU, float64 (N, outputs) or (N, rows, columns, outputs)."""
    kernel = flat_kernel(layer)
    return np.concatenate([seen @ kernel + layer.bias for seen in inputs(layer, values)])


def activated(layer: Layer, values: Float64) -> Float64:
    """Return what the next layer takes, for `values`, the outputs of `linear`."""
    values = np.maximum(values, 0)
    pool = layer.pool if isinstance(layer, Conv) else 1
    if pool == 1:
        return values
    count, rows, columns, channels = values.shape
    rows, columns = rows // pool, columns // pool
    windows = values[:, : rows * pool, : columns * pool].reshape(count, rows, pool, columns, pool, channels)
    return np.asarray(windows.max(axis=(2, 4)))


def _windows(layer: Conv, values: Float64) -> Float64:
    if values.ndim == 3:
        values = values[..., None]
    sides = layer.kernel.shape[:2]
    if layer.padding == "same":
        margins = [_margin(length, side, layer.stride) for length, side in zip(values.shape[1:3], sides, strict=True)]
        values = np.pad(values, ((0, 0), *margins, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(values, sides, axis=(1, 2))
    windows = windows[:, :: layer.stride, :: layer.stride].transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(*windows.shape[:3], -1)


def _margin(length: int, side: int, stride: int) -> tuple[int, int]:
    """Return the zeros before and after `length` pixels."""
    both = max(0, (-(-length // stride) - 1) * stride + side - length)
    return both // 2, both - both // 2
