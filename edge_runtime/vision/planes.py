"""Picture -> ink planes: what differs from its background and is no wider than a stroke, dark and light, at each scale.

A plane holds ink of strokes only. Anything wider than a stroke - a sheet, a desk, a binding, a shadow - is its own
background. No page-wide threshold therefore has to separate paper from its surroundings.
"""

from collections.abc import Collection
from typing import NamedTuple

import cv2
import numpy as np

from edge_runtime.records import Uint8

# Larger pictures are reduced to this long side, in pixels; pictures smaller than VGA are enlarged to its number of
# pixels, but at most MOST_ENLARGED times: the former reads digits of 12 pixels, the latter strings of 16.
LONG_SIDE = 1600
VGA = 640 * 480
MOST_ENLARGED = 4
# Pixels, the side of the closing that finds the background: strokes are narrower. 15 to 25 read alike, 31 worse.
STROKE_WINDOW = 21
# A darker background, of 255, counts as this bright: otherwise the camera's noise would become ink. With 90, 7 more of
# the 1,675 characters on photographs are wrong, and one page, a spiral notebook, gives no digits; with 72, pictures
# without digits give 8 false ones instead of 6.
DARKEST_BACKGROUND = 80
# The pyramid ends before the short side, in pixels, falls below this: its last level shows digits that fill the frame.
SHORTEST_SIDE = 2 * STROKE_WINDOW
# The standard deviation of the Gaussian blur, in pixels: this much for each gray level of noise leaves about a quarter
# of the noise (chosen on noisy pages). Above BROADEST, the blur would smear strokes and be slow.
PIXELS_PER_NOISE, BROADEST = 0.1, 2.0
# Median of |difference| of neighbors -> standard deviation, for Gaussian noise: 0.6745 * sqrt(2).
MEDIAN_DIFFERENCE = 0.954
SAMPLE = 8  # noise is measured at every 8th row and column, textures at every 7th row, bare ink at every 16th of both
# A sheet and the desk under it differ in their bare ink. It is therefore the median in a window of this many samples to
# each side, 112 pixels in all; windows of 72 to 170 read alike. A plane less than two windows high or wide has one
# median, since strokes would fill a window.
AROUND = 3

NOTHING = np.zeros((1, 1), np.uint8)
Key = tuple[int, bool]


class Plane(NamedTuple):
    """Ink, uint8 (H, W), bright on 0, of one polarity at one scale.

    One of its pixels covers `scale` pixels of the frame, `level` counts the halvings; `light` means ink lighter than
    its background.
    """

    ink: Uint8
    scale: float
    level: int
    light: bool

    @property
    def key(self) -> Key:
        """The identity of the plane within a picture: its level, and whether it is light."""
        return self.level, self.light


def ink_planes(pixels: Uint8, only: Collection[Key] | None = None) -> tuple[Plane, ...]:
    """Return the ink of a picture, two planes a level, finest first.

    `pixels` is uint8 (H, W) gray or (H, W, 3) blue-green-red. In a color picture, each pixel's darkest (or lightest)
    channel counts, so that a red pen is as much ink as a black one. With `only`, planes of other keys are left empty.
    """
    picture, scale = rescaled(pixels)
    # Even numbers are dark planes, odd ones light: `plane % 2` is the polarity elsewhere.
    dark, light = (_pyramid(picture, scale, light, only) for light in (False, True))
    return tuple(plane for pair in zip(dark, light, strict=True) for plane in pair)


def _pyramid(picture: Uint8, scale: float, light: bool, only: Collection[Key] | None) -> list[Plane]:
    """Return the planes of one polarity."""
    height, width = picture.shape[:2]
    levels = 1 + max(0, int(np.log2(min(height, width) / SHORTEST_SIDE)))
    wanted = [level for level in range(levels) if only is None or (level, light) in only]
    planes = []
    gray = _gray(picture, light) if wanted else NOTHING
    for level in range(levels):
        size = width >> level, height >> level
        if level and wanted and level <= wanted[-1]:
            gray = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)
        ink = _ink(gray) if level in wanted else np.zeros(size[::-1], np.uint8)
        planes.append(Plane(ink, scale * 2**level, level, light))
    return planes


def _gray(picture: Uint8, light: bool) -> Uint8:
    """Return a picture whose ink of this polarity is dark, from the darkest (or lightest) channel of each pixel."""
    if picture.ndim == 3:
        blue, green, red = cv2.split(picture)
        extreme = cv2.max if light else cv2.min
        picture = np.asarray(extreme(extreme(blue, green), red), np.uint8)
    return np.asarray(cv2.bitwise_not(picture), np.uint8) if light else picture


def rescaled(pixels: Uint8) -> tuple[Uint8, float]:
    """Return the picture at the size for the search, and how many of the frame's pixels one of its pixels covers.

    Repeated halving, which averages, and then interpolation are ten times faster than averaging at once.
    """
    height, width = pixels.shape[:2]
    long = max(height, width)
    factor = min(LONG_SIDE / long, max(1.0, (VGA / (height * width)) ** (1 / 2)), MOST_ENLARGED)
    if factor == 1.0:
        return pixels, 1.0
    small = pixels
    while max(small.shape[:2]) >= 2 * LONG_SIDE and min(small.shape[:2]) > 1:
        small = np.asarray(cv2.resize(small, (small.shape[1] // 2, small.shape[0] // 2), interpolation=cv2.INTER_AREA))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    how = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(small, size, interpolation=how), np.uint8), 1 / factor


def _ink(gray: Uint8) -> Uint8:
    """Return how much darker each pixel is than its background, less the bare ink of the paper or desk around it."""
    sigma = min(BROADEST, PIXELS_PER_NOISE * _noise(gray))
    if sigma > 1 / 2:  # a smaller one changes nothing
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), sigma), np.uint8)
    background = cv2.morphologyEx(gray, cv2.MORPH_CLOSE, np.ones((STROKE_WINDOW, STROKE_WINDOW), np.uint8))
    darker = cv2.subtract(background, gray)
    ink = cv2.divide(darker, cv2.max(background, np.array([float(DARKEST_BACKGROUND)])), darker, 255)
    sample = np.ascontiguousarray(ink[:: 2 * SAMPLE, :: 2 * SAMPLE])
    # Ink of bare paper is noise, from 0 to about twice its median.
    bare = float(np.median(sample))
    window = 2 * AROUND + 1
    if bare and min(sample.shape) < 2 * window:
        cv2.subtract(ink, np.array([2 * bare]), ink)
    elif bare:
        mirrored = cv2.copyMakeBorder(sample, AROUND, AROUND, AROUND, AROUND, cv2.BORDER_REFLECT)
        around = cv2.medianBlur(mirrored, window)[AROUND:-AROUND, AROUND:-AROUND]
        cv2.subtract(ink, cv2.resize(cv2.add(around, around), ink.shape[::-1]), ink)
    return np.asarray(ink, np.uint8)


def _noise(gray: Uint8) -> float:
    """Return the standard deviation of the noise in gray levels; edges are fewer than half of the pixels."""
    here, beside = gray[::SAMPLE, :-1:SAMPLE], gray[::SAMPLE, 1::SAMPLE]
    return float(np.median(cv2.absdiff(here, beside))) / MEDIAN_DIFFERENCE if here.size else 0.0
