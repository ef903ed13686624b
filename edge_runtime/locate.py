"""Ink plane -> candidates: connected ink, pieces of it that may belong together or apart. Knows no model."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from math import inf
from typing import NamedTuple

import cv2

from edge_runtime import reject
from edge_runtime.apart import LARGE, is_rule, taken_apart
from edge_runtime.cuts import cut
from edge_runtime.joins import joins
from edge_runtime.marks import RIM, Mark, calm, find_marks, rimmed, together
from edge_runtime.normalize import body
from edge_runtime.records import Box, Candidate, Rejection, Uint8

MIN_SIDE = 8  # pixels: ink whose long side is shorter is no digit
# Ink whose body is fainter, of 255, is a shadow, a crease or the print on the other side; ...
MIN_BODY = 60
# ... and so is ink fainter than this part of the page's mean.
PALE = 0.4
SPECK = 0.18  # what is this part as long as the page's typical mark is no piece of a digit either
FRAME = 0.95  # ink over this much of both sides is the edge of the paper, not a digit
WIDE = 1.2  # a mark this many times as wide as high may be several digits: 4 in 100 of MNIST's are as wide
STRING = 6  # ... up to this many times as wide: those would be more than four
SLENDER = 0.5  # one only this wide is cut if it looks like nothing as it is: two slender digits
PIECE_HEIGHT = 0.5  # what is not this part as high as its mark is no digit of it
PIECE_ASPECT = 1.3  # neighboring pieces are offered together up to this many times as wide as high
# A frame is read in a bounded time: the first marks, of a frame of 640x480, and more in proportion of a larger one, ...
MAX_MARKS = 80
CROWDED = 60  # with more marks than this, none are cut or joined
MAX_CUTS, MAX_PIECES = 6, 24  # marks that are cut, and what they are cut into
MAX_JOINS = 32
# ... whose boxes, and those of what they make together, cover at most so many frames.
MAX_COVERED = 2.0


class Located(NamedTuple):
    """What was found. `marks` are the boxes of all connected ink, which candidates number; see `Candidate`."""

    marks: list[Box]
    candidates: list[Candidate]
    rejections: list[Rejection]


def locate(ink: Uint8) -> Located:
    """Find what may be a digit in an ink plane, uint8 (H, W), bright on 0.

    Rejected here is only what cannot be a digit, nor a piece of one, by its size, shape and contrast.
    """
    ink, threshold = calm(ink)
    factor = max(1.0, ink.size / (640 * 480))
    found, left_out = find_marks(ink, threshold)
    found, rejections = _dark_enough(found)
    apart, typical = taken_apart(found, threshold, ink.shape, faint=bool(rejections))
    rejections += [Rejection(box, reject.CLUTTER) for box in left_out if _long(box) >= MIN_SIDE]
    marks: list[Mark] = []
    wholes: list[tuple[Mark, frozenset[int]]] = []
    groups: list[tuple[Mark, frozenset[int]]] = []
    specks = SPECK * typical
    crowded = sum(_long(part.box) >= specks for _, parts in apart for part in parts) > CROWDED * factor
    wide = [] if crowded else [part for _, parts in apart for part in parts if _may_be_several(part.box)]
    wide = wide[: int(MAX_CUTS * factor)]
    cuts: dict[int, list[Mark]] = {}
    room = int(MAX_PIECES * factor)
    for part, pieces in zip(wide, cut(wide), strict=True):
        if len(pieces) <= room:
            cuts[id(part)], room = pieces, room - len(pieces)
    for mark, parts in apart:
        first = len(marks)
        for part in parts:
            reason = _hopeless(part.box, ink.shape)
            if len(marks) >= MAX_MARKS * factor:
                reason = reject.CLUTTER
            elif _long(part.box) < specks:
                reason = reject.TOO_SMALL
            if reason is not None:
                rejections.append(Rejection(part.box, reason))
                continue
            pieces = cuts.get(id(part), [part])
            runs = _runs(part, pieces, len(marks))
            marks += pieces
            wholes.append(runs[0])
            groups += runs
        numbers = frozenset(range(first, len(marks)))
        if len(parts) > 1 and len(numbers) > 1 and _may_be_whole(mark.box, typical, ink.shape):
            groups.append((mark, numbers))
    pixels = MAX_COVERED * ink.size - sum(mark.ink.size for mark, _ in groups)
    for join in joins([mark.box for mark, _ in wholes], 0 if crowded else int(MAX_JOINS * factor)):
        parts_of = [wholes[i][0].box for i in join]
        box = reduce(Box.union, parts_of)
        stacked = _long(box) > LARGE * (typical or inf) and all(part.height >= part.width for part in parts_of)
        if stacked or box.width * box.height > pixels:
            continue
        pixels -= box.width * box.height
        numbers = frozenset[int]().union(*(wholes[i][1] for i in join))
        groups.append((together([wholes[i][0] for i in join]), numbers))
    return Located([mark.box for mark in marks], _affordable(groups, MAX_COVERED * ink.size), rejections)


def cut_further(located: Located, doubtful: Sequence[int]) -> Located:
    """Return what was located, with the marks of the candidates numbered `doubtful` cut, where they can be.

    New candidates come after those that there were. For marks that are not wide enough to be cut in any case, but that
    look like nothing as they are, nor together with others: two slender digits that touch.
    """
    marks, candidates = list(located.marks), list(located.candidates)
    sure = frozenset[int]().union(*(candidates[i].marks for i in {*range(len(candidates))}.difference(doubtful)))
    suspects = [i for i in doubtful if len(candidates[i].marks) == 1 and not candidates[i].marks & sure]
    suspects = [i for i in suspects if _may_be_two(candidates[i].box)]
    wholes = [Mark(candidates[i].box, _place(candidates[i]), candidates[i].ink) for i in suspects[:MAX_CUTS]]
    for i, mark, pieces in zip(suspects, wholes, cut(wholes), strict=False):
        whole = candidates[i]
        if len(pieces) == 1:
            continue
        (number,) = whole.marks
        numbers = [number, *range(len(marks), len(marks) + len(pieces) - 1)]
        marks[number] = pieces[0].box
        marks += [piece.box for piece in pieces[1:]]
        candidates = [replace(c, marks=c.marks | set(numbers)) if number in c.marks else c for c in candidates]
        candidates += _affordable(
            [(run, frozenset(numbers[k] for k in parts)) for run, parts in _runs(mark, pieces, 0)[1:]], inf
        )
    return Located(marks, candidates, located.rejections)


def _place(candidate: Candidate) -> Box:
    """Return where a candidate's ink lies: its box, with a rim wherever the frame goes on."""
    height, width = candidate.ink.shape
    place = rimmed(candidate.box, (candidate.box.bottom + RIM, candidate.box.right + RIM))
    return Box(place.x, place.y, width, height)


