"""Boxes of components -> groups that may be one digit: the flag of a 5, a dashed 7."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box
from edge_runtime.vision.glyphs import BROAD, PALE

# Two components may be one digit if the gap between them is at most this part of the higher one's height, they are no
# broader together than a digit, and one is a fragment: it lies mostly above or below the other, or is less than half as
# high. With 0.2, 7 more of the 1,675 characters on photographs are wrong; with 0.12, 2 more, and 2 fewer amounts of
# 1,080 are exact.
NEAR = 0.16


def merges(boxes: Sequence[Box], darkness: NDArray[np.float64], most: int) -> list[tuple[int, ...]]:
    """Return the pairs and triples of components, as their indices, that may be one digit; at most `most` of each.

    `darkness` is float64 (N,), 0-255, of the components.
    """
    if len(boxes) < 2 or most == 0:
        return []
    x, y, width, height = np.array(boxes, np.int32).T
    right, bottom = x + width, y + height
    gap_x = np.maximum.outer(x, x) - np.minimum.outer(right, right)
    gap_y = np.maximum.outer(y, y) - np.minimum.outer(bottom, bottom)
    gap, higher = np.maximum(gap_x, gap_y), np.maximum.outer(height, height)
    i, j = np.nonzero(np.triu(gap <= NEAR * higher, 1))
    if not i.size:
        return []
    gap_x, gap, higher = gap_x[i, j], gap[i, j], higher[i, j]
    joint_width = np.maximum(right[i], right[j]) - np.minimum(x[i], x[j])
    joint_height = np.maximum(bottom[i], bottom[j]) - np.minimum(y[i], y[j])
    stacked = -gap_x * 2 > np.minimum(width[i], width[j])
    fragment = 2 * np.minimum(height[i], height[j]) < higher
    joinable = joint_width <= BROAD * joint_height
    joinable &= stacked | fragment
    joinable &= np.minimum(darkness[i], darkness[j]) >= PALE * np.maximum(darkness[i], darkness[j])
    pairs = list(zip(i[joinable][:most].tolist(), j[joinable][:most].tolist(), strict=True))
    partners: dict[int, set[int]] = {}
    for i, j in pairs:
        partners.setdefault(i, set()).add(j)
        partners.setdefault(j, set()).add(i)
    triples: list[tuple[int, ...]] = []
    for first in sorted(partners):
        later = sorted(k for k in partners[first] if k > first)
        others = {*combinations(later, 2)}
        others.update((min(j, k), max(j, k)) for j in later for k in partners[j] if k > first and k != j)
        triples += [(first, *two) for two in sorted(others)]
        if len(triples) >= most:
            break
    return [*pairs, *triples[:most]]
