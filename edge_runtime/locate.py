"""Ink plane -> candidates: connected ink, pieces of it that may belong together or apart. Knows no model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import chain
from math import inf
from typing import NamedTuple

import cv2

from edge_runtime import reject
from edge_runtime.apart import LARGE, is_rule, taken_apart
from edge_runtime.cuts import cut
from edge_runtime.joins import joins
from edge_runtime.marks import RIM, Mark, calm, find_marks, rimmed, room, together
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
# There is time for so many candidates, and to cut so many marks (see `marks.room`). Marks come first, then what their
# pieces make, then what they make together; all of them cover at most so many frames.
MAX_CANDIDATES = 80
CROWDED = 60  # with more marks than this, none are cut or joined
MAX_CUTS = 4
MAX_COVERED = 2.0
Group = tuple[list[Mark], frozenset[int]]  # what is taken together, and the numbers of the marks that it is made of


class Located(NamedTuple):
    """What was found. `marks` are the boxes of all connected ink, which candidates number; see `Candidate`.

    There is time for `left` more candidates.
    """

    marks: list[Box]
    candidates: list[Candidate]
    rejections: list[Rejection]
    left: int = MAX_CANDIDATES


def locate(ink: Uint8) -> Located:
    """Find what may be a digit in an ink plane, uint8 (H, W), bright on 0.

    Rejected here is only what cannot be a digit, nor a piece of one, by its size, shape and contrast.
    """
    ink, threshold = calm(ink)
    most = room(MAX_CANDIDATES, ink.size)
    found, left_out = find_marks(ink, threshold)
    found, rejections = _dark_enough(found)
    apart, typical = taken_apart(found, threshold, ink.shape, faint=bool(rejections))
    rejections += [Rejection(box, reject.CLUTTER) for box in left_out if _long(box) >= MIN_SIDE]
    specks = SPECK * typical
    crowded = sum(_long(part.box) >= specks for _, parts in apart for part in parts) > room(CROWDED, ink.size)
    every = [] if crowded else [part for _, parts in apart for part in parts]
    wide = [part for part in every if _may_be_several(part.box) and not _hopeless(part.box, ink.shape)]
    wide = wide[: room(MAX_CUTS, ink.size)]
    cuts = {id(part): pieces for part, pieces in zip(wide, cut(wide), strict=True)}
    marks: list[Mark] = []
    wholes: list[Group] = []
    unions: list[Group] = []
    runs: list[Group] = []
    for mark, parts in apart:
        first = len(marks)
        for part in parts:
            reason = _hopeless(part.box, ink.shape)
            if len(wholes) == most:
                reason = reject.CLUTTER
            elif _long(part.box) < specks:
                reason = reject.TOO_SMALL
            if reason is not None:
                rejections.append(Rejection(part.box, reason))
                continue
            pieces = cuts.get(id(part), [part])
            wholes.append(([part], frozenset(range(len(marks), len(marks) + len(pieces)))))
            runs += _runs(part, pieces, range(len(marks), len(marks) + len(pieces)))
            marks += pieces
        numbers = frozenset(range(first, len(marks)))
        if len(parts) > 1 and len(numbers) > 1 and _may_be_whole(mark.box, typical, ink.shape):
            unions.append(([mark], numbers))
    joined = _joined(wholes, LARGE * (typical or inf), 0 if crowded else most - len(wholes))
    groups = chain(wholes, unions, runs, joined)
    candidates = _affordable(groups, most, MAX_COVERED * ink.size)
    return Located([mark.box for mark in marks], candidates, rejections, most - len(candidates))


def cut_further(located: Located, doubtful: Sequence[int]) -> Located:
    """Return what was located, with the marks of the candidates numbered `doubtful` cut, where they can be.

    New candidates come after those that there were. For marks that are not wide enough to be cut in any case, but that
    look like nothing as they are, nor together with others: two slender digits that touch.
    """
    if located.left == 0:
        return located
    marks, candidates = list(located.marks), list(located.candidates)
    most = len(candidates) + located.left
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
        candidates += _affordable(_runs(mark, pieces, numbers), most - len(candidates), inf)
    return Located(marks, candidates, located.rejections, most - len(candidates))


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


def _runs(whole: Mark, pieces: list[Mark], numbers: Sequence[int]) -> Iterator[Group]:
    """Yield the runs of neighboring pieces of a mark, but for all of them, that may be a digit each."""
    count = len(pieces)
    for start in range(count if count > 1 else 0):
        box = pieces[start].box
        for end in range(start + 1, count + 1):
            box = box.union(pieces[end - 1].box)
            upright = PIECE_HEIGHT * whole.box.height <= box.height >= box.width / PIECE_ASPECT
            if end - start < count and upright:
                yield pieces[start:end], frozenset(numbers[start:end])


def _joined(wholes: list[Group], large: float, most: int) -> Iterator[Group]:
    """Yield what several marks may be together. Above each other, they are together no longer than `large`."""
    for join in joins([whole.box for (whole,), _ in wholes], most):
        marks = [wholes[i][0][0] for i in join]
        box = reduce(Box.union, (mark.box for mark in marks))
        if _long(box) <= large or any(mark.box.height < mark.box.width for mark in marks):
            yield marks, frozenset[int]().union(*(wholes[i][1] for i in join))


def _affordable(groups: Iterable[Group], most: int, pixels: float) -> list[Candidate]:
    """Return what is large enough for a digit as candidates, at most `most` that cover no more than `pixels`."""
    candidates: list[Candidate] = []
    for marks, numbers in groups:
        if len(candidates) >= most:
            break
        place = reduce(Box.union, (mark.place for mark in marks))
        whole = together(marks) if len(marks) > 1 and place.width * place.height <= pixels else marks[0]
        if _long(whole.box) >= MIN_SIDE and place.width * place.height <= pixels:
            pixels -= place.width * place.height
            candidates.append(Candidate(whole.box, whole.ink, numbers))
    return candidates
