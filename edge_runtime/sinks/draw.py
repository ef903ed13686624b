"""Reading -> picture: each digit's box with its label and confidence, each rejected mark with its reason."""

from typing import NamedTuple

import cv2
import numpy as np

from edge_runtime.records import Box, Frame, Reading, Uint8

Color = tuple[int, int, int]  # blue-green-red


class Palette(NamedTuple):
    """Colors that stand out from a page, and from each other in brightness too, for eyes that mix up green and red."""

    read: Color
    rejected: Color
    rim: Color  # around captions, so that they are legible on any ground


ON_LIGHT = Palette(read=(0, 120, 0), rejected=(60, 60, 230), rim=(255, 255, 255))
ON_DARK = Palette(read=(110, 255, 110), rejected=(110, 110, 255), rim=(0, 0, 0))
FONT = cv2.FONT_HERSHEY_SIMPLEX


def annotate(frame: Frame, reading: Reading) -> Uint8:
    """Return a copy of the frame, uint8 (H, W, 3) blue-green-red, with the reading drawn over it."""
    pixels = frame.pixels
    picture = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR) if pixels.ndim == 2 else pixels.copy()
    palette = ON_LIGHT if float(np.median(pixels[::8, ::8])) >= 128 else ON_DARK
    thickness = max(1, round(max(picture.shape[:2]) / 640))
    for rejection in reading.rejected:
        _outline(picture, rejection.box, rejection.reason, palette.rejected, palette.rim, thickness, size=0.35)
    for digit in reading.digits:
        caption = f"{digit.label} {digit.confidence:.0%}"
        _outline(picture, digit.box, caption, palette.read, palette.rim, thickness, size=0.5)
    return np.asarray(picture, dtype=np.uint8)


def _outline(
    picture: np.ndarray, box: Box, caption: str, color: Color, rim: Color, thickness: int, size: float
) -> None:
    cv2.rectangle(picture, box[:2], (box.right - 1, box.bottom - 1), color, thickness)
    size *= thickness
    (width, height), below = cv2.getTextSize(caption, FONT, size, thickness)
    x = max(0, min(box.x, picture.shape[1] - width))
    y = box.y - below if box.y > height + below else min(box.bottom + height + below, picture.shape[0] - below)
    cv2.putText(picture, caption, (x, y), FONT, size, rim, thickness + 2, cv2.LINE_AA)
    cv2.putText(picture, caption, (x, y), FONT, size, color, thickness, cv2.LINE_AA)
