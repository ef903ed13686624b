"""Arithmetic of many boxes at once, as arrays (N, 4) of x, y, width and height; `records.Box` is a single one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Flags = NDArray[np.bool_]


def centers(boxes: NDArray[Any]) -> tuple[Float64, Float64]:
    """Return x and y of the centers of boxes, float64 (N,) each."""
    x, y, width, height = boxes.T
    return x + width / 2, y + height / 2


def at_sides(boxes: Float64, size: tuple[int, int]) -> tuple[Flags, Flags]:
    """Return which boxes, float64 (N, 4), touch the left or right side of a picture, and which its top or bottom.

    `size` is the picture's, (width, height). A box one pixel away touches it.
    """
    x, y, width, height = boxes.T
    return (x <= 1) | (x + width >= size[0] - 1), (y <= 1) | (y + height >= size[1] - 1)


def overlap(boxes: Float64, others: Float64, which: np.ufunc) -> Float64:
    """Return (N, M): the area that two boxes share, as a fraction of the smaller (np.minimum) or larger one."""
    x, y, width, height = boxes.T[:, :, None]
    other_x, other_y, other_width, other_height = others.T[:, None, :]
    across = np.minimum(x + width, other_x + other_width) - np.maximum(x, other_x)
    down = np.minimum(y + height, other_y + other_height) - np.maximum(y, other_y)
    return np.asarray(np.maximum(0, across) * np.maximum(0, down) / which(width * height, other_width * other_height))


def lies_in(boxes: NDArray[np.int64], outer: NDArray[np.int64]) -> Flags:
    """Return (N, M): whether each of N boxes lies in each of M others."""
    ends, outer_ends = boxes[:, :2] + boxes[:, 2:], outer[:, :2] + outer[:, 2:]
    inside = (outer[None, :, :2] <= boxes[:, None, :2]) & (outer_ends[None] >= ends[:, None])
    return np.asarray(np.all(inside, axis=2))


def touching(boxes: NDArray[np.int64]) -> Flags:
    """Return for each box whether it touches or overlaps another one, both grown by a pixel on every side."""
    x, y, width, height = boxes.T
    near = (x[:, None] <= x + width + 2) & (y[:, None] <= y + height + 2)
    return np.asarray(np.count_nonzero(near & near.T, axis=1) > 1)
