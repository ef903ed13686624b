"""Frame -> ink plane: how much darker (or, on a dark ground, lighter) each pixel is than the paper around it."""

import cv2
import numpy as np

from edge_runtime.records import Uint8

# Paper is judged on a picture reduced to about this many pixels on its short side, where noise has averaged out.
PAPER_SIDE = 64
# It is what remains after a closing of this part of that side: wider than the stroke of the largest digits.
PAPER_WINDOW = 0.3
# Marks are a minority within this part of that side.
MAJORITY_WINDOW = 0.5


def ink_plane(pixels: Uint8) -> Uint8:
    """Return the ink of a picture.

    `pixels` is uint8 (H, W) gray or (H, W, 3) blue-green-red. The result is uint8 (H, W): 0 where the paper is bare,
    up to 255 where the ink is as dark as can be. Light marks on a dark ground come out the same way.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) if pixels.ndim == 3 else pixels
    height, width = gray.shape
    factor = max(1.0, min(height, width) / PAPER_SIDE)
    size = max(1, round(width / factor)), max(1, round(height / factor))
    small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if is_light_on_dark(small):
        gray, small = np.bitwise_not(gray), np.bitwise_not(small)
    paper = cv2.resize(paper_brightness(small), (width, height), interpolation=cv2.INTER_LINEAR)
    # Where the paper is as black as can be, nothing is darker, and OpenCV answers 0 for the 0 / 0.
    return np.asarray(cv2.divide(cv2.subtract(paper, gray), paper, scale=255), dtype=np.uint8)


def is_light_on_dark(small: Uint8) -> bool:
    """Tell whether the marks in a reduced gray picture, uint8 (H, W), are lighter than what surrounds them.

    The surroundings are the local median, since marks are in the minority there; what stands out from it further, and
    in more places, than the opposite are the marks.
    """
    around = cv2.medianBlur(small, _odd(min(small.shape) * MAJORITY_WINDOW))
    lighter, darker = cv2.subtract(small, around), cv2.subtract(around, small)
    return cv2.norm(lighter) > cv2.norm(darker)


def paper_brightness(small: Uint8) -> Uint8:
    """Estimate what a reduced gray picture of dark marks, uint8 (H, W), would be without them."""
    side = _odd(min(small.shape) * PAPER_WINDOW)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return np.asarray(cv2.blur(paper, (side, side)), dtype=np.uint8)


def _odd(length: float) -> int:
    return 2 * int(length / 2) + 3
