"""Match what was read on a drawn page with the page's truth: candidates with digits by their boxes, and lines."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_runtime.pages.draw import Placed
from edge_runtime.records import Box, Uint8

# A candidate is a digit at an intersection over union of WHOLE with the digit's box, none below APART.
WHOLE, APART = 0.8, 0.5
# A box holds two digits if it covers this part of a second one.
SECOND = 0.5
# A single stroke at least this many times as long as wide, and closer to vertical than to horizontal, is a 1, even as
# a piece of something else.
STROKE = 2.5


def judge(box: Box, truth: list[Box]) -> int | None:
    """Return the index of the true box that a box holds, -1 where it holds none whole and alone, None in doubt."""
    shared = [_shared(box, other) for other in truth]
    shares = [alike(box, other) for other in truth]
    best = int(np.argmax(shares)) if shares else -1
    second = any(
        s > SECOND * o.width * o.height for i, (s, o) in enumerate(zip(shared, truth, strict=True)) if i != best
    )
    if best >= 0 and shares[best] >= WHOLE and not second:
        return best
    if best >= 0 and shares[best] >= APART and not (second and shares[best] < WHOLE):
        return None
    return -1


def drawn_line(boxes: Sequence[Box], digits: Sequence[Placed]) -> str | None:
    """Return the labels of the drawn line that boxes are on, left to right; None for no line, or several.

    A box is on the line of the digit that it shares most pixels with. Where digits touch, the places of cuts say little
    about what was read, so that `judge` would often be in doubt.
    """
    lines = set()
    for box in boxes:
        shares = [_shared(box, digit.box) for digit in digits]
        if max(shares, default=0) > 0:
            lines.add(digits[int(np.argmax(shares))].line)
    return "".join(digit.label for digit in digits if digit.line in lines) if len(lines) == 1 else None


def touches(box: Box, truth: list[Box]) -> bool:
    """Return whether a box shares a pixel with one of the true boxes."""
    return any(_shared(box, other) > 0 for other in truth)


def is_stroke(image: Uint8) -> bool:
    """Return whether ink, uint8 (H, W), is a single stroke like a 1, by its second moments."""
    moments = cv2.moments(image)
    across, down, both = moments["mu20"], moments["mu02"], moments["mu11"]
    spread = float(np.hypot(across - down, 2 * both))
    long, wide = across + down + spread, across + down - spread
    return down > across and long > STROKE**2 * wide


def alike(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    shared = _shared(one, other)
    return shared / (one.width * one.height + other.width * other.height - shared)


def _shared(one: Box, other: Box) -> int:
    width = min(one.right, other.right) - max(one.x, other.x)
    height = min(one.bottom, other.bottom) - max(one.y, other.y)
    return max(0, width) * max(0, height)
