"""Ink with printed lines in it -> the same without them: digits that touch a ruled line, or stand in a box, come free."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Uint8

LONG_SIDE = 320  # lines are looked for in a picture reduced to this
LEAST = 0.3  # a rule is at least this part of the mark's long side, ...
REACH = 12  # ... and at most so many pixels to either side of its middle
CROSSING = 1.6  # where ink is so many times as thick as the rule, a stroke crosses it, and stays
MAX_RULES = 40


def without_rules(ink: Uint8, threshold: int) -> Uint8:
    """Return ink, uint8 (H, W) bright on 0, with straight long lines taken out, and strokes that cross them left in."""
    _, strokes = cv2.threshold(ink, threshold - 1, 255, cv2.THRESH_BINARY)
    scale = min(1.0, LONG_SIDE / max(ink.shape))
    small = np.asarray(cv2.resize(strokes, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    long = max(small.shape)
    # A degree of angle; a line may be interrupted for a hundredth of the picture.
    segments = cv2.HoughLinesP(
        cv2.threshold(small, 63, 255, cv2.THRESH_BINARY)[1], 1, np.pi / 180, int(LEAST * long / 2),
        minLineLength=LEAST * long, maxLineGap=max(3, long // 100),
    )  # fmt: skip
    if segments is None:
        return ink
    left = strokes > 0
    for x0, y0, x1, y1 in (segments.reshape(-1, 4)[:MAX_RULES] / scale).tolist():
        if abs(x1 - x0) >= abs(y1 - y0):
            _erase(left, x0, y0, x1, y1)
        else:
            _erase(left.T, y0, x0, y1, x1)
    kept = cv2.dilate(left.astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
    gone = cv2.bitwise_and(strokes, cv2.bitwise_not(left.astype(np.uint8) * 255))
    return np.asarray(cv2.bitwise_and(ink, cv2.bitwise_and(kept, cv2.bitwise_not(gone))), dtype=np.uint8)


def _erase(strokes: NDArray[np.bool_], x0: float, y0: float, x1: float, y1: float) -> None:
    """Clear the line from (x0, y0) to (x1, y1), flatter than 45 degrees, wherever the ink is no thicker than a rule."""
    height, width = strokes.shape
    if x1 < x0:
        x0, y0, x1, y1 = x1, y1, x0, y0
    slope = (y1 - y0) / max(1.0, x1 - x0)
    x = np.arange(max(0, int(x0) - REACH), min(width, int(x1) + REACH + 1))
    middle = y0 + (x - x0) * slope
    y = np.rint(middle).astype(int) + np.arange(-REACH, REACH + 1)[:, None]
    inside = (y >= 0) & (y < height)
    y = np.clip(y, 0, height - 1)
    ink = strokes[y, x] & inside
    # The nearest ink to the middle, within 2 pixels, and its run up and down from there.
    offsets = np.array([0, -1, 1, -2, 2]) + REACH
    start = offsets[ink[offsets].argmax(axis=0)]
    rows = np.arange(2 * REACH + 1)[:, None]
    above = np.where(~ink & (rows < start), rows, -1).max(axis=0)
    below = np.where(~ink & (rows > start), rows, 2 * REACH + 1).min(axis=0)
    present = ink[start, np.arange(len(x))]
    if not present.any():
        return
    run = below - above - 1
    rule = max(1.0, float(np.median(run[present])))
    if rule > REACH:
        return
    thin = present & (run <= CROSSING * rule + 1)
    doomed = (rows > above) & (rows < below) & thin
    at = np.broadcast_to(x, y.shape)
    strokes[y[doomed], at[doomed]] = False
