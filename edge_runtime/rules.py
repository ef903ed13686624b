"""Ink with printed lines in it -> the same without: digits that touch a ruled line, or stand in a box, come free."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Uint8

LONG_SIDE = 264  # lines are looked for in a picture reduced to this
# Where more of it is ink, and so many of its pixels, it is no paper with lines on it.
DENSE, MANY = 0.2, 4000
LEAST = 0.3  # a rule is at least this part of the long side
REACH = 12  # a rule is at most so many pixels thick
CROSSING = 1.6  # where ink is so many times as thick as the rule, a stroke crosses it, and stays
MAX_RULES = 60
SAMPLES = 8  # of these, the thickness of so many is measured, at so many places each
PLACES = 48


def without_rules(ink: Uint8, threshold: int, shortest: float = LEAST) -> Uint8:
    """Return ink, uint8 (H, W) bright on 0, with straight long lines taken out, and strokes that cross them left in.

    The same object comes back where there is none. `threshold` is the faintest ink that counts; a line is at least
    `shortest` of the long side.
    """
    strokes = np.asarray(cv2.threshold(ink, threshold - 1, 255, cv2.THRESH_BINARY)[1], dtype=np.uint8)
    scale = min(1.0, LONG_SIDE / max(ink.shape))
    size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    small = cv2.resize(strokes, size, interpolation=cv2.INTER_AREA)
    small = cv2.threshold(small, 63, 255, cv2.THRESH_BINARY)[1]
    if cv2.countNonZero(small) > max(MANY, DENSE * small.size):
        return ink
    least = shortest * max(small.shape)
    # A degree and a half of angle; a line may be interrupted for a hundredth of the picture.
    found = cv2.HoughLinesP(small, 1, np.pi / 120, int(least / 2), minLineLength=least, maxLineGap=max(3, least // 30))
    if found is None:
        return ink
    segments = found.reshape(-1, 4)[:MAX_RULES] / scale
    across = np.abs(segments[:, 2] - segments[:, 0]) >= np.abs(segments[:, 3] - segments[:, 1])
    slack = int(2 / scale) + 2  # how far a line may lie from where it was found
    level = _rules(strokes, segments[across], slack)
    upright = _rules(np.asarray(cv2.transpose(strokes), np.uint8), segments[~across][:, [1, 0, 3, 2]], slack)
    rules = np.asarray(cv2.bitwise_or(level, cv2.transpose(upright)), dtype=np.uint8)
    kept = cv2.dilate(cv2.subtract(strokes, rules), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.bitwise_and(ink, cv2.subtract(kept, rules)), dtype=np.uint8)


def _rules(strokes: Uint8, segments: NDArray[np.float64], slack: int) -> Uint8:
    """Return what of the strokes belongs to lines (x0, y0, x1, y1) flatter than 45 degrees, and to nothing thicker."""
    band = np.zeros_like(strokes)
    runs = _runs(strokes, segments[:SAMPLES], slack)
    rule = float(np.median(runs)) if runs.size else 0.0
    if not 0 < rule <= REACH:
        return band
    for x0, y0, x1, y1 in segments.tolist():
        beyond = REACH / max(1.0, abs(x1 - x0))  # ends are found a little too early
        dx, dy = (x1 - x0) * beyond, (y1 - y0) * beyond
        start, end = (round(x0 - dx), round(y0 - dy)), (round(x1 + dx), round(y1 + dy))
        cv2.line(band, start, end, 255, int(rule) + 2 * slack)
    tall = np.ones((int(CROSSING * rule) + 2, 1), np.uint8)
    crossing = cv2.morphologyEx(strokes, cv2.MORPH_OPEN, tall)
    return np.asarray(cv2.subtract(cv2.bitwise_and(band, strokes), crossing), dtype=np.uint8)


def _runs(strokes: Uint8, segments: NDArray[np.float64], slack: int) -> NDArray[np.intp]:
    """Return how thick the ink is, downward, at places along lines, wherever there is any."""
    height, width = strokes.shape
    along = np.linspace(0, 1, PLACES)[:, None]
    x0, y0, x1, y1 = segments.T
    x = (x0 + along * (x1 - x0)).ravel().round().astype(int)
    y = (y0 + along * (y1 - y0)).ravel().round().astype(int)
    index = np.arange(2 * (slack + REACH) + 1)[:, None]
    middle = slack + REACH
    rows = y + index - middle
    ink = (strokes[rows.clip(0, height - 1), x.clip(0, width - 1)] > 0) & (rows >= 0) & (rows < height)
    # The ink nearest to the middle of the line, and its run up and down from there.
    nearest = np.where(ink, abs(index - middle), len(index)).argmin(axis=0)
    above = np.where(~ink & (index < nearest), index, -1).max(axis=0)
    below = np.where(~ink & (index > nearest), index, len(index)).min(axis=0)
    there = ink[nearest, np.arange(x.size)] & (abs(nearest - middle) <= slack)
    return np.asarray((below - above - 1)[there])
