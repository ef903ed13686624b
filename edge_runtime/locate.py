"""Ink plane -> candidates: connected ink, pieces of it that may belong together or apart. Knows no model."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from edge_runtime import reject
from edge_runtime.cuts import cut
from edge_runtime.marks import DUST, Mark, calm, find_marks, rimmed, together
from edge_runtime.normalize import body
from edge_runtime.records import Box, Candidate, Rejection, Uint8
from edge_runtime.rules import without_rules

MIN_SIDE = 8  # pixels: ink whose long side is shorter is no digit
# Ink whose body is fainter, of 255, is a shadow, a crease or the print on the other side; ...
MIN_BODY = 60
# ... and so is ink fainter than this part of the page's mean.
PALE = 0.4
RULE = 12.0  # ink this many times as long as wide is a printed rule
FRAME = 0.95  # ink over this much of both sides is the edge of the paper, not a digit
WIDE = 1.1  # a mark this many times as wide as high may be several digits: 1 in 100 of MNIST's is as wide
SLENDER = 0.7  # ... and one this wide that looks like nothing is cut as well
LARGE = 1.8  # one this many times as long as the median, or ...
BROAD = 1.3  # ... as wide as high may be digits run together by their shadows, or standing on a rule
MAX_APART = 24  # so many of them, of MAX_AREA frames together, are taken apart
MAX_AREA = 3
MAX_JOINS = 200
# Two marks may be one digit if the gap between them is at most this part of the higher one's height, ...
NEAR = 0.2
# ... their common height at least this part of their common width, ...
UPRIGHT = 0.7
# ... and one is a fragment: it lies mostly above or below the other, or is lower than this part of it.
FRAGMENT = 0.6
# Or the gap is no more than a crack, of this part of the height.
CRACK = 0.08
# Pieces of a wide mark are offered together up to this many times as wide as high.
PIECE_ASPECT = 1.3


class Located(NamedTuple):
    """What was found. `marks` are the boxes of all connected ink, which candidates number; see `Candidate`."""

    marks: list[Box]
    candidates: list[Candidate]
    rejections: list[Rejection]


def locate(ink: Uint8) -> Located:
    """Find what may be a digit in an ink plane, uint8 (H, W), bright on 0.

    Rejected here is only what cannot be a digit, nor a piece of one, by its shape.
    """
    ink, threshold = calm(ink)
    found, rejections = _dark_enough(find_marks(ink, threshold))
    marks: list[Mark] = []
    groups: list[tuple[Mark, frozenset[int]]] = []
    wholes: list[tuple[Mark, frozenset[int]]] = []
    apart, typical = _taken_apart(found, threshold, ink.shape)
    for mark, parts in apart:
        first = len(marks)
        for part in parts:
            reason = _hopeless(part.box, ink.shape)
            if reason is not None:
                rejections.append(Rejection(part.box, reason))
                continue
            pieces = cut(part) if _may_be_several(part.box) else [part]
            runs = _runs(part, pieces, len(marks))
            marks += pieces
            groups += runs
            wholes.append(runs[0])
        numbers = frozenset(range(first, len(marks)))
        if len(parts) > 1 and numbers and _may_be_whole(mark.box, typical, ink.shape):
            groups.append((mark, numbers))
    for join in _joins([mark.box for mark, _ in wholes]):
        groups.append((together([wholes[i][0] for i in join]), frozenset[int]().union(*(wholes[i][1] for i in join))))
    candidates = [
        Candidate(mark.box, mark.ink, numbers)
        for mark, numbers in groups
        if max(mark.box.width, mark.box.height) >= MIN_SIDE
    ]
    return Located([mark.box for mark in marks], candidates, rejections)


def cut_further(located: Located, doubtful: Sequence[int]) -> Located:
    """Return what was located, with the marks that the candidates numbered `doubtful` consist of cut, where they can be.

    New candidates come after those that there were. For marks that are not wide enough to be cut in any case, but that
    look like nothing as they are: two slender digits that touch.
    """
    marks, candidates = list(located.marks), list(located.candidates)
    for i in doubtful:
        whole = candidates[i]
        if len(whole.marks) != 1 or whole.box.width < max(SLENDER * whole.box.height, 2 * MIN_SIDE):
            continue
        place = rimmed(whole.box, (whole.box.bottom + 1, whole.box.right + 1))
        if (place.height, place.width) != whole.ink.shape:
            place = Box(*place[:2], whole.ink.shape[1], whole.ink.shape[0])
        mark = Mark(whole.box, place, whole.ink)
        pieces = cut(mark)
        if len(pieces) == 1:
            continue
        (number,) = whole.marks
        numbers = [number, *range(len(marks), len(marks) + len(pieces) - 1)]
        marks[number] = pieces[0].box
        marks += [piece.box for piece in pieces[1:]]
        candidates = [
            Candidate(c.box, c.ink, c.marks | frozenset(numbers)) if number in c.marks else c for c in candidates
        ]
        candidates += [
            Candidate(run.box, run.ink, frozenset(numbers[k] for k in parts))
            for run, parts in _runs(mark, pieces, 0)[1:]
            if max(run.box.width, run.box.height) >= MIN_SIDE
        ]
    return Located(marks, candidates, located.rejections)


def _dark_enough(marks: list[Mark]) -> tuple[list[Mark], list[Rejection]]:
    """Part the marks into those that are as dark as ink is on this page, and rejections of the others."""
    bodies = np.array([body(mark.ink) for mark in marks])
    amounts = np.array([cv2.sumElems(mark.ink)[0] for mark in marks])
    sharp = bodies >= MIN_BODY
    least = max(MIN_BODY, PALE * float(np.average(bodies[sharp], weights=amounts[sharp]))) if sharp.any() else MIN_BODY
    dark = [mark for mark, level in zip(marks, bodies, strict=True) if level >= least]
    pale = [mark.box for mark, level in zip(marks, bodies, strict=True) if level < least]
    return dark, [Rejection(box, reject.LOW_CONTRAST) for box in pale if max(box.width, box.height) >= MIN_SIDE]


def _typical(boxes: Sequence[Box], shape: tuple[int, ...]) -> int:
    """Return the median long side, where marks count as much as they cover; rules, frames and tables do not count."""
    sizes = [(max(box.width, box.height), min(box.width, box.height)) for box in boxes]
    longs = sorted(long for long, short in sizes if long <= max(shape) / 2 and long <= RULE * short)
    half, covered = sum(long * long for long in longs) / 2, 0
    for long in longs:
        covered += long * long
        if covered >= half:
            return long
    return 0


def _runs(whole: Mark, pieces: list[Mark], first: int) -> list[tuple[Mark, frozenset[int]]]:
    """Return what neighboring pieces of a mark make together, all of them first, with the numbers of the pieces."""
    count = len(pieces)
    runs = [(whole, frozenset(range(first, first + count)))]
    for start in range(count if count > 1 else 0):
        for end in range(start + 1, count + 1):
            run = together(pieces[start:end]) if end - start > 1 else pieces[start]
            if end - start < count and (end - start == 1 or run.box.width <= PIECE_ASPECT * run.box.height):
                runs.append((run, frozenset(range(first + start, first + end))))
    return runs


def _may_be_whole(box: Box, typical: int, shape: tuple[int, ...]) -> bool:
    if _hopeless(box, shape) or box.width > PIECE_ASPECT * box.height:
        return False
    return typical == 0 or max(box.width, box.height) <= 2 * LARGE * typical


def _hopeless(box: Box, shape: tuple[int, ...]) -> str | None:
    height, width = shape
    short, long = sorted(box[2:])
    if min(width, height) > 4 * MIN_SIDE and box.width > FRAME * width and box.height > FRAME * height:
        return reject.TOO_LARGE
    if long > RULE * short and long > 4 * MIN_SIDE:
        return reject.LINE
    return None


def _may_be_several(box: Box) -> bool:
    return box.width >= WIDE * box.height and box.width >= 2 * MIN_SIDE


def _taken_apart(
    marks: list[Mark], threshold: int, shape: tuple[int, ...]
) -> tuple[list[tuple[Mark, list[Mark]]], int]:
    """Return each mark with what it is made of, itself or several things that run together, and the typical long side.

    First, what stands out of a mark as the body of its strokes comes apart; of what then is still large, rules are
    taken away.
    """
    typical = _typical([mark.box for mark in marks], shape)
    left, area = MAX_APART, MAX_AREA * shape[0] * shape[1]
    apart = []
    for mark in marks:
        parts, size = [mark], mark.box.width * mark.box.height
        if left and size <= area and _suspect(mark.box, typical):
            left, area = left - 1, area - size
            level = int(body(mark.ink) / 2)
            parts = _within(mark, mark.ink, level) if level > threshold else parts
        apart.append((mark, parts))
    if left == MAX_APART:
        return apart, typical
    typical = _typical([part.box for _, parts in apart for part in parts], shape)
    # Where nothing else tells how large digits are, only what crosses the whole picture is a rule.
    large = LARGE * typical if typical else FRAME * min(shape)
    return [(mark, _settled(mark, parts, threshold, large)) for mark, parts in apart], typical


def _suspect(box: Box, typical: int) -> bool:
    long = max(box.width, box.height)
    return long >= 2 * MIN_SIDE and (long > LARGE * typical or box.width > BROAD * box.height)


def _settled(mark: Mark, parts: list[Mark], threshold: int, large: float) -> list[Mark]:
    """Return the parts of a mark without the rules in those that are large; the mark alone where that changed little."""
    found = []
    for part in parts:
        freed = part.ink
        if max(part.box.width, part.box.height) > max(large, 4 * MIN_SIDE):
            level = max(threshold, int(body(part.ink) / 2))
            freed = without_rules(part.ink, level)
        found += [part] if freed is part.ink else _within(part, freed, level)
    found = [part for part in found if max(part.box.width, part.box.height) > DUST]
    if len(found) == 1 and found[0].box.width * found[0].box.height > 0.6 * mark.box.width * mark.box.height:
        return [mark]
    return found or [mark]


def _within(mark: Mark, ink: Uint8, threshold: int) -> list[Mark]:
    """Return the marks in the ink of a mark, in the frame's pixels."""
    x, y = mark.place.x, mark.place.y
    return [Mark(_moved(found.box, x, y), _moved(found.place, x, y), found.ink) for found in find_marks(ink, threshold)]


def _moved(box: Box, x: int, y: int) -> Box:
    return Box(box.x + x, box.y + y, box.width, box.height)


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
    gap, higher = np.maximum(gap_x, gap_y), np.maximum.outer(height, height)
    joinable = (gap <= NEAR * higher) & (stacked | fragment) | (gap <= CRACK * higher)
    joinable &= joint_height >= UPRIGHT * joint_width
    pairs = [(int(i), int(j)) for i, j in np.argwhere(np.triu(joinable, 1))[:MAX_JOINS]]
    partners: dict[int, set[int]] = {}
    for i, j in pairs:
        partners.setdefault(i, set()).add(j)
        partners.setdefault(j, set()).add(i)
    triples = {tuple(sorted((i, j, k))) for i, j in pairs for k in partners[i] & partners[j]}
    triples |= {tuple(sorted((i, j, k))) for i, j in pairs for k in partners[i] ^ partners[j] if k not in (i, j)}
    return [*pairs, *sorted(triples)[:MAX_JOINS]]
