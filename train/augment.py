"""Distort MNIST digits at random: affine and elastic, a thousand digits in one cv2.remap."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.inference.contract import SIDE
from train.recipes import Augmentation

Float32 = NDArray[np.float32]
MIDDLE = (SIDE - 1) / 2
CHUNK = 1000  # digits in one remap: the picture is 28 x 28,000, below OpenCV's limit of 32,767 rows
FIELDS = 4096


def displacement_fields(settings: Augmentation, rng: np.random.Generator) -> Float32:
    """Return FIELDS smooth random displacements: float32 (2, FIELDS, 784) in pixels, x before y."""
    noise = rng.uniform(-1, 1, (2 * FIELDS, SIDE, SIDE)).astype(np.float32)
    for field in noise:
        cv2.GaussianBlur(field, (0, 0), settings.elastic_sigma, dst=field, borderType=cv2.BORDER_CONSTANT)
    return (noise * settings.elastic_alpha).reshape(2, FIELDS, SIDE * SIDE)


def augment(
    images: NDArray[np.uint8], settings: Augmentation, fields: Float32, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return each of `images` (uint8 (N, 28, 28), ink bright on 0) distorted once, at random."""
    y, x = (np.mgrid[0:SIDE, 0:SIDE].reshape(2, -1) - MIDDLE).astype(np.float32)
    out = np.empty_like(images)
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        chosen = rng.integers(fields.shape[1], size=len(part))
        sources = []
        for (a, b, c), displacements in zip(_affine(len(part), settings, rng), fields, strict=True):
            source = displacements[chosen]  # (len(part), 784): the source of each pixel
            source += a * x
            source += b * y
            source += c
            sources.append(np.clip(source, 0, SIDE - 1, out=source))
        # One tall picture stacks the digits; clipping keeps each within its own 28 rows.
        sources[1] += (np.arange(len(part), dtype=np.float32) * SIDE)[:, None]
        columns, rows = (source.reshape(-1, SIDE) for source in sources)
        target = out[start : start + CHUNK].reshape(-1, SIDE)
        cv2.remap(part.reshape(-1, SIDE), columns, rows, cv2.INTER_LINEAR, dst=target)
    return out


def _affine(count: int, settings: Augmentation, rng: np.random.Generator) -> Float32:
    """Draw `count` affine maps from the result's pixels to the original's: float32 (2, 3, count, 1), x before y."""

    def draw(limit: float) -> NDArray[np.float64]:
        return rng.uniform(-limit, limit, count)

    angle, shear = np.radians(draw(settings.rotation)), draw(settings.shear)
    scale_x, scale_y = 1 + draw(settings.scale), 1 + draw(settings.scale)
    cos, sin = np.cos(angle), np.sin(angle)
    to_x = [cos / scale_x, (shear * cos - sin) / scale_x, MIDDLE + draw(settings.shift)]
    to_y = [sin / scale_y, (shear * sin + cos) / scale_y, MIDDLE + draw(settings.shift)]
    return np.array([to_x, to_y], np.float32)[..., None]
