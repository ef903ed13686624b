"""Small or pale digits beside large or dark ones: what the whole page makes specks and shadows, its own row does not.

`locate` says how large and how dark ink is from all that is on the page, by area: beside one numeral of a felt pen, a
row of small digits in ballpoint is dust to it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_runtime.apart import is_rule
from edge_runtime.locate import MIN_BODY, MIN_SIDE, Located
from edge_runtime.marks import calm, find_marks, rimmed
from edge_runtime.normalize import body
from edge_runtime.records import Box, Candidate, Uint8
from edge_runtime.reject import LOW_CONTRAST, TOO_SMALL

# Two marks stand in a row if neither is less than this part as long as the other, ...
ALIKE = 0.5
# ... and their middles lie at most so many heights of the taller apart, across and down.
REACH, ASIDE = 5.0, 0.5
# A mark is looked at again beside one candidate, or beside so many others that were taken for specks or shadows.
ROW = 2
# There is time to look at so many again; where far more was taken for specks, they are a texture.
MOST = 24
TEXTURE = 80


def with_overlooked(located: Located, ink: Uint8) -> Located:
    """Return what was located in an ink plane, uint8 (H, W), with marks that stand in a row as candidates after all.

    They come after those that there were, each alone; they were rejected as too small or too faint for this page.
    """
    boxes = [r.box for r in located.rejections if r.reason in (TOO_SMALL, LOW_CONTRAST) and _may_be_digit(r.box)]
    if not 0 < len(boxes) <= TEXTURE or located.left == 0:
        return located
    rows, beside = _in_a_row(boxes, boxes), _in_a_row(boxes, [candidate.box for candidate in located.candidates])
    again = (rows.sum(axis=1) >= ROW) | beside.any(axis=1)
    while (more := again | rows[:, again].any(axis=1)).sum() > again.sum():
        again = more
    if not again.any():
        return located
    plane, threshold = calm(ink)
    marks, candidates = list(located.marks), list(located.candidates)
    for i in again.nonzero()[0].tolist()[: min(MOST, located.left)]:
        alone = _own_ink(plane, threshold, boxes[i])
        if alone is not None and body(alone) >= MIN_BODY:
            candidates.append(Candidate(boxes[i], alone, frozenset({len(marks)})))
            marks.append(boxes[i])
    taken = set(marks[len(located.marks) :])
    rejections = [rejection for rejection in located.rejections if rejection.box not in taken]
    return Located(marks, candidates, rejections, located.left - len(taken))


def _may_be_digit(box: Box) -> bool:
    return max(box.width, box.height) >= MIN_SIDE and not is_rule(box)


def _in_a_row(boxes: Sequence[Box], others: Sequence[Box]) -> NDArray[np.bool_]:
    """Tell which of `boxes` stand in a row with which of `others`, none with itself: bool (boxes, others)."""
    x, y, width, height = np.array(boxes, np.float64).reshape(-1, 4).T[:, :, None]
    other_x, other_y, other_width, other_height = np.array(others, np.float64).reshape(-1, 4).T[:, None]
    long, other_long = np.maximum(width, height), np.maximum(other_width, other_height)
    across = abs(x + width / 2 - other_x - other_width / 2)
    down = abs(y + height / 2 - other_y - other_height / 2)
    taller = np.maximum(height, other_height)
    alike = np.minimum(long, other_long) >= ALIKE * np.maximum(long, other_long)
    return np.asarray(alike & (across > 0) & (across <= REACH * taller) & (down <= ASIDE * taller))


def _own_ink(plane: Uint8, threshold: int, box: Box) -> Uint8 | None:
    """Return the ink of the mark with just this box, and its rim; None for a mark that was part of another."""
    place = rimmed(box, plane.shape)
    found, _ = find_marks(plane[place.y : place.bottom, place.x : place.right], threshold)
    sized = [mark.ink for mark in found if (mark.box.width, mark.box.height) == (box.width, box.height)]
    return sized[0] if sized else None
