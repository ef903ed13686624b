"""The probability, by the line network, that there is a digit where the classifier saw one: it sees the words beside.

A strip shows a line with room on both sides. The network's blank output means no digit: letters, signs and paper.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.inference.contract import BLANK, COLUMNS
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.lines.views import LOWER, SURE
from edge_runtime.records import Box
from edge_runtime.vision.boxes import centers
from edge_runtime.vision.glyphs import Float64, Glyphs
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.strips import BESIDE, HIGH, Strip, strip_of

# The digits of a line may be so many times as high as its glyphs, of which some are letters: a strip for each, until
# the network is SURE of every digit of the line. The steps are twice those by which doubtful lines are reread.
STEP = LOWER**2
HEIGHTS = 1.0, 1 / STEP, STEP, 1 / STEP**2


class Seen(NamedTuple):
    """Which line's strips showed each glyph, int (N,), -1 for none, and the network's `presence`, float64 (N,), 0-1."""

    line: NDArray[np.int64]
    presence: Float64


class Shown(NamedTuple):
    """A strip and the network's probabilities for each of its steps, float64 (steps, 11)."""

    strip: Strip
    probabilities: Float64


def see(
    network: LineNetwork, lines: Sequence[Sequence[int]], glyphs: Glyphs, planes: Sequence[Plane], most: int
) -> Seen:  # fmt: skip
    """Let the network read strips of lines, at most `most`, and return the probability that each glyph is a digit.

    `lines` hold the rows of the glyphs on each line. The strips also show glyphs beside them.
    """
    light = np.array([plane.light for plane in planes])[glyphs.plane]
    seen = Seen(np.full(len(glyphs), -1), np.zeros(len(glyphs)))
    for number, line in enumerate(lines):
        seen.line[line] = number
    shown = np.zeros(len(glyphs), np.bool_)
    for factor in HEIGHTS:
        for number, line in enumerate(lines):
            if shown[line].all() and seen.presence[line].min() > SURE:
                continue
            plane = planes[int(np.bincount(glyphs.plane[line]).argmax())]
            boxes = glyphs.boxes / plane.scale
            for rows in _windows(np.asarray(line), glyphs.boxes, factor):
                if not most:
                    return _of_shown(seen, shown)
                most -= 1
                strip = strip_of(plane.ink, _boxes(boxes[rows]), factor, alone=True)
                read = Shown(strip, network.probabilities(strip.image))
                for row in _on(strip, boxes, strip.height / factor, light == plane.light, rows):
                    seen.presence[row] = max(seen.presence[row], _present(read, boxes[row], network.step))
                    seen.line[row] = number if seen.line[row] < 0 else seen.line[row]
                    shown[row] = True
    return seen


def _of_shown(seen: Seen, shown: NDArray[np.bool_]) -> Seen:
    return Seen(np.where(shown, seen.line, -1), seen.presence)


def _windows(line: NDArray[np.int64], boxes: Float64, factor: float) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of a line, from left to right, in parts that fit on a strip with room on both sides."""
    order = line[np.argsort(boxes[line, 0])]
    widest = (COLUMNS / HIGH - 2 * BESIDE) * factor * float(np.median(boxes[line, 3]))
    while len(order):
        right = boxes[order, 0] + boxes[order, 2] - boxes[order[0], 0]
        count = max(1, int(np.count_nonzero(np.maximum.accumulate(right) <= widest)))
        yield order[:count]
        order = order[count:]


def _boxes(boxes: Float64) -> list[Box]:
    return [Box(x, y, max(1, width), max(1, height)) for x, y, width, height in np.rint(boxes).astype(int).tolist()]


def _on(
    strip: Strip, boxes: Float64, height: float, same: NDArray[np.bool_], rows: NDArray[np.int64]
) -> NDArray[np.int64]:  # fmt: skip
    """Return the rows of the boxes on a strip of digits about `height` high: `rows`, and others of the `same` ink.

    Others lie on it whole, reach over its middle row, and are half to twice as high.
    """
    x, y = centers(boxes)
    along = np.array(strip.step) / np.hypot(*strip.step)
    off = np.abs((x - strip.origin[0]) * along[1] - (y - strip.origin[1]) * along[0])
    on = same & (2 * off < boxes[:, 3]) & (boxes[:, 3] < 2 * height) & (2 * boxes[:, 3] > height)
    left, right = _columns(strip, boxes)
    on &= (left > 0) & (right < strip.width)
    on[rows] = True
    return np.flatnonzero(on)


def _columns(strip: Strip, boxes: Float64) -> tuple[Float64, Float64]:
    """Return the first and the last column of each box on a strip."""
    x, y = centers(boxes)
    long = float(np.hypot(*strip.step))
    middle = ((x - strip.origin[0]) * strip.step[0] + (y - strip.origin[1]) * strip.step[1]) / long**2
    half = boxes[:, 2] / 2 / long
    return middle - half, middle + half


def _present(shown: Shown, box: Float64, step: float) -> float:
    """Return the probability that a digit is read within a box: the highest of its steps."""
    left, right = (float(each[0]) for each in _columns(shown.strip, box[None]))
    first = min(max(0, int(left / step)), len(shown.probabilities) - 1)
    return float(1 - shown.probabilities[first : max(first + 1, int(np.ceil(right / step))), BLANK].min())
