"""Regions -> candidates: the regions, pieces of those that may be several digits, and merged fragments."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from edge_runtime.records import Box, Uint8
from edge_runtime.vision.glyphs import BROAD, Glyphs
from edge_runtime.vision.merges import merges
from edge_runtime.vision.page_model import SURE, PageModel
from edge_runtime.vision.regions import MOST_REGIONS, Region
from edge_runtime.vision.splits import Piece, split

# Planes with at least this share of the best one's score are read: digits of the other polarity, or of another size.
READ_PLANE = 0.1
# Limits in a frame of VGA size: regions to split, and candidates in addition to the regions.
MOST_SPLITS, MOST_CANDIDATES = 12, MOST_REGIONS // 2


class Candidate(NamedTuple):
    """A possible digit on a plane: `ink`, uint8 (rows, columns), bright on 0, around `box`, in the plane's pixels.

    `parts` numbers the pieces of ink that it consists of: candidates that share one exclude each other. `region` is the
    index of the region that it is, or None. `attached` is that of `Region`, true if it is for any component of the
    candidate.
    """

    box: Box
    ink: Uint8
    plane: int
    parts: frozenset[int]
    region: int | None
    attached: bool


def propose(
    regions: Sequence[Region], standing: Sequence[int], glyphs: Glyphs, model: PageModel, budget: float
) -> list[Candidate]:
    """Return the candidates of the planes that are read: first the regions `standing`, then splits and merges of them.

    Row i of `glyphs` belongs to the region `standing[i]`; `budget` is that of `regions.work_budget`.
    """
    if model.plane is None:
        return []
    read = np.flatnonzero(model.scores >= READ_PLANE * model.scores[model.plane]).tolist()
    wholes: list[Candidate] = []
    others: list[Candidate] = []
    count = 0  # number of parts, over all planes
    splits_left, most = int(MOST_SPLITS * budget), int(MOST_CANDIDATES * budget)
    for plane in read:
        rows: list[int] = []
        components: list[Piece] = []
        attached: list[bool] = []
        for row, i in enumerate(standing):
            region = regions[i]
            if region.plane == plane and region.ink is not None:
                rows.append(row)
                components.append(Piece(region.box, region.place, region.ink))
                attached.append(region.attached)
        doubt = [
            k for k, row in enumerate(rows) if _may_be_several(components[k].box, float(glyphs.confidences[row].max()))
        ]
        doubt, splits_left = doubt[:splits_left], splits_left - min(splits_left, len(doubt))
        pieces = dict(zip(doubt, split([components[k] for k in doubt]), strict=True))
        numbers: list[frozenset[int]] = []
        for k, component in enumerate(components):
            own = pieces.get(k, [component])
            numbers.append(frozenset(range(count, count + len(own))))
            count += len(own)
            wholes.append(Candidate(component.box, component.ink, plane, numbers[-1], standing[rows[k]], attached[k]))
            others += _runs(wholes[-1], own)
        for group in merges([component.box for component in components], glyphs.darkness[rows], most):
            whole = together([components[k] for k in group])
            parts = frozenset[int]().union(*(numbers[k] for k in group))
            any_attached = any(attached[k] for k in group)
            others.append(Candidate(whole.box, whole.ink, plane, parts, None, any_attached))
    return wholes + others[:most]


def _may_be_several(box: Box, confidence: float) -> bool:
    """Return whether a region is too broad for one digit, or may be two slender ones that touch."""
    return box.width >= BROAD * box.height or (2 * box.width >= box.height and confidence < SURE)


def _runs(whole: Candidate, pieces: Sequence[Piece]) -> Iterator[Candidate]:
    """Yield each run of neighboring pieces of a region, except the run of all, that may be a digit."""
    count, numbers = len(pieces), sorted(whole.parts)
    for start in range(count if count > 1 else 0):
        box = pieces[start].box
        for end in range(start + 1, count + 1):
            box = box.union(pieces[end - 1].box)
            if end - start < count and whole.box.height <= 2 * box.height and box.width <= BROAD * box.height:
                run = together(pieces[start:end])
                parts = frozenset(numbers[start:end])
                yield Candidate(run.box, run.ink, whole.plane, parts, None, whole.attached)


def are_pieces(candidates: Sequence[Candidate], chosen: Sequence[int]) -> list[bool]:
    """Return which of the chosen candidates are part of a larger one."""
    larger: defaultdict[int, list[frozenset[int]]] = defaultdict(list)
    for candidate in candidates:
        if len(candidate.parts) > 1:
            for part in candidate.parts:
                larger[part].append(candidate.parts)
    return [any(candidates[i].parts < parts for parts in larger[min(candidates[i].parts)]) for i in chosen]


def together(pieces: Sequence[Piece]) -> Piece:
    """Merge several pieces of ink into one."""
    box = reduce(Box.union, (piece.box for piece in pieces))
    place = reduce(Box.union, (piece.place for piece in pieces))
    ink = np.zeros((place.height, place.width), np.uint8)
    for piece in pieces:
        part = ink[piece.place.moved(-place.x, -place.y).slices]
        np.maximum(part, piece.ink, out=part)
    return Piece(box, place, ink)
