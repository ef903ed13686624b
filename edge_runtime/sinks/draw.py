"""Reading -> picture: each digit's box with its label and confidence, each rejected mark with its reason."""

import cv2
import numpy as np

from edge_runtime.records import Box, Frame, Reading, Uint8

# Blue-green-red; apart in brightness too, for eyes that do not tell green from red.
READ = (0, 120, 0)
REJECTED = (60, 60, 230)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def annotate(frame: Frame, reading: Reading) -> Uint8:
    """Return a copy of the frame, uint8 (H, W, 3) blue-green-red, with the reading drawn over it."""
    pixels = frame.pixels
    picture = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR) if pixels.ndim == 2 else pixels.copy()
    thickness = max(1, round(max(picture.shape[:2]) / 640))
    for rejection in reading.rejected:
        _outline(picture, rejection.box, rejection.reason, REJECTED, thickness, size=0.35)
    for digit in reading.digits:
        caption = f"{digit.label} {digit.confidence:.0%}"
        _outline(picture, digit.box, caption, READ, thickness, size=0.5)
    return np.asarray(picture, dtype=np.uint8)


def _outline(
    picture: np.ndarray, box: Box, caption: str, color: tuple[int, int, int], thickness: int, size: float
) -> None:
    cv2.rectangle(picture, box[:2], (box.right - 1, box.bottom - 1), color, thickness)
    size *= thickness
    (width, height), below = cv2.getTextSize(caption, FONT, size, thickness)
    x = max(0, min(box.x, picture.shape[1] - width))
    y = box.y - below if box.y > height + below else min(box.bottom + height + below, picture.shape[0] - below)
    # A light rim keeps the caption legible on any ground.
    cv2.putText(picture, caption, (x, y), FONT, size, (255, 255, 255), thickness + 2, cv2.LINE_AA)
    cv2.putText(picture, caption, (x, y), FONT, size, color, thickness, cv2.LINE_AA)
