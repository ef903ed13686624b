"""Ink plane -> marks: connected ink, each with the ink that is its own."""

from collections import defaultdict
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Uint8

# Ink from here on counts, of 255: below lie paper grain and the ends of shadows.
MIN_INK = 40
DUST = 3  # pixels: what is no longer than this is not worth a word
RIM = 1  # pixels around a mark's outline that hold the rest of its soft edge
KERNEL = np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)
# Where the ink plane's noise (its standard deviation) is above the first, it is smoothed with the second, a Gaussian
# sigma in pixels, which leaves the third part of it.
CALM = ((30.0, 2.2, 0.16), (14.0, 1.3, 0.24), (6.0, 0.8, 0.39))
CLEAR = 3.9  # ink is at least so many standard deviations of the noise that is left
# In a picture with more edges than this part of its pixels - grass, gravel, dense text - labels are counted before
# anything is followed around its outline, which would take tens of milliseconds.
BUSY = 0.025
# There is time for the largest so many marks (see `room`); of these, for the smallest that cover so many frames.
MAX_MARKS = 80
MAX_COVERED = 4.0


class Mark(NamedTuple):
    """Connected ink: its box in the frame, and in `place`, which is the box with a rim, the ink that is its own."""

    box: Box
    place: Box
    ink: Uint8


def room(count: int, pixels: int) -> int:
    """Return how many of something there is time for: `count` in a frame of 640x480, and as many more as its sides."""
    return int(count * max(1.0, pixels / (640 * 480)) ** 0.5)


def calm(ink: Uint8) -> tuple[Uint8, int]:
    """Return an ink plane, uint8 (H, W), smoothed as far as its noise asks for, and the faintest ink that counts."""
    noise = _noise(ink)
    for least, sigma, left in CALM:
        if noise > least:
            side = 2 * round(1.5 * sigma) + 1
            smooth = np.asarray(cv2.GaussianBlur(ink, (side, side), sigma), dtype=np.uint8)
            return smooth, max(MIN_INK, min(255, int(CLEAR * left * noise)))
    return ink, max(MIN_INK, int(CLEAR * noise))


def _noise(ink: Uint8) -> float:
    """Return the standard deviation of the noise, from what neighbors differ by, or 0 where it is too low to matter.

    Of Gaussian noise around 0 with its lower half cut off, 70 of 100 neighbors differ by less than 0.78 standard
    deviations; the edges of strokes are among the other 30.
    """
    rows = ink[::8]
    if rows.shape[1] < 2:
        return 0.0
    differences = cv2.absdiff(rows[:, 1:], rows[:, :-1])
    above = cv2.threshold(differences, CALM[-1][0], 255, cv2.THRESH_BINARY)[1]
    if cv2.countNonZero(above) < 0.3 * differences.size:
        return 0.0
    counts = cv2.calcHist([differences], [0], None, [256], [0, 256])
    return float(np.searchsorted(np.cumsum(counts), 0.7 * differences.size)) / 0.78


def find_marks(ink: Uint8, threshold: int, most: int | None = None) -> tuple[list[Mark], list[Box]]:
    """Return the connected ink of a plane, uint8 (H, W), bright on 0, from `threshold` on, and what is too much.

    Of more than `most` marks, or MAX_MARKS, the largest are returned; of what covers more than MAX_COVERED planes, the
    smallest. The others come as their boxes alone.
    """
    _, binary = cv2.threshold(ink, threshold - 1, 255, cv2.THRESH_BINARY)
    most = room(MAX_MARKS, ink.size) if most is None else most
    rows = binary[::5]
    if rows.shape[1] > 1 and cv2.countNonZero(cv2.absdiff(rows[:, 1:], rows[:, :-1])) > BUSY * max(rows.size, 4096):
        return _labeled(ink, np.asarray(binary, dtype=np.uint8), most)
    outlines, hierarchy = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    found, holes = [], defaultdict(list)
    parents = hierarchy[0, :, 3].tolist() if outlines else []
    for i, (outline, parent) in enumerate(zip(outlines, parents, strict=True)):
        if parent >= 0:
            holes[parent].append(outline)
            continue
        box = Box(*cv2.boundingRect(outline))
        if max(box.width, box.height) > DUST:
            found.append((box, i))
    found, left_out = _bounded(found, most, ink.size)
    marks = []
    for (box, i), shared in zip(found, _overlapping([box for box, _ in found]), strict=True):
        place = rimmed(box, ink.shape)
        part = ink[place.y : place.bottom, place.x : place.right]
        if shared:
            mask = np.zeros(part.shape, np.uint8)
            cv2.fillPoly(mask, [outlines[i], *holes[i]], 255, offset=(-place.x, -place.y))
            part = _inside(part, mask)
        marks.append(Mark(box, place, part))
    return marks, left_out


