"""What is not a digit, and why. A reason is one of the constants below, as it stands in records."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_runtime.reading import order
from edge_runtime.records import Box, Candidate

TOO_SMALL = "too small"
TOO_LARGE = "too large"
LINE = "line or rule"
LOW_CONTRAST = "low contrast"
PART_OF_WORD = "part of a word"
NOT_A_DIGIT = "not digit-like"
CLUTTER = "clutter"
LOW_CONFIDENCE = "low confidence"
REASONS = (TOO_SMALL, TOO_LARGE, LINE, LOW_CONTRAST, PART_OF_WORD, NOT_A_DIGIT, CLUTTER, LOW_CONFIDENCE)

# A mark lower than this part of the page's typical digit is a dot, a comma or a speck.
SMALL = 0.33
# Confidence from which a mark speaks for its neighbors.
SURE = 0.99
# Marks that stand together are read only if this part of them is sure: letters look like digits now and then.
WORD = 0.4
# A picture with at least CROWD marks is read only if this part of all its marks is sure: scenes are full of ones.
PAGE = 0.45
CROWD = 5
# A mark on its own has to be this sure.
ALONE = 0.8


def reasons(candidates: Sequence[Candidate], best: Sequence[float], min_confidence: float) -> list[str | None]:
    """Return, for each chosen candidate, why it is not a digit, or None where it is one.

    `best` is each one's highest confidence, 0-1. Sizes are judged against the others on the page, weighed by their
    ink; words and pages by how many of their marks are sure to be digits. Where `min_confidence` is 0, only sizes count.
    """
    sizes = np.array([_size(candidate.box) for candidate in candidates], np.float64)
    amounts = np.array([candidate.ink.sum(dtype=np.int64) for candidate in candidates], np.float64)
    confidence = np.array(best, np.float64)
    sure = confidence >= SURE
    found: list[str | None] = [None] * len(candidates)

    def refuse(members: Sequence[int], reason: str) -> None:
        for i in members:
            found[i] = found[i] or reason

    small = sizes < SMALL * _typical(sizes, amounts * (confidence >= min_confidence))
    refuse(np.flatnonzero(small).tolist(), TOO_SMALL)
    if min_confidence == 0:
        return found
    refuse(np.flatnonzero(confidence < min_confidence).tolist(), LOW_CONFIDENCE)
    large = np.flatnonzero(~small).tolist()
    if len(large) >= CROWD and sure[large].mean() < PAGE:
        refuse(large, CLUTTER)
    for line in order([candidates[i].box for i in large]):
        for word in line:
            members = [large[k] for k in word]
            if len(members) > 1 and sure[members].mean() < WORD:
                refuse(members, PART_OF_WORD)
            elif len(members) == 1 and confidence[members[0]] < ALONE:
                refuse(members, LOW_CONFIDENCE)
    return found


def _typical(sizes: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the median of `sizes`, float64 (N,), where each counts as much as its weight."""
    if weights.sum() == 0:
        return 0.0
    order_ = np.argsort(sizes)
    cumulated = np.cumsum(weights[order_])
    return float(sizes[order_][np.searchsorted(cumulated, cumulated[-1] / 2)])


def _size(box: Box) -> int:
    return max(box.width, box.height)
