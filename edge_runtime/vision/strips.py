"""A line of digits -> the input strip of the line network: 32 rows of ink, digits about 20 rows high.

And back: cut-outs, from the picture's ink, of the digits that the network reads on a strip.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from edge_runtime.inference.contract import COLUMNS, ROWS
from edge_runtime.records import Box, Uint8
from edge_runtime.vision.boxes import centers
from edge_runtime.vision.normalize import EDGE, FAINT, INNER, WORKING

# The height of digits in a strip, in rows: as in the 28x28 contract.
HIGH = INNER
# The quantile of a strip's pixels that stands for full ink, bright on 0: a line covers more than the rest.
WHITE = 0.97
# That quantile is scaled to this level, of 255.
LEVEL = 230
# Heights of a digit: how far a strip extends beyond the digits that it was found by. Another digit fits in there.
BESIDE = 1.2


class Strip(NamedTuple):
    """A line of a picture, straightened: `image` is uint8 (ROWS, COLUMNS), ink bright on 0.

    Column 0 of its middle row is at `origin` (x, y) of the picture, and each column further by `step` (x, y); its
    digits are about `height` of the picture's pixels high, and it has ink up to column `width`.
    """

    image: Uint8
    origin: tuple[float, float]
    step: tuple[float, float]
    height: float
    width: int

    def box(self, left: float, right: float) -> Box:
        """Return the box, in pixels of the picture, of a digit between two columns of the strip."""
        x, y = (start + (left + right) / 2 * by for start, by in zip(self.origin, self.step, strict=True))
        width = max(1.0, (right - left) * float(np.hypot(*self.step)))
        return Box(round(x - width / 2), round(y - self.height / 2), round(width), max(1, round(self.height)))


def strip_of(ink: Uint8, boxes: Sequence[Box], height_factor: float, *, alone: bool = False) -> Strip:
    """Return the strip of the line that contains the `boxes` of at least one digit, in pixels of a plane's ink.

    The height of the digits is the median of the boxes times `height_factor`. A line that is `alone` in its picture may
    extend further on either side: its strip takes in as much of the picture as fits.
    """
    all_boxes = np.array(boxes, np.float64)
    x, _, width, height = all_boxes.T
    tall = float(np.median(height)) * height_factor
    middle_x, middle_y = centers(all_boxes)
    slope = 0.0
    if len(boxes) > 1 and np.ptp(middle_x) > 0:
        slope = float(np.polyfit(middle_x, middle_y, 1)[0])
    length = float(np.hypot(1, slope))
    along = np.array([1, slope]) / length
    center = np.array([middle_x.mean(), middle_y.mean()])
    # Along the line, from its center: room for a digit more on either side, but nothing beyond the picture.
    first, last = (x.min() - center[0]) * length, ((x + width).max() - center[0]) * length
    beside = BESIDE * tall
    if alone:
        beside = max(beside, (tall * COLUMNS / HIGH - (last - first)) / 2)
    left = max(first - beside, -center[0] * length)
    right = min(last + beside, (ink.shape[1] - center[0]) * length)
    band = tall * ROWS / HIGH
    columns, rows = max(1, round(right - left)), max(1, round(band))
    origin = center + left * along
    corner = origin - band / 2 * np.array([-along[1], along[0]])
    back = np.array([[along[0], -along[1], corner[0]], [along[1], along[0], corner[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    straight = np.asarray(cv2.warpAffine(ink, back, (columns, rows), flags=flags), np.uint8)
    shown = min(COLUMNS, max(1, round(columns * ROWS / rows)))
    step = along * columns / shown
    return Strip(fitted(straight), (origin[0], origin[1]), (step[0], step[1]), tall, shown)


def fitted(band: Uint8) -> Uint8:
    """Return the strip of a band of ink, uint8 (H, W), bright on 0, whose digits are about HIGH / ROWS of H high.

    The strip is uint8 (ROWS, COLUMNS). The band is at its left, aspect kept, or squeezed if it is too wide.
    """
    rows, columns = band.shape
    width = min(COLUMNS, max(1, round(columns * ROWS / rows)))
    small = np.asarray(cv2.resize(band, (width, ROWS), interpolation=cv2.INTER_AREA), np.uint8)
    small = np.asarray(cv2.convertScaleAbs(small, alpha=LEVEL / _white(small)), np.uint8)
    return np.asarray(cv2.copyMakeBorder(small, 0, 0, 0, COLUMNS - width, cv2.BORDER_CONSTANT, value=0), np.uint8)


def cut_out(ink: Uint8, strip: Strip, columns: Sequence[tuple[float, float]]) -> list[Uint8]:
    """Return the ink between each two columns of a strip, uint8 (H, W), bright on 0, from its plane.

    Components that do not reach into the middle half of the digits' height are left out: signs, rules, and the ends of
    other lines.
    """
    times = WORKING // HIGH  # the 28x28 contract reduces larger ink
    across = np.array(strip.step) / times
    down = strip.height / HIGH / times * np.array([-across[1], across[0]]) / np.hypot(*across)
    rows = times * ROWS
    back = np.column_stack([across, down, np.array(strip.origin) - down * rows / 2])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    straight = np.asarray(cv2.warpAffine(ink, back, (times * strip.width, rows), flags=flags), np.uint8)
    strokes = np.asarray(cv2.threshold(straight, FAINT * _white(straight), 255, cv2.THRESH_BINARY)[1], np.uint8)
    ends = [(round(times * left), max(round(times * left) + 1, round(times * right))) for left, right in columns]
    return [_middle(straight[:, left:right], strokes[:, left:right]) for left, right in ends]


def _middle(ink: Uint8, strokes: Uint8) -> Uint8:
    """Return the ink around those strokes that reach into the middle half of the digits' height."""
    count, numbers = cv2.connectedComponents(strokes)
    half = len(ink) * HIGH // ROWS // 2
    top = (len(ink) - half) // 2
    kept = np.zeros(count, np.uint8)
    kept[numbers[top : top + half]] = 1
    kept[0] = 0
    return np.asarray(ink * cv2.dilate(kept[numbers], EDGE), np.uint8)


def _white(ink: Uint8) -> int:
    """Return the level, 1-255, below which the share WHITE of the ink's pixels lies."""
    counts = np.bincount(ink.ravel()).cumsum()  # np.percentile takes three times as long
    return max(1, int(np.searchsorted(counts, WHITE * ink.size)))