def _labeled(ink: Uint8, binary: Uint8, most: int) -> tuple[list[Mark], list[Box]]:
    """Return the same, found by labeling: slower than following outlines, but never slower than so.

    Of OpenCV's algorithms, this one counts what each label covers in a third of the time that the others take.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(binary, 8, cv2.CV_32S, cv2.CCL_BBDT)
    stats[0, 2:4] = 0  # the paper
    largest = np.argsort(-(stats[:, 2] * stats[:, 3]), kind="stable")[: 2 * most]
    largest = largest[stats[largest, 2:4].max(axis=1) > DUST]
    found = [(Box(*stats[label, :4].tolist()), label) for label in largest.tolist()]
    found, left_out = _bounded(found, most, ink.size)
    marks = []
    for box, label in found:
        place = rimmed(box, ink.shape)
        rows, columns = slice(place.y, place.bottom), slice(place.x, place.right)
        mask = np.asarray(cv2.inRange(labels[rows, columns], label, label), dtype=np.uint8)
        marks.append(Mark(box, place, _inside(ink[rows, columns], mask)))
    return marks, left_out


def _bounded(found: list[tuple[Box, int]], most: int, pixels: int) -> tuple[list[tuple[Box, int]], list[Box]]:
    """Part boxes, each with its number, into those that there is time for, largest first, and the others."""
    found = sorted(found, key=lambda pair: -pair[0].width * pair[0].height)
    found, left_out = found[:most], [box for box, _ in found[most:]]
    covered = sum(box.width * box.height for box, _ in found)
    first = 0
    while covered > MAX_COVERED * pixels:
        box = found[first][0]
        covered -= box.width * box.height
        left_out.append(box)
        first += 1
    return found[first:], left_out


def _inside(ink: Uint8, mask: Uint8) -> Uint8:
    """Return the ink in a mask grown by RIM; what else lies there is 0."""
    return np.asarray(cv2.bitwise_and(ink, cv2.dilate(mask, KERNEL)), dtype=np.uint8)


def _overlapping(boxes: list[Box]) -> NDArray[np.bool_]:
    """Tell for each box, grown by RIM, whether it shares pixels with another."""
    if len(boxes) < 2:
        return np.zeros(len(boxes), np.bool_)
    x, y, width, height = np.array(boxes, np.int32).T
    reach = 2 * RIM
    near = (x[:, None] <= x + width + reach) & (y[:, None] <= y + height + reach)
    return np.asarray(np.count_nonzero(near & near.T, axis=1) > 1)


def rimmed(box: Box, shape: tuple[int, ...]) -> Box:
    """Return the box grown by RIM on every side, inside a plane of this shape (rows, columns)."""
    left, top, width, height = box
    x, y = max(0, left - RIM), max(0, top - RIM)
    return Box(x, y, min(left + width + RIM, shape[1]) - x, min(top + height + RIM, shape[0]) - y)


def together(marks: list[Mark]) -> Mark:
    """Return several marks as one."""
    box, place = marks[0].box, marks[0].place
    for mark in marks[1:]:
        box, place = box.union(mark.box), place.union(mark.place)
    ink = np.zeros((place.height, place.width), np.uint8)
    for mark in marks:
        x, y = mark.place.x - place.x, mark.place.y - place.y
        part = ink[y : y + mark.place.height, x : x + mark.place.width]
        np.maximum(part, mark.ink, out=part)
    return Mark(box, place, ink)
