"""Candidates and their confidences -> the best consistent set: no piece of ink is part of two digits."""

from collections.abc import Sequence
from functools import reduce
from math import log
from operator import or_

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.vision.candidates import Candidate
from edge_runtime.vision.glyphs import BROAD, PROBABILITY_FLOOR
from edge_runtime.vision.page_model import SURE

# The number of steps of the search in a group of candidates that exclude each other; beyond, the search is greedy.
STEPS = 500
# The cost, as a logarithm, of a digit's ink that is part of no digit: without it, the flag of a 5 would be left out if
# its body is a surer 3.
UNEXPLAINED = -log(PROBABILITY_FLOOR)
# The cost of ink as a non-digit: it keeps a letter from being read as the strokes it consists of.
OTHER = UNEXPLAINED / 2


def surest(confidences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the highest confidence of each row of float64 (N, digits): float64 (N,), 0-1."""
    return np.asarray(confidences.max(axis=1, initial=0.0))


def choose(candidates: Sequence[Candidate], confidences: NDArray[np.float64]) -> list[int]:
    """Return the indices of the candidates to keep, in ascending order; they share no piece of ink.

    `confidences` is float64 (N, digits), a row for each candidate; 1 minus its sum is the probability of a non-digit.
    The set kept is the likeliest reading of the ink: it maximizes the sum of log confidences, weighted by the amount of
    ink where there is much, minus a cost for each non-digit and for unexplained ink. Candidates broader than a digit
    count less.
    """
    best = surest(confidences)
    none = 1 - confidences.sum(axis=1)
    chosen: list[int] = []
    groups = []
    for group in _groups(candidates):
        if len(group) == 1:
            chosen += group
        else:
            groups.append(group)
    if not groups:
        return sorted(chosen)
    amount = [cv2.sumElems(candidate.ink)[0] for candidate in candidates]
    sure = [amount[i] for i in range(len(candidates)) if best[i] >= SURE]
    typical = float(np.median(sure)) if sure else max(amount)
    for group in groups:
        group.sort(key=lambda i: candidates[i].box.x)
        unit = max(1.0, min(typical, max(amount[i] for i in group)))
        worth = []
        for i in group:
            digits = amount[i] / unit
            broad = BROAD * candidates[i].box.height / candidates[i].box.width
            doubt = -log(max(PROBABILITY_FLOOR, float(best[i]) * min(1.0, broad) ** 2))
            cost = min(doubt * max(1.0, digits), OTHER - log(max(PROBABILITY_FLOOR, float(none[i]))))
            worth.append(UNEXPLAINED * digits - cost)
        members = _best_set(_bits([candidates[i].parts for i in group]), worth)
        chosen += [group[k] for k in members]
    return sorted(chosen)


def _groups(candidates: Sequence[Candidate]) -> list[list[int]]:
    """Return the candidates' indices, grouped so that candidates of two groups never share a piece."""
    parent: dict[int, int] = {}

    def root(piece: int) -> int:
        while parent.setdefault(piece, piece) != piece:
            parent[piece] = piece = parent[parent[piece]]
        return piece

    for candidate in candidates:
        first, *others = candidate.parts
        for piece in others:
            parent[root(piece)] = root(first)
    groups: dict[int, list[int]] = {}
    for i, candidate in enumerate(candidates):
        groups.setdefault(root(next(iter(candidate.parts))), []).append(i)
    return list(groups.values())


def _bits(sets: Sequence[frozenset[int]]) -> list[int]:
    """Return sets of pieces as integers with a bit for each piece, the lowest for the first in order."""
    bit: dict[int, int] = {}
    for pieces in sets:
        for piece in sorted(pieces):
            bit.setdefault(piece, 1 << len(bit))
    return [sum(bit[piece] for piece in pieces) for pieces in sets]


def _best_set(sets: Sequence[int], worth: Sequence[float]) -> list[int]:
    """Return which of these sets of pieces, no two of which share one, have the greatest total worth.

    The first piece is left out, or goes into one of the sets that contain it; the best result for the remaining pieces
    is memoized. For pieces in a row that takes few steps.
    """
    having: dict[int, list[int]] = {}
    for k, pieces in enumerate(sets):
        having.setdefault(pieces & -pieces, []).append(k)
    by_worth = sorted(range(len(worth)), key=lambda k: -worth[k])
    known: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}

    def best(left: int) -> tuple[float, list[int]]:
        if left in known:
            return known[left]
        if len(known) > STEPS:
            return greedy(left)
        first = left & -left
        most = best(left & ~first)
        for k in having.get(first, ()):
            if not sets[k] & ~left:
                value, members = best(left & ~sets[k])
                if value + worth[k] > most[0]:
                    most = value + worth[k], [k, *members]
        known[left] = most
        return most

    def greedy(left: int) -> tuple[float, list[int]]:
        value, members = 0.0, list[int]()
        for k in by_worth:
            if worth[k] > 0 and not sets[k] & ~left:
                value, left = value + worth[k], left & ~sets[k]
                members.append(k)
        return value, members

    return best(reduce(or_, sets))[1]
