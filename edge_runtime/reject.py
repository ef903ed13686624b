"""What is not a digit, and why. A reason is one of the constants below, as it stands in records."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.joins import frames
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
SMALL = 0.25
# Letters, and what is in scenes, look like digits now and then, but less often are they all but sure. A picture with at
# least CROWD marks is read only if PAGE of them are SURE; ...
SURE, PAGE = 0.99, 0.45
CROWD = 5
# ... of marks that stand together, the part that is LIKELY and the part of the page that is sure have to come to this; ...
LIKELY, WORD = 0.95, 1.1
# ... and a mark on its own has to be this confident on a page that is not sure, and this on one that is.
ALONE, ALONE_ON_SURE = 0.9, 0.7
SURE_PAGE = 0.7


def reasons(
    candidates: Sequence[Candidate], best: Sequence[float], lines: Sequence[Sequence[Sequence[int]]], min_confidence: float
) -> list[str | None]:
    """Return, for each chosen candidate, why it is not a digit, or None where it is one.

    `best` is each one's highest confidence, 0-1, `lines` their indices as `reading.order` gives them. Sizes are judged against the others on the page, weighed by their
    ink; words and pages by how many of their marks are sure to be digits. Where `min_confidence` is 0, only sizes count.
    """
    sizes = np.array([_size(candidate.box) for candidate in candidates], np.float64)
    amounts = np.array([cv2.sumElems(candidate.ink)[0] for candidate in candidates])
    confidence = np.array(best, np.float64)
    found: list[str | None] = [None] * len(candidates)

    def refuse(members: Sequence[int], reason: str) -> None:
        for i in members:
            found[i] = found[i] or reason

    small = sizes < SMALL * _typical(sizes, amounts * (confidence >= min_confidence))
    refuse(np.flatnonzero(small).tolist(), TOO_SMALL)
    refuse(np.flatnonzero(frames([candidate.box for candidate in candidates]).any(axis=1)).tolist(), LINE)
    if min_confidence == 0:
        return found
    refuse(np.flatnonzero(confidence < min_confidence).tolist(), LOW_CONFIDENCE)
    large = [i for i in np.flatnonzero(~small).tolist() if found[i] != LINE]
    page = float((confidence[large] >= SURE).mean()) if large else 0.0
    if len(large) >= CROWD and page < PAGE:
        refuse(large, CLUTTER)
    alone = ALONE_ON_SURE if len(large) >= CROWD and page >= SURE_PAGE else ALONE
    counted = set(large)
    for line in lines:
        for word in line:
            members = [i for i in word if i in counted]
            if len(members) == 1 and confidence[members[0]] < alone:
                refuse(members, LOW_CONFIDENCE)
            elif len(members) > 1 and (confidence[members] >= LIKELY).mean() + page < WORD:
                refuse(members, PART_OF_WORD)
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
