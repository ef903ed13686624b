"""Transform the ink of a drawn line: stroke width, tilt, print under it, and camera effects."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Uint8
from train.line_signs import TALL
from train.pen import with_pen


def bent(canvas: Uint8, rng: np.random.Generator) -> Uint8:
    """Return a line with another stroke width, a tilt, elastic distortion and a wavy baseline."""
    pen = int(rng.choice([-4, -3, -2, 0, 1, 2, 3], p=[0.15, 0.2, 0.15, 0.2, 0.12, 0.1, 0.08]))
    canvas = with_pen(canvas, pen)
    rows, columns = canvas.shape
    along = np.arange(columns, dtype=np.float32)
    rise = rng.normal(0, 0.02) * (along - columns / 2)
    wave = rng.normal(0, 0.05) * TALL * np.sin(along * rng.uniform(0.5, 2.0) / TALL + rng.uniform(0, 6.3))
    y = np.arange(rows, dtype=np.float32)[:, None] + (rise + wave + rng.normal(0, 0.05) * TALL)[None].astype(np.float32)
    x = np.broadcast_to(along[None], (rows, columns)) + rng.normal(0, 0.03) * (y - rows / 2)
    # Bend each stroke a little (elastic distortion, Simard et al. 2003).
    elastic = rng.uniform(0, 0.06) * TALL
    few = max(2, 3 * rows // TALL), max(2, 3 * columns // TALL)
    bends = [cv2.resize(rng.normal(0, elastic, few).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
             for _ in range(2)]  # fmt: skip
    x, y = x.astype(np.float32) + bends[0], y + bends[1]
    return np.asarray(cv2.remap(canvas, x, y, cv2.INTER_LINEAR), np.uint8)


def seen(canvas: Uint8, rng: np.random.Generator) -> Uint8:
    """Return a line of ink as a camera records it: uneven, over print, blurred, at low resolution, noisy."""
    rows, columns = canvas.shape
    ink: NDArray[Any] = canvas.astype(np.float32) * rng.uniform(0.25, 1.0)
    if rng.random() < 0.5:  # a pen that runs dry in places
        rough = cv2.resize(rng.uniform(0.65, 1.0, (max(2, rows // 10), max(2, columns // 10))).astype(np.float32),
                           (columns, rows), interpolation=cv2.INTER_CUBIC)  # fmt: skip
        ink *= rough
    if rng.random() < 0.35:
        ink = np.maximum(ink, _print(rows, columns, rng) * float(ink.max()) * rng.uniform(0.1, 0.5))
    sigma = rng.uniform(0.4, 2.6)
    ink = cv2.GaussianBlur(ink, (0, 0), sigma)
    if rng.random() < 0.4:
        few = rng.uniform(0.3, 0.8)
        small = cv2.resize(ink, (max(8, round(columns * few)), round(rows * few)), interpolation=cv2.INTER_AREA)
        ink = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.6:
        ink = ink + rng.normal(0, rng.uniform(1, 12), (rows, columns)).astype(np.float32)
    ink = ink - rng.uniform(0, 12)
    return np.asarray(np.clip(ink, 0, 255), np.uint8)


def _print(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the print under a line, float32 (rows, columns), 0-1: stripes, waves or dots, in places."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    angle, step = rng.uniform(0, np.pi), rng.uniform(4, 20)
    across = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(0, 6) * np.sin(x / rng.uniform(6, 40))
    stripes = np.clip(np.sin(across * 2 * np.pi / step) * 2 - 0.6, 0, 1)
    if rng.random() < 0.4:
        along = -x * np.sin(angle) + y * np.cos(angle)
        stripes *= np.clip(np.sin(along * 2 * np.pi / step) * 2, 0, 1)
    if rng.random() < 0.4:
        patches = rng.uniform(0, 1, (2, max(2, columns // 60))).astype(np.float32)
        stripes *= cv2.resize(patches, (columns, rows), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return np.asarray(stripes, np.float32)
