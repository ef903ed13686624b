"""Draws a reading over its picture: digits with label and confidence, rejected components with the reason."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Digit, Frame, Reading, Rejection, Uint8

Color = tuple[int, int, int]  # blue-green-red


class Palette(NamedTuple):
    """Colors that contrast with a page, and with each other in brightness too, for red-green color blindness."""

    read: Color
    rejected: Color
    rim: Color  # around captions, so that they are legible on any background


ON_LIGHT = Palette(read=(0, 120, 0), rejected=(60, 60, 230), rim=(255, 255, 255))
ON_DARK = Palette(read=(110, 255, 110), rejected=(110, 110, 255), rim=(0, 0, 0))
FONT = cv2.FONT_HERSHEY_SIMPLEX


def annotate(frame: Frame, reading: Reading) -> Uint8:
    """Return a copy of the frame, uint8 (H, W, 3) blue-green-red, with the reading drawn over it.

    Each digit and each rejected component has its box. Each digit has its label, and its confidence where that covers
    no other label. A reason appears only where it is not cut off and covers no other caption; the reason of a component
    that the network never saw must cover no digit either. The largest come first.
    """
    pixels = frame.pixels
    picture = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR) if pixels.ndim == 2 else pixels.copy()
    palette = ON_LIGHT if float(np.median(pixels[::8, ::8])) >= 128 else ON_DARK
    thickness = max(1, round(max(picture.shape[:2]) / 640))
    taken = np.zeros(picture.shape[:2], np.bool_)
    labels = _labels(reading.digits, taken, thickness)
    for rejection in reading.rejected:
        outline(picture, rejection.box, palette.rejected, thickness)
    for seen in (True, False):
        for rejection in sorted(reading.rejected, key=_area, reverse=True):
            reason = Caption(rejection.reason, 0.35 * thickness, thickness)
            if seen == (rejection.confidence is not None) and (place := reason.claim(taken, rejection.box)):
                reason.write(picture, place, palette.rejected, palette.rim)
        for digit in reading.digits:
            covered(taken, digit.box)[...] = True
    for digit in reading.digits:
        outline(picture, digit.box, palette.read, thickness)
    for label, place in labels:
        label.write(picture, place, palette.read, palette.rim)
    return np.asarray(picture, dtype=np.uint8)


class Caption(NamedTuple):
    """A short text in FONT at scale `size`, with strokes `thickness` pixels wide."""

    text: str
    size: float
    thickness: int

    @property
    def rim(self) -> int:
        """Width of the rim in pixels."""
        return (self.thickness + 1) // 2

    def places(self, box: Box, shape: tuple[int, ...]) -> tuple[Box, Box]:
        """Return the best and second-best place for the text beside a box, in a picture of this shape (rows, columns).

        These are above and below the box, in reverse order where there is no room above.
        """
        (width, height), below = cv2.getTextSize(self.text, FONT, self.size, self.thickness)
        width, tall = width + 2 * self.rim, height + below + 2 * self.rim
        x = max(0, min(box.x, shape[1] - width))
        over = Box(x, box.y - tall, width, tall)
        under = Box(x, min(box.bottom, shape[0] - tall), width, tall)
        return (over, under) if over.y >= 0 else (under, over)

    def claim(self, taken: NDArray[np.bool_], box: Box, best: int = 2) -> Box | None:
        """Mark the first free one of the `best` places in `taken`, bool (H, W), and return it; None if none is free."""
        for place in self.places(box, taken.shape)[:best]:
            area = covered(taken, place)
            if area.shape == (place.height, place.width) and not area.any():
                area[...] = True
                return place
        return None

    def write(self, picture: np.ndarray, place: Box, color: Color, rim: Color) -> None:
        """Write the text at `place`, modifying `picture`, uint8 (H, W, 3)."""
        (_, height), _ = cv2.getTextSize(self.text, FONT, self.size, self.thickness)
        # The rim is a dilation, not the text in a broader pen: OpenCV 5 has different letters for each thickness.
        words = np.zeros((place.height, place.width), np.uint8)
        cv2.putText(words, self.text, (self.rim, height + self.rim), FONT, self.size, 255, self.thickness, cv2.LINE_AA)
        under = covered(picture, place)
        top, left = max(0, -place.y), max(0, -place.x)
        for shape, paint in ((cv2.dilate(words, np.ones((2 * self.rim + 1,) * 2, np.uint8)), rim), (words, color)):
            part = shape[top : top + under.shape[0], left : left + under.shape[1]]
            share = np.asarray(part, np.float32)[..., None] / 255
            under[...] = np.rint(under + share * (np.array(paint, np.float32) - under))


def covered(picture: np.ndarray, place: Box) -> np.ndarray:
    """Return the part of a picture, (H, W, ...), that a place covers: smaller where the place is partly outside."""
    return picture[place.within((picture.shape[1], picture.shape[0])).slices]


def _labels(digits: Sequence[Digit], taken: NDArray[np.bool_], thickness: int) -> list[tuple[Caption, Box]]:
    """Return captions of digits and their places, with the confidence where that covers no other digit's label."""
    size = 0.5 * thickness
    labels = [Caption(digit.label, size, thickness) for digit in digits]
    places = [label.places(digit.box, taken.shape)[0] for label, digit in zip(labels, digits, strict=True)]
    for place in places:
        covered(taken, place)[...] = True
    captions = []
    for label, place, digit in zip(labels, places, digits, strict=True):
        covered(taken, place)[...] = False
        whole = label._replace(text=f"{digit.label} {digit.confidence:.0%}")
        wide = whole.claim(taken, digit.box, best=1)
        if wide is None:
            covered(taken, place)[...] = True
        captions.append((label, place) if wide is None else (whole, wide))
    return captions


def outline(picture: np.ndarray, box: Box, color: Color, thickness: int) -> None:
    """Draw the rim of a box, in place."""
    cv2.rectangle(picture, box[:2], (box.right - 1, box.bottom - 1), color, thickness)


def _area(rejection: Rejection) -> int:
    return rejection.box.width * rejection.box.height
