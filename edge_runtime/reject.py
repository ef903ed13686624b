"""What is not a digit, and why. A reason is one of the constants below, as it stands in records."""

from collections.abc import Sequence

import numpy as np

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

# A mark lower than this part of the page's median digit is a dot, a comma or a speck.
SMALL = 0.35


def reasons(candidates: Sequence[Candidate], best: Sequence[float], min_confidence: float) -> list[str | None]:
    """Return, for each chosen candidate, why it is not a digit, or None where it is one.

    `best` is each one's highest confidence, 0-1. Sizes are judged against the others on the page.
    """
    sizes = [_size(candidate.box) for candidate in candidates]
    sure = [size for size, confidence in zip(sizes, best, strict=True) if confidence >= min_confidence]
    typical = float(np.median(sure)) if sure else 0.0
    found: list[str | None] = []
    for size, confidence in zip(sizes, best, strict=True):
        if size < SMALL * typical:
            found.append(TOO_SMALL)
        else:
            found.append(None if confidence >= min_confidence else LOW_CONFIDENCE)
    return found


def _size(box: Box) -> int:
    return max(box.width, box.height)
