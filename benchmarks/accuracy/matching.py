"""Matching of the digits read to the true digits, by their boxes."""

from collections.abc import Sequence

from edge_runtime.records import Box

SHARED = 0.5  # the least intersection over union of two boxes of the same digit


def overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union, 0-1."""
    width = min(one.right, other.right) - max(one.x, other.x)
    height = min(one.bottom, other.bottom) - max(one.y, other.y)
    shared = max(0, width) * max(0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)


def match(detected: Sequence[Box], true: Sequence[Box], least: float = SHARED) -> list[tuple[int, int]]:
    """Return pairs of indices, detected and true, that overlap by at least `least`; each box is in one pair at most.

    Larger overlaps take precedence.
    """
    pairs = sorted(((overlap(a, b), -i, -j) for i, a in enumerate(detected) for j, b in enumerate(true)), reverse=True)
    matched: dict[int, int] = {}
    for shared, i, j in pairs:
        if shared >= least and -i not in matched and -j not in matched.values():
            matched[-i] = -j
    return sorted(matched.items())