def _dark_enough(marks: list[Mark]) -> tuple[list[Mark], list[Rejection]]:
    """Part the marks into those that are as dark as ink is on this page, and rejections of the others."""
    bodies = [body(mark.ink) for mark in marks]
    amounts = [cv2.sumElems(mark.ink)[0] if level >= MIN_BODY else 0 for mark, level in zip(marks, bodies, strict=True)]
    mean = sum(level * amount for level, amount in zip(bodies, amounts, strict=True)) / max(1, sum(amounts))
    least = max(MIN_BODY, PALE * mean)
    kept = [mark for mark, level in zip(marks, bodies, strict=True) if level >= least]
    pale = [mark.box for mark, level in zip(marks, bodies, strict=True) if level < least]
    return kept, [Rejection(box, reject.LOW_CONTRAST) for box in pale if _long(box) >= MIN_SIDE]


def _hopeless(box: Box, shape: tuple[int, ...]) -> str | None:
    height, width = shape
    if min(width, height) > 4 * MIN_SIDE and box.width > FRAME * width and box.height > FRAME * height:
        return reject.TOO_LARGE
    return reject.LINE if is_rule(box) else None


def _long(box: Box) -> int:
    return max(box.width, box.height)


def _may_be_several(box: Box) -> bool:
    return max(WIDE * box.height, 2 * MIN_SIDE) <= box.width <= STRING * box.height


def _may_be_two(box: Box) -> bool:
    return max(SLENDER * box.height, MIN_SIDE) <= box.width < WIDE * box.height


def _may_be_whole(box: Box, typical: int, shape: tuple[int, ...]) -> bool:
    if _hopeless(box, shape) or box.width > PIECE_ASPECT * box.height:
        return False
    return typical == 0 or _long(box) <= LARGE * typical


def _runs(whole: Mark, pieces: list[Mark], first: int) -> list[tuple[Mark, frozenset[int]]]:
    """Return what neighboring pieces of a mark make together, all of them first, with the numbers of the pieces."""
    count = len(pieces)
    runs = [(whole, frozenset(range(first, first + count)))]
    for start in range(count if count > 1 else 0):
        box = pieces[start].box
        for end in range(start + 1, count + 1):
            box = box.union(pieces[end - 1].box)
            upright = PIECE_HEIGHT * whole.box.height <= box.height >= box.width / PIECE_ASPECT
            if end - start < count and upright:
                run = together(pieces[start:end]) if end - start > 1 else pieces[start]
                runs.append((run, frozenset(range(first + start, first + end))))
    return runs


def _affordable(groups: list[tuple[Mark, frozenset[int]]], pixels: float) -> list[Candidate]:
    """Return what is large enough for a digit as candidates, as many as cover no more than `pixels`."""
    candidates = []
    for mark, numbers in groups:
        if _long(mark.box) >= MIN_SIDE and mark.ink.size <= pixels:
            pixels -= mark.ink.size
            candidates.append(Candidate(mark.box, mark.ink, numbers))
    return candidates
