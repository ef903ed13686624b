"""Marks that are several things run together -> what they are made of: digits on rules, in boxes, in shadows."""

from collections.abc import Sequence

import cv2

from edge_runtime.marks import DUST, Mark, find_marks, room
from edge_runtime.normalize import body
from edge_runtime.records import Box
from edge_runtime.rules import REACH, without_rules

SHORT = 16  # pixels: shorter marks stay whole
LARGE = 1.8  # a mark this many times as long as the typical one, or ...
BROAD = 1.3  # ... this many times as wide as high may be several things
BODY = 0.8  # ... or one whose strokes, but for what is pale, are only this part as wide or high
RULE = 12.0  # ink this many times as long as wide is a printed rule
TOUCHING = 6  # digits that touch are together no more than so many times as wide as high, ...
ALL_ALONG = 0.8  # ... and a rule through them is at least so long, of their length
CROSSING = 0.95  # where nothing tells how large digits are, what crosses this much of the picture is a rule
# What is at least this part as dark as the darkest ink of a part that is still large comes apart from the rest, if it
# is this much smaller.
DARKEST = 0.7
MUCH_SMALLER = 0.6
UNCHANGED = 0.6  # one part alone that covers so much of its mark is the mark itself
# There is time to take so many marks apart, that cover so many frames together, into so many parts, and to free so many
# of the parts of rules (see `marks.room`).
MAX_APART = 12
MAX_COVERED = 2.0
MAX_RULED = 1
MAX_PARTS = 96


def taken_apart(
    marks: Sequence[Mark], threshold: int, shape: tuple[int, ...], *, faint: bool = False
) -> tuple[list[tuple[Mark, list[Mark]]], int]:
    """Return each mark with what it is made of, itself or several things, and the typical long side in pixels.

    First, what stands out of a large mark as the body of its strokes comes apart; of what then is still large, rules
    are taken away. `threshold` is the faintest ink that counts; `shape` is the frame's (rows, columns). Where there is
    `faint` print on the page, marks of any size may have some of it.
    """
    typical = typical_side([mark.box for mark in marks], shape)
    left, covered = MAX_APART, MAX_COVERED * shape[0] * shape[1]
    pixels = shape[0] * shape[1]
    most = left_parts = room(MAX_PARTS, pixels)
    apart = []
    for mark in marks:
        parts, size = [mark], mark.box.width * mark.box.height
        if left and left_parts > 0 and size <= covered and _suspect(mark, typical, faint):
            left, covered = left - 1, covered - size
            level = int(body(mark.ink) / 2)
            if level > threshold:
                parts = _within(mark, level, left_parts)
                left_parts -= len(parts)
        apart.append((mark, parts))
    if left == MAX_APART:
        return apart, typical
    typical = typical_side([part.box for _, parts in apart for part in parts], shape)
    large = max(2 * SHORT, LARGE * typical if typical else CROSSING * min(shape))
    settled, ruled = [], room(MAX_RULED, pixels)
    for mark, parts in apart:
        found = []
        for part in parts:
            bare = is_rule(part.box) and min(part.box.width, part.box.height) <= REACH
            if ruled and _long(part.box) > large and not bare:
                ruled -= 1
                found += _without_rest(part, threshold, most, typical)
            else:
                found.append(part)
        found = [part for part in found if _long(part.box) > DUST]
        unchanged = len(found) == 1 and _area(found[0].box) > UNCHANGED * _area(mark.box)
        settled.append((mark, [mark] if unchanged or not found else found))
    return settled, typical


def typical_side(boxes: Sequence[Box], shape: tuple[int, ...]) -> int:
    """Return the median long side, where boxes count as much as they cover; rules, frames and tables do not count.

    0 where there is nothing else. `shape` is the frame's (rows, columns).
    """
    longs = sorted(max(box.width, box.height) for box in boxes if not is_rule(box))
    longs = [long for long in longs if long <= max(shape) / 2]
    half, covered = sum(long * long for long in longs) / 2, 0
    for long in longs:
        covered += long * long
        if covered >= half:
            return long
    return 0


def is_rule(box: Box) -> bool:
    """Tell whether a box is as slender as a printed line, and longer than a slender 1 would be."""
    short, long = sorted((box.width, box.height))
    return long > RULE * short and long > 2 * SHORT


def _suspect(mark: Mark, typical: int, faint: bool) -> bool:
    long = _long(mark.box)
    if long < SHORT:
        return False
    return long > LARGE * typical or mark.box.width > BROAD * mark.box.height or (faint and _reaches_out(mark))


def _reaches_out(mark: Mark) -> bool:
    """Tell whether a mark is much larger than the body of its strokes: a digit with lines of a pale grid."""
    _, strokes = cv2.threshold(mark.ink, body(mark.ink) / 2, 255, cv2.THRESH_BINARY)
    _, _, width, height = cv2.boundingRect(strokes)
    return width < BODY * mark.box.width or height < BODY * mark.box.height


def _without_rest(part: Mark, threshold: int, most: int, typical: int) -> list[Mark]:
    """Return what is darkest in a part, where that is much smaller: digits on a grid; else the part without rules.

    A part no higher than a digit and not very wide may be digits that touch: only a rule along all of it is taken away.
    """
    level = max(threshold, int(body(part.ink) / 2))
    if part.box.height < LARGE * typical and part.box.width <= TOUCHING * part.box.height:
        freed = without_rules(part.ink, level, ALL_ALONG)
        return [part] if freed is part.ink else _within(part._replace(ink=freed), level, most)
    darkest = _within(part, int(DARKEST * cv2.norm(part.ink, cv2.NORM_INF)), most)
    if darkest and max(_long(mark.box) for mark in darkest) < MUCH_SMALLER * _long(part.box):
        return darkest
    freed = without_rules(part.ink, level)
    return [part] if freed is part.ink else _within(part._replace(ink=freed), level, most)


def _within(mark: Mark, threshold: int, most: int) -> list[Mark]:
    """Return the marks in the ink of a mark, the largest `most`, in the frame's pixels.

    None of what falls into twice as many: it is a texture.
    """
    x, y = mark.place.x, mark.place.y
    found, left_out = find_marks(mark.ink, threshold, most)
    if len(left_out) >= most:
        return []
    return [Mark(_moved(part.box, x, y), _moved(part.place, x, y), part.ink) for part in found]


def _moved(box: Box, x: int, y: int) -> Box:
    return Box(box.x + x, box.y + y, box.width, box.height)


def _long(box: Box) -> int:
    return max(box.width, box.height)


def _area(box: Box) -> int:
    return box.width * box.height
