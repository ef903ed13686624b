"""What a candidate on a drawn page is, by its box and the page's truth: a digit of it, none, or in doubt."""

import cv2
import numpy as np

from edge_runtime.records import Box, Uint8

# A candidate is a digit if its box and the digit's share this part of their union, none if they share less than that.
WHOLE, APART = 0.8, 0.5
# Two in one box: it covers this part of a second digit.
SECOND = 0.5
# A single stroke that is so many times as long as wide, and nearer to upright than to level, is a 1, whatever it is a
# piece of.
STROKE = 2.5


def judge(box: Box, truth: list[Box]) -> int | None:
    """Return which of the true boxes a box holds, -1 where it holds none of them whole and alone; None in doubt."""
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


def touches(box: Box, truth: list[Box]) -> bool:
    """Tell whether a box shares a pixel with one of the true boxes."""
    return any(_shared(box, other) > 0 for other in truth)


def is_stroke(image: Uint8) -> bool:
    """Tell whether ink, uint8 (H, W), is a single stroke as a 1 is, by its second moments."""
    moments = cv2.moments(image)
    across, down, both = moments["mu20"], moments["mu02"], moments["mu11"]
    spread = float(np.hypot(across - down, 2 * both))
    long, wide = across + down + spread, across + down - spread
    return down > across and long > STROKE**2 * wide


def alike(one: Box, other: Box) -> float:
    """Return what two boxes share, as a part of their union."""
    shared = _shared(one, other)
    return shared / (one.width * one.height + other.width * other.height - shared)


def _shared(one: Box, other: Box) -> int:
    width = min(one.right, other.right) - max(one.x, other.x)
    height = min(one.bottom, other.bottom) - max(one.y, other.y)
    return max(0, width) * max(0, height)
