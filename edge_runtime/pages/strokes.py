"""MNIST digits as ink of any size: enlarged, with changed stroke width, with broken strokes."""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Uint8

Ink = NDArray[np.float32]


class Item(NamedTuple):
    """A drawn item at column `x` and row `y`; it may lie partly off the page.

    `ink` is float32 (rows, columns), 0-1. `paint` is float32 (rows, columns, 3), blue-green-red 0-255, for an item with
    its own colors; None for an item in the page's pen.
    """

    name: str
    ink: Ink
    x: int
    y: int
    paint: NDArray[np.float32] | None = None

    @property
    def box(self) -> Box:
        """Its box, in pixels of the page."""
        return Box(self.x, self.y, self.ink.shape[1], self.ink.shape[0])


# The ink threshold for digit boxes, as in `normalize`.
VISIBLE = 96
# Strokes are measured on digits enlarged FINE times, with RIM MNIST pixels added on every side.
FINE = 4
RIM = 6


def enlarge(image: Uint8, height: float) -> Ink:
    """Return a digit's ink, 0-1, cut to its bounding box and scaled so that MNIST's 20x20 is `height` pixels.

    `image` is uint8 (28, 28), ink bright on 0, with some ink.
    """
    rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
    cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tight = cv2.copyMakeBorder(cut, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    size = tuple(max(1, round(side * height / 20)) for side in tight.shape[::-1])
    big = np.asarray(cv2.resize(tight.astype(np.float32), size, interpolation=cv2.INTER_CUBIC), np.float32)
    return np.clip(big / 255, 0, 1)


def visible(ink: Ink, x: int, y: int) -> Box:
    """Return the box of the visible ink, with the ink's first pixel at column `x` and row `y`."""
    left, top, width, height = cv2.boundingRect(is_visible(ink).astype(np.uint8))
    return Box(left, top, width, height).moved(x, y)


def is_visible(ink: Ink) -> NDArray[np.bool_]:
    """Return for each pixel whether its ink is visible; thin strokes that are gray throughout count as visible."""
    return ink * 255 >= min(VISIBLE, 255 * float(ink.max()) / 2)


def measure(images: Uint8) -> list[tuple[Ink, Ink]]:
    """Return for each digit, per pixel, the distance to the stroke's middle line and half the stroke width there.

    `images` is uint8 (N, 28, 28), ink bright on 0. Both arrays are float32, FINE times as large as the digit with its
    RIM, with values in their own pixels.
    """
    side = FINE * (28 + 2 * RIM)
    fine = np.zeros((len(images) * side, side), np.uint8)  # stacked vertically: each step is one call for all
    for i, image in enumerate(images):
        padded = cv2.copyMakeBorder(image, RIM, RIM, RIM, RIM, cv2.BORDER_CONSTANT, value=0)
        big = cv2.resize(padded.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
        fine[i * side : (i + 1) * side] = big >= min(127.5, big.max() / 2)
    inside = depth(fine) - np.float32(0.25)
    middle = _thinned(fine)
    # Stroke width changes slowly; only the middle line's pixels jitter.
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
    """Return the distance of each pixel of shapes, 1 on 0, to the nearest one outside: float32, in pixels.

    The square of such a distance is a whole number. OpenCV's own result is off by a millionth that depends on the
    memory address, which is enough to change the page.
    """
    distances = cv2.distanceTransform(shapes, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.sqrt(np.rint(np.square(distances)), dtype=np.float32)


def write(measured: tuple[Ink, Ink], pen: float, height: float) -> Ink:
    """Return a measured digit's ink, 0-1, with strokes `pen` times as wide, where MNIST's 20x20 is `height` pixels.

    A wider pen makes the digit higher.
    """
    far, half = measured
    inward = half * np.float32(pen) - far  # depth inside the new stroke, negative outside
    rows, columns = (np.flatnonzero((inward > -FINE).any(axis=axis)) for axis in (1, 0))
    inward = inward[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = height / 20 / FINE
    size = tuple(max(1, round(side * scale)) for side in inward.shape[::-1])
    if scale >= 1:
        ink = np.clip(cv2.resize(inward, size, interpolation=cv2.INTER_CUBIC) * scale + 0.5, 0, 1)
        # Hide the FINE pixel steps along the rim; a stroke several times as wide as the blur keeps its width.
        ink = cv2.GaussianBlur(ink, (0, 0), scale * min(2.0, 0.4 * pen * float(np.median(half[far < 1]))))
    else:
        ink = cv2.resize(np.clip(inward + 0.5, 0, 1), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), np.float32)


def break_strokes(ink: Ink, gaps: int, widths: tuple[float, float], rng: np.random.Generator) -> Ink:
    """Return the ink with thin gaps, `widths` pixels wide, cut across its strokes where they do not change its box.

    It omits a gap that finds no place in a few tries.
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
    """Return a bar, 1 on 0, across the stroke at a pixel; `half` is half the stroke width."""
    reach = 3 * half + 1
    y, x = np.ogrid[-row : ink.shape[0] - row, -column : ink.shape[1] - column]
    near = np.where(x * x + y * y <= reach * reach, ink, 0)
    angle = 0.5 * np.arctan2(2 * (near * x * y).sum(), (near * (x * x - y * y)).sum())
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    bar = np.clip(width / 2 - np.abs(along) + 0.5, 0, 1) * np.clip(1.6 * half + 1 - np.abs(across) + 0.5, 0, 1)
    return np.asarray(bar, np.float32)


def _thinned(shapes: Uint8) -> Uint8:
    """Return the one-pixel middle lines of shapes by Zhang and Suen's thinning; input and output are 1 on 0."""
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
    """Return for both half steps whether a pixel is removable, by its 8 neighbors as bits clockwise from above."""
    codes = np.arange(256)
    bits = [(codes >> i) & 1 for i in range(8)]
    above, right, below, left = bits[0], bits[2], bits[4], bits[6]
    count = sum(bits)
    turns = sum((1 - bits[i]) * bits[(i + 1) % 8] for i in range(8))
    rim = (count >= 2) & (count <= 6) & (turns == 1)
    first = rim & (above * right * below == 0) & (right * below * left == 0)
    second = rim & (above * right * left == 0) & (above * below * left == 0)
    return first.astype(np.uint8), second.astype(np.uint8)
