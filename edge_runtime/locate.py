"""Ink plane -> candidates: connected ink, and pieces of it that may belong together. Knows no model."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime import reject
from edge_runtime.records import Box, Candidate, Rejection, Uint8

MIN_INK = 40  # the faintest ink that counts, of 255: below lie paper grain and sensor noise
MIN_SIDE = 8  # pixels: ink whose long side is shorter is no digit ...
DUST = 3  # ... and below this not even worth a rejection
RULE = 12.0  # ink this many times as long as wide is a printed rule
FRAME = 0.95  # ink over this much of both sides is the edge of the paper, not a digit
MAX_MARKS = 400  # the largest marks of a frame count: pictures of grass and gravel have thousands
MAX_JOINS = 400
MAX_AREA = (
    4  # candidates cover at most this many times the frame: noise is one mark of everything, joined to all others
)
# Two marks may be one digit if the gap between them is at most this part of the higher one's height, ...
NEAR = 0.2
# ... their common height at least this part of their common width, ...
UPRIGHT = 0.7
# ... and one is a fragment: it lies mostly above or below the other, or is lower than this part of it.
FRAGMENT = 0.6
RIM = 1  # pixels around a mark's threshold outline that hold the rest of its soft edge

KERNEL = np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)


class Located(NamedTuple):
    """What was found. `marks` are the boxes of all connected ink, which candidates number; see `Candidate`."""

    marks: list[Box]
    candidates: list[Candidate]
    rejections: list[Rejection]


def locate(ink: Uint8) -> Located:
    """Find what may be a digit in an ink plane, uint8 (H, W), bright on 0.

    Rejected here is only what cannot be a digit, nor a piece of one, by its shape.
    """
    outlines, rejections = _outlines(ink)
    marks = [Box(*cv2.boundingRect(outline)) for outline in outlines]
    groups = [(_union(marks, group), group) for group in [*((i,) for i in range(len(marks))), *_joins(marks)]]
    candidates = []
    area = MAX_AREA * ink.size
    for box, group in sorted(groups, key=lambda pair: pair[0].width * pair[0].height):
        area -= box.width * box.height
        if area < 0:
            break
        if max(box.width, box.height) >= MIN_SIDE:
            cut = _cut_out(ink, box, [outlines[i] for i in group])
            candidates.append(Candidate(box, cut, frozenset(group)))
    return Located(marks, candidates, rejections)


def _union(marks: list[Box], group: tuple[int, ...]) -> Box:
    box = marks[group[0]]
    for i in group[1:]:
        box = box.union(marks[i])
    return box


def ink_threshold(ink: Uint8) -> int:
    """Return the level that tells ink from paper: half of what Otsu's method calls dark, MIN_INK at least."""
    otsu, _ = cv2.threshold(ink, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return max(MIN_INK, int(otsu) // 2)


def _outlines(ink: Uint8) -> tuple[list[NDArray[np.int32]], list[Rejection]]:
    _, binary = cv2.threshold(ink, ink_threshold(ink) - 1, 255, cv2.THRESH_BINARY)
    found, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    height, width = ink.shape
    outlines: list[tuple[int, Any]] = []
    rejections = []
    for outline in found:
        box = Box(*cv2.boundingRect(outline))
        short, long = sorted(box[2:])
        if long < DUST:
            continue
        if min(width, height) > 4 * MIN_SIDE and box.width > FRAME * width and box.height > FRAME * height:
            rejections.append(Rejection(box, reject.TOO_LARGE))
        elif long > RULE * short and long > 4 * MIN_SIDE:
            rejections.append(Rejection(box, reject.LINE))
        else:
            outlines.append((short * long, outline))
    if len(outlines) > MAX_MARKS:
        outlines.sort(key=lambda pair: -pair[0])
    return [outline for _, outline in outlines[:MAX_MARKS]], rejections


def _joins(marks: list[Box]) -> list[tuple[int, ...]]:
    """Return the pairs and triples of marks that may be one digit."""
    if len(marks) < 2:
        return []
    x, y, width, height = np.array(marks).T
    right, bottom = x + width, y + height
    gap_x = np.maximum.outer(x, x) - np.minimum.outer(right, right)
    gap_y = np.maximum.outer(y, y) - np.minimum.outer(bottom, bottom)
    joint_width = np.maximum.outer(right, right) - np.minimum.outer(x, x)
    joint_height = np.maximum.outer(bottom, bottom) - np.minimum.outer(y, y)
    stacked = -gap_x * 2 > np.minimum.outer(width, width)
    fragment = np.minimum.outer(height, height) < FRAGMENT * np.maximum.outer(height, height)
    joinable = np.maximum(gap_x, gap_y) <= NEAR * np.maximum.outer(height, height)
    joinable &= (joint_height >= UPRIGHT * joint_width) & (stacked | fragment)
    pairs = [(int(i), int(j)) for i, j in np.argwhere(np.triu(joinable, 1))[:MAX_JOINS]]
    partners: dict[int, set[int]] = {}
    for i, j in pairs:
        partners.setdefault(i, set()).add(j)
        partners.setdefault(j, set()).add(i)
    triples = {tuple(sorted((i, j, k))) for i, j in pairs for k in partners[i] & partners[j]}
    triples |= {tuple(sorted((i, j, k))) for i, j in pairs for k in partners[i] ^ partners[j] if k not in (i, j)}
    return [*pairs, *sorted(triples)[:MAX_JOINS]]


def _cut_out(ink: Uint8, box: Box, outlines: list[Any]) -> Uint8:
    """Return the ink inside these outlines, grown by RIM on every side; what else lies there is 0."""
    mask = np.zeros((box.height + 2 * RIM, box.width + 2 * RIM), np.uint8)
    cv2.drawContours(mask, outlines, -1, 255, cv2.FILLED, offset=(RIM - box.x, RIM - box.y))
    grown = cv2.dilate(mask, KERNEL)
    height, width = ink.shape
    left, top = min(RIM, box.x), min(RIM, box.y)
    right, bottom = min(RIM, width - box.right), min(RIM, height - box.bottom)
    part = ink[box.y - top : box.bottom + bottom, box.x - left : box.right + right]
    inside = grown[RIM - top : RIM + box.height + bottom, RIM - left : RIM + box.width + right]
    return np.asarray(cv2.bitwise_and(part, inside), dtype=np.uint8)
