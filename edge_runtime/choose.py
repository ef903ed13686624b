"""Candidates and their confidences -> the best consistent set: no mark is part of two digits."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Candidate

# A group of candidates that exclude each other is searched whole up to this size, and greedily beyond.
EXHAUSTIVE = 14
# What each digit costs, as a part of the ink of a typical one: without a price, the tail of a broken 2 would be a very
# confident 1 beside a very confident 2.
PRICE = 0.75
# What ink costs that is part of no digit: else the flag of a 5 would be left out where its body is a surer 3.
UNEXPLAINED = 1.0
# Digits are hardly wider than high: of MNIST's, 15 in 1000 are wider than the first, 1 in 1000 than the second.
NARROW, BROAD = 1.3, 1.8
SURE = 0.95


def choose(candidates: Sequence[Candidate], confidences: NDArray[np.float64]) -> list[int]:
    """Return the indices of the candidates to keep, in ascending order; they share no mark.

    `confidences` is float64 (N, classes), a row for each candidate. The set kept is the one whose ink is explained
    best: the sum over its candidates of confidence times ink, less a price for each, is the largest. Candidates too
    wide for one digit count less.
    """
    best = confidences.max(axis=1, initial=0.0)
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
        price = PRICE * min(typical, max(amount[i] for i in group))
        worth = {i: (float(best[i]) * _plausible(candidates[i].box) + UNEXPLAINED) * amount[i] - price for i in group}
        search = _best_set if len(group) <= EXHAUSTIVE else _greedy_set
        chosen += search(candidates, worth)
    return sorted(chosen)


def _plausible(box: Box) -> float:
    return min(1.0, max(0.1, (BROAD - box.width / box.height) / (BROAD - NARROW)))


def _groups(candidates: Sequence[Candidate]) -> list[list[int]]:
    """Return the candidates' indices, grouped so that candidates of two groups never share a mark."""
    parent: dict[int, int] = {}

    def root(mark: int) -> int:
        while parent.setdefault(mark, mark) != mark:
            parent[mark] = mark = parent[parent[mark]]
        return mark

    for candidate in candidates:
        first, *others = candidate.marks
        for mark in others:
            parent[root(mark)] = root(first)
    groups: dict[int, list[int]] = {}
    for i, candidate in enumerate(candidates):
        groups.setdefault(root(next(iter(candidate.marks))), []).append(i)
    return list(groups.values())


def _best_set(candidates: Sequence[Candidate], worth: dict[int, float]) -> list[int]:
    def search(remaining: list[int]) -> tuple[float, list[int]]:
        if not remaining:
            return 0.0, []
        first, others = remaining[0], remaining[1:]
        without = search(others)
        value, members = search([i for i in others if not candidates[i].marks & candidates[first].marks])
        return max(without, (value + worth[first], [first, *members]), key=lambda found: found[0])

    return search(list(worth))[1]


def _greedy_set(candidates: Sequence[Candidate], worth: dict[int, float]) -> list[int]:
    members: list[int] = []
    taken: set[int] = set()
    for i in sorted(worth, key=lambda i: -worth[i]):
        if worth[i] > 0 and not candidates[i].marks & taken:
            members.append(i)
            taken |= candidates[i].marks
    return members
