"""Matching of the digits read to the true digits, by their boxes."""

from collections.abc import Sequence

from edge_runtime.records import Box
from train.matches import alike

SHARED = 0.5  # the least intersection over union of two boxes of the same digit


def match(detected: Sequence[Box], true: Sequence[Box]) -> list[tuple[int, int]]:
    """Return pairs of indices, detected and true, that overlap by at least SHARED; each box is in one pair at most.

    Larger overlaps take precedence.
    """
    pairs = sorted(((alike(a, b), -i, -j) for i, a in enumerate(detected) for j, b in enumerate(true)), reverse=True)
    matched: dict[int, int] = {}
    for shared, i, j in pairs:
        if shared >= SHARED and -i not in matched and -j not in matched.values():
            matched[-i] = -j
    return sorted(matched.items())
