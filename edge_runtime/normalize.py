"""THE 28x28 contract: every cut-out of a picture becomes what MNIST's makers made of theirs, here and nowhere else.

The ink's bounding box is scaled, aspect kept and antialiased, so that its long side is 20 pixels, and placed by whole
pixels so that its center of mass lies at pixel (14, 14) of a 28x28 field (LeCun, Cortes, Burges: the MNIST database).
Ink is bright, up to 255, on 0. MNIST's own bytes already are in the contract and never pass through here.
"""

import cv2
import numpy as np

from edge_runtime.records import Uint8

# Goes up whenever the same ink gives other bytes; a model file made for another version is refused.
CONTRACT_VERSION = 1
SIDE = 28
INNER = 20
CENTER = 14


def normalize(ink: Uint8) -> Uint8:
    """Bring ink into the contract.

    `ink` is uint8 (H, W), bright on 0, of one digit alone, at least 1x1. The result is uint8 (28, 28); it is all 0
    where there is no ink.
    """
    field = np.zeros((SIDE, SIDE), np.uint8)
    ink = _full_contrast(ink)
    rows, columns = (np.flatnonzero(ink.max(axis=axis) >= FAINT) for axis in (1, 0))
    if len(rows) == 0:
        return field
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    small = _fit(ink)
    moments = cv2.moments(small)
    left = _start(moments["m10"] / moments["m00"], small.shape[1])
    top = _start(moments["m01"] / moments["m00"], small.shape[0])
    field[top : top + small.shape[0], left : left + small.shape[1]] = small
    return field


# Ink below this is the outermost rim of a stroke, not part of its bounding box.
FAINT = 96


def _full_contrast(ink: Uint8) -> Uint8:
    """Stretch ink so that the body of its strokes is 255, as in MNIST."""
    body = ink[ink >= max(1, int(ink.max()) // 2)]
    if body.size == 0:
        return ink
    return np.asarray(cv2.convertScaleAbs(ink, alpha=255 / float(np.median(body))), dtype=np.uint8)


def _fit(ink: Uint8) -> Uint8:
    """Scale ink so that its long side is 20 pixels; no side falls below 1."""
    height, width = ink.shape
    scale = INNER / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Averaging over areas is antialiased, but only where the picture shrinks.
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(ink, size, interpolation=how), dtype=np.uint8)


def _start(center_of_mass: float, length: int) -> int:
    """Return the first pixel of a side of `length` whose center of mass shall lie at CENTER, kept inside the field."""
    return min(max(0, CENTER - round(center_of_mass)), SIDE - length)
