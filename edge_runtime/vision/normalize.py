"""The 28x28 contract: this module alone brings every cut-out of a picture into the format of MNIST.

It scales the ink's bounding box, aspect kept and antialiased, to a long side of 20 pixels, and places it by whole
pixels so that its center of mass lies at pixel (14, 14) of a 28x28 field (LeCun, Cortes, Burges: the MNIST database).
Ink is bright, up to 255, on 0. Strokes far thinner or thicker than MNIST's are first redrawn with a usual pen. MNIST's
own bytes already meet the contract and never pass through here.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.inference.contract import SIDE
from edge_runtime.records import Uint8

Float64 = NDArray[np.float64]

INNER = 20
CENTER = 14
# Ink below this part of a stroke's body is the outermost rim of the stroke, and outside its bounding box.
FAINT = 0.375
# Ink below this part counts as 0: the grain and noise of the paper, where MNIST has 0.
BARE = 0.05
# Stroke widths of MNIST, in pixels of the 20x20 box: 15 in 100 of its held-out digits are thinner than THIN, and 4 in
# 100 thicker than THICK. Such pens are redrawn at THIN_REDRAWN or THICK_REDRAWN, since the network knows few others
# (docs/contract-28x28.md has the effect).
THIN, THIN_REDRAWN, THICK_REDRAWN, THICK = 1.8, 2.4, 2.5, 3.2
WORKING = 3 * INNER  # larger ink is reduced to this long side first, to bound the time for a digit
EDGE = np.ones((3, 3), np.uint8)
BLANK = np.zeros((1, 1), np.uint8)
# Factors of each pixel of a cell: 1 for the amount of ink, its row and its column for the moments.
MOMENTS = np.array([(1, row, column) for row in range(INNER) for column in range(INNER)], np.float32)


def normalize(ink: Uint8) -> Uint8:
    """Bring ink into the contract.

    `ink` is uint8 (H, W), bright on 0, of one digit alone, at least 1x1. The result is uint8 (28, 28); it is all 0
    without ink.
    """
    return np.asarray(normalize_all([ink])[0], dtype=np.uint8)


def normalize_all(inks: Sequence[Uint8]) -> Uint8:
    """Bring each of `inks` into the contract, as `normalize` does; returns uint8 (N, 28, 28)."""
    return normalize_and_measure(inks)[0]


def normalize_and_measure(inks: Sequence[Uint8]) -> tuple[Uint8, Float64, Float64]:
    """Return the result of `normalize_all`, and the darkness and stroke width of each of `inks`.

    Darkness is that of `body`, 0-255; the width is in pixels of the ink, at least about 2, and 0 without ink: both
    float64 (N,).
    """
    cells = np.zeros((len(inks), INNER, INNER), np.uint8)
    gains = np.ones(len(inks), np.float32)
    sizes: list[tuple[int, int]] = []
    levels, widths = np.zeros(len(inks)), np.zeros(len(inks))
    for i, (small, gain, level, stroke_width) in enumerate(_fitted(inks)):
        height, width = small.shape
        cells[i, :height, :width] = small
        gains[i], levels[i], widths[i] = gain, level, stroke_width
        sizes.append((height, width))
    # The body of strokes becomes 255, as in MNIST.
    stretched = cells * (gains / (1 - BARE))[:, None, None]
    stretched += 0.5 - 255 * BARE / (1 - BARE)
    cells = stretched.clip(0, 255, out=stretched).astype(np.uint8)
    fields = np.zeros((len(inks), SIDE, SIDE), np.uint8)
    if len(inks):
        tops, lefts = _starts(cells, np.array(sizes))
        for field, cell, (height, width), top, left in zip(fields, cells, sizes, tops, lefts, strict=True):
            field[top : top + height, left : left + width] = cell[:height, :width]
    return fields, levels, widths


def body(ink: Uint8) -> float:
    """Return the darkness of the body of the strokes in uint8 (H, W): the mean of ink at least half the darkest."""
    strokes = cv2.threshold(ink, cv2.norm(ink, cv2.NORM_INF) / 2, 255, cv2.THRESH_TOZERO)[1]
    return float(cv2.sumElems(strokes)[0] / max(1, cv2.countNonZero(strokes)))


def _fitted(inks: Sequence[Uint8]) -> list[tuple[Uint8, float, float, float]]:
    """Return each ink at a long side of 20 pixels, the gain to a body of 255, its body, and its stroke width."""
    longs = [max(ink.shape) for ink in inks]
    inks = [_scaled(ink, WORKING / long) if long > WORKING else ink for ink, long in zip(inks, longs, strict=True)]
    # The strokes of all inks on one sheet, one below the other with a bare row between: one erosion of it is faster.
    # Its rows begin at multiples of 16 bytes: otherwise OpenCV 4.8 finds wrong boxes of ink 1 to 3 wide.
    columns = 16 * -(-max((ink.shape[1] for ink in inks), default=0) // 16)
    sheet = np.zeros((sum(len(ink) + 1 for ink in inks), columns), np.uint8)
    levels, parts, top = [], [], 0
    for ink in inks:
        height, width = ink.shape
        parts.append((slice(top, top + height), slice(0, width)))
        levels.append(body(ink))
        cv2.threshold(ink, FAINT * levels[-1], 255, cv2.THRESH_BINARY, sheet[parts[-1]])
        top += height + 1
    inner = _without_edge(sheet) if inks else sheet
    fitted = []
    for ink, part, level, long in zip(inks, parts, levels, longs, strict=True):
        if level >= 1:
            pen = _width(sheet[part], inner[part])
            small = _with_usual_pen(ink, sheet[part], pen, level)
            fitted.append((small, 255 / level, level, pen * max(1.0, long / WORKING)))
        else:
            fitted.append((BLANK, 1.0, level, 0.0))
    return fitted


def _with_usual_pen(ink: Uint8, strokes: Uint8, pen: float, level: float) -> Uint8:
    """Return ink at a long side of 20; `strokes` is its mask, `pen` its stroke width, `level` its body."""
    x, y, width, height = cv2.boundingRect(strokes)
    thickness = INNER * pen / max(width, height)
    wanted = THIN_REDRAWN if thickness < THIN else THICK_REDRAWN if thickness > THICK else thickness
    pixels = round((wanted - thickness) * max(width, height) / INNER)
    if pixels:
        redrawn = _with_pen(ink, pixels)
        box = cv2.boundingRect(cv2.threshold(redrawn, FAINT * level, 255, cv2.THRESH_BINARY)[1])
        if box[2]:  # else a blot, of which nothing is left
            ink, (x, y, width, height) = redrawn, box
    return _scaled(ink[y : y + height, x : x + width], INNER / max(width, height))


def _scaled(ink: Uint8, scale: float) -> Uint8:
    """Resize; no side falls below 1. Area averaging antialiases, but only where the picture shrinks."""
    rows, columns = ink.shape
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    while 2 * size[0] <= columns // 2 and 2 * size[1] <= rows // 2:
        # Halving is many times faster than any other factor.
        rows, columns = rows // 2, columns // 2
        ink = np.asarray(cv2.resize(ink, (columns, rows), interpolation=cv2.INTER_AREA))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(ink, size, interpolation=how), dtype=np.uint8)


def _with_pen(ink: Uint8, pixels: int) -> Uint8:
    """Return the ink with strokes broader by `pixels`, or narrower if it is negative."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(pixels) + 1, abs(pixels) + 1))
    if pixels < 0:
        return np.asarray(cv2.erode(ink, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0), dtype=np.uint8)
    ink = np.asarray(cv2.copyMakeBorder(ink, pixels, pixels, pixels, pixels, cv2.BORDER_CONSTANT, value=0))
    return np.asarray(cv2.dilate(ink, kernel), dtype=np.uint8)


def _width(strokes: Uint8, inner: Uint8) -> float:
    """Return the mean stroke width in pixels of a mask, of 0 and 255, given the mask `_without_edge`.

    Erosion takes a pixel off both edges of a stroke, 2 of its width: the mean is at least about 2.
    """
    area = cv2.countNonZero(strokes)
    lost = area - cv2.countNonZero(inner)
    return 2 * area / lost if lost else 0.0


def _without_edge(strokes: Uint8) -> Uint8:
    return np.asarray(cv2.erode(strokes, EDGE, borderType=cv2.BORDER_CONSTANT, borderValue=0), dtype=np.uint8)


def _starts(cells: Uint8, sizes: np.ndarray) -> tuple[list[int], list[int]]:
    """Return the row and column where each cell starts, with its center of mass at CENTER, inside the field."""
    moments = cells.reshape(-1, INNER * INNER).astype(np.float32) @ MOMENTS
    centers = moments[:, 1:] / np.maximum(moments[:, :1], 1)
    starts = np.clip(CENTER - np.rint(centers).astype(int), 0, SIDE - sizes)
    return starts[:, 0].tolist(), starts[:, 1].tolist()
