"""A digit of MNIST as ink of any size: enlarged, written with a thinner or thicker pen, its strokes broken."""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Uint8

Ink = NDArray[np.float32]


class Item(NamedTuple):
    """Something drawn at column `x` and row `y`, which may lie partly off the page.

    `ink` is float32 (rows, columns), 0-1. `paint` is float32 (rows, columns, 3), blue-green-red 0-255, for what has
    colors of its own; None for what the page's pen draws.
    """

    name: str
    ink: Ink
    x: int
    y: int
    paint: NDArray[np.float32] | None = None


# The digits' own ink starts here when their boxes are measured, as `normalize` measures them.
VISIBLE = 96
# Strokes are measured on digits enlarged so many times, with so many pixels of MNIST's added on every side.
FINE = 4
RIM = 6


def enlarge(image: Uint8, height: float) -> Ink:
    """Return a digit's ink, 0-1, cut to its bounding box and enlarged as if its 20x20 were `height` pixels.

    `image` is uint8 (28, 28), ink bright on 0, with some ink.
    """
    rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
    cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tight = cv2.copyMakeBorder(cut, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    size = tuple(max(1, round(side * height / 20)) for side in tight.shape[::-1])
    big = np.asarray(cv2.resize(tight.astype(np.float32), size, interpolation=cv2.INTER_CUBIC), np.float32)
    return np.clip(big / 255, 0, 1)


def visible(ink: Ink, x: int, y: int) -> Box:
    """Return the box of the ink that is dark enough to see, where the ink's first pixel lies at column x and row y."""
    left, top, width, height = cv2.boundingRect(is_visible(ink).astype(np.uint8))
    return Box(x + left, y + top, width, height)


def is_visible(ink: Ink) -> NDArray[np.bool_]:
    """Tell for each pixel whether its ink is dark enough to see; thin strokes that are gray all over are."""
    return ink * 255 >= min(VISIBLE, 255 * float(ink.max()) / 2)


def measure(images: Uint8) -> list[tuple[Ink, Ink]]:
    """Return for each digit, pixel by pixel, how far the middle of a stroke is and half the stroke's width there.

    `images` is uint8 (N, 28, 28), ink bright on 0. Both arrays are float32, FINE times as large as the digit with its
    RIM, and in pixels of their own.
    """
    side = FINE * (28 + 2 * RIM)
    fine = np.zeros((len(images) * side, side), np.uint8)  # one below the other: each step is one call for all
    for i, image in enumerate(images):
        padded = cv2.copyMakeBorder(image, RIM, RIM, RIM, RIM, cv2.BORDER_CONSTANT, value=0)
        big = cv2.resize(padded.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
        fine[i * side : (i + 1) * side] = big >= min(127.5, big.max() / 2)
    inside = depth(fine) - np.float32(0.25)
    middle = _thinned(fine)
    # A stroke's width changes slowly; what jitters are the middle line's pixels.
    near = (4 * FINE + 1, 4 * FINE + 1)
    smooth = cv2.blur(inside * middle, near) / np.maximum(cv2.blur(middle.astype(np.float32), near), 1e-6)
    measured = []
    for i in range(len(images)):
        rows = slice(i * side, (i + 1) * side)
        own = middle[rows]
        far, nearest = cv2.distanceTransformWithLabels(1 - own, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        half = np.zeros(int(nearest.max()) + 1, np.float32)
        half[nearest[own > 0]] = smooth[rows][own > 0]
        measured.append((np.asarray(far, np.float32), half[nearest]))
    return measured


def depth(shapes: Uint8) -> Ink:
    """Return how far each pixel of shapes, 1 on 0, lies from the nearest one outside: float32, in pixels.

    The square of such a distance is a whole number. OpenCV's own result is off by a millionth that depends on where in
    memory it works, which is enough to draw another page.
    """
    distances = cv2.distanceTransform(shapes, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.sqrt(np.rint(np.square(distances)), dtype=np.float32)


def write(measured: tuple[Ink, Ink], pen: float, height: float) -> Ink:
    """Return a measured digit's ink, 0-1, its strokes `pen` times as wide, where MNIST's 20x20 is `height` pixels.

    A wider pen adds to the digit's own height.
    """
    far, half = measured
    inward = half * np.float32(pen) - far  # how far inside the new stroke, negative outside
    rows, columns = (np.flatnonzero((inward > -FINE).any(axis=axis)) for axis in (1, 0))
    inward = inward[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = height / 20 / FINE
    size = tuple(max(1, round(side * scale)) for side in inward.shape[::-1])
    if scale >= 1:
        ink = np.clip(cv2.resize(inward, size, interpolation=cv2.INTER_CUBIC) * scale + 0.5, 0, 1)
        # What a pixel of FINE is wide would show in the rim; a stroke some times as wide as the blur keeps its width.
        ink = cv2.GaussianBlur(ink, (0, 0), scale * min(2.0, 0.4 * pen * float(np.median(half[far < 1]))))
    else:
        ink = cv2.resize(np.clip(inward + 0.5, 0, 1), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), np.float32)


def break_strokes(ink: Ink, gaps: int, widths: tuple[float, float], rng: np.random.Generator) -> Ink:
    """Return the ink with thin gaps cut across its strokes, `widths` pixels wide, where they leave its box as it is.

    A gap for which no place is found in a few tries is left out.
    """
    box = visible(ink, 0, 0)
    for _ in range(gaps):
        inside = depth((ink >= 0.5).astype(np.uint8))
        ridge = np.argwhere((inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8))) & (inside >= 0.6 * inside.max()))
        for _ in range(8 if len(ridge) else 0):
            row, column = ridge[rng.integers(len(ridge))]
            cut = ink * (1 - _gap(ink, int(row), int(column), float(inside[row, column]), float(rng.uniform(*widths))))
            if visible(cut, 0, 0) == box:
                ink = cut
                break
    return ink


def _gap(ink: Ink, row: int, column: int, half: float, width: float) -> Ink:
    """Return a bar, 1 on 0, across the stroke of this half width at a pixel."""
    reach = 3 * half + 1
    y, x = np.ogrid[-row : ink.shape[0] - row, -column : ink.shape[1] - column]
    near = np.where(x * x + y * y <= reach * reach, ink, 0)
    angle = 0.5 * np.arctan2(2 * (near * x * y).sum(), (near * (x * x - y * y)).sum())
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    bar = np.clip(width / 2 - np.abs(along) + 0.5, 0, 1) * np.clip(1.6 * half + 1 - np.abs(across) + 0.5, 0, 1)
    return np.asarray(bar, np.float32)


def _thinned(shapes: Uint8) -> Uint8:
    """Return the middle lines of shapes, one pixel wide: Zhang and Suen's thinning; 1 on 0 in and out."""
    shapes = shapes.copy()
    around = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)
    while True:
        before = int(shapes.sum())
        for table in _peelable():
            codes = cv2.filter2D(shapes, -1, around, borderType=cv2.BORDER_CONSTANT)
            shapes &= 1 - np.asarray(cv2.LUT(codes, table), np.uint8)
        if int(shapes.sum()) == before:
            return shapes


@cache
def _peelable() -> tuple[Uint8, Uint8]:
    """Return for both half steps, by the eight neighbors as bits clockwise from above, whether a pixel may go."""
    codes = np.arange(256)
    bits = [(codes >> i) & 1 for i in range(8)]
    above, right, below, left = bits[0], bits[2], bits[4], bits[6]
    count = sum(bits)
    turns = sum((1 - bits[i]) * bits[(i + 1) % 8] for i in range(8))
    rim = (count >= 2) & (count <= 6) & (turns == 1)
    first = rim & (above * right * below == 0) & (right * below * left == 0)
    second = rim & (above * right * left == 0) & (above * below * left == 0)
    return first.astype(np.uint8), second.astype(np.uint8)
