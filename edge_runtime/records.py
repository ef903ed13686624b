"""The input and output values of the pipeline: frame -> digits and rejections -> reading.

All are immutable. Boxes are in integer pixels of the frame as a person sees it (EXIF orientation applied), sizes are
(width, height), arrays are (rows, columns).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Uint8 = NDArray[np.uint8]
# A line below this confidence is marked as unsure. Chosen on photographs: of the lines below it, 41 of 101 are wrong,
# of the others 8 of 159.
UNSURE = 0.8


class Box(NamedTuple):
    """A rectangle in pixels: columns `x` to `x + width - 1`, rows `y` to `y + height - 1`."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column to the right of the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        """Its center (x, y); whole numbers lie between pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns, to index a picture that contains the box."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def moved(self, x: int, y: int) -> "Box":
        """Return the box so many columns further right, and rows further down."""
        return Box(self.x + x, self.y + y, self.width, self.height)

    def rimmed(self, size: tuple[int, int]) -> "Box":
        """Return the box grown by one pixel on every side, cut to a picture of this (width, height)."""
        return Box(self.x - 1, self.y - 1, self.width + 2, self.height + 2).within(size)

    def scaled(self, size: tuple[int, int], across: float, down: float | None = None) -> "Box":
        """Return the box in a picture that is scaled by these factors to this (width, height).

        It lies inside the picture, and has at least one pixel. `down` is `across` if it is None.
        """
        down = across if down is None else down
        x, y = min(max(0, int(self.x * across)), size[0] - 1), min(max(0, int(self.y * down)), size[1] - 1)
        right, bottom = min(round(self.right * across), size[0]), min(round(self.bottom * down), size[1])
        return Box(x, y, max(1, right - x), max(1, bottom - y))

    def within(self, size: tuple[int, int]) -> "Box":
        """Return the part inside a picture of this (width, height); its width or height is 0 if there is none."""
        x, y = min(max(0, self.x), size[0]), min(max(0, self.y), size[1])
        right, bottom = min(max(0, self.right), size[0]), min(max(0, self.bottom), size[1])
        return Box(x, y, right - x, bottom - y)

    def holds(self, point: tuple[float, float]) -> bool:
        """Return whether a point (x, y) lies in the box."""
        return self.x <= point[0] < self.right and self.y <= point[1] < self.bottom

    def overlaps(self, other: "Box") -> bool:
        """Return whether the two share a pixel."""
        beside = self.x >= other.right or other.x >= self.right
        return not (beside or self.y >= other.bottom or other.y >= self.bottom)

    def union(self, other: "Box") -> "Box":
        """Return the smallest box that holds both."""
        x, y, width, height = self
        other_x, other_y, other_width, other_height = other
        left, top = min(x, other_x), min(y, other_y)
        right, bottom = max(x + width, other_x + other_width), max(y + height, other_y + other_height)
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture from a source.

    `pixels` is uint8, (H, W) gray or (H, W, 3) blue-green-red, 0 black to 255 full; H and W are at least 1. `moving`
    marks a frame of a sequence. Frames of live sources give the time when they were `taken`, in seconds of
    time.monotonic(), and the number of frames `dropped` before them.
    """

    pixels: Uint8
    source: str = ""
    index: int = 0
    captured_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    moving: bool = False
    taken: float | None = None
    dropped: int | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True, slots=True)
class Digit:
    """A recognized digit. `confidence` is 0-1; `top` holds the likeliest labels first; `line` counts from 0."""

    label: str
    confidence: float
    box: Box
    line: int
    top: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of digits: its text, with a space between words, and the box that holds its digits.

    `confidence`, 0-1, is the probability that all of it is right: no digit misread, left out or made up. `alternatives`
    are the likeliest other texts, each with its confidence, including the text of another reader. A line below UNSURE
    is marked in text.
    """

    text: str
    confidence: float
    box: Box
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Rejection:
    """A component that was rejected, and why. `confidence` is None if the classifier did not run on it."""

    box: Box
    reason: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds that each stage took; `total` includes the time between the stages."""

    ink: float
    locate: float
    normalize: float
    classify: float
    total: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The result for one frame.

    `lines` run top to bottom, and `text` holds the text of each; a frame without digits has none. `digits` are in
    reading order. `model` is the first 12 hexadecimal digits of the SHA-256 of the model's flatbuffer. For a live
    source, `age_ms` is the age of the frame at the end of reading, in milliseconds, and `dropped` the number of frames
    skipped before it. `turned` is the clockwise rotation in degrees before reading; boxes and sizes refer to the frame
    before that.
    """

    source: str
    frame: int
    captured_at: datetime
    width: int
    height: int
    text: tuple[str, ...]
    digits: tuple[Digit, ...]
    rejected: tuple[Rejection, ...]
    ms: Timings
    model: str
    age_ms: float | None = None
    dropped: int | None = None
    turned: Literal[0, 90, 180, 270] = 0
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A change to a line of digits in a moving picture: it appeared, it changed, or it is gone.

    `line_id` counts lines from 1 in order of appearance, and stays the same during tracking. `text` is None if the line
    is gone, `previous` if it has just appeared. `box` is the last position of the line. `confidence`, 0-1, is the
    median over the latest frames with this text, or with the last text of a line that is gone. `frame` and
    `captured_at` are those of the frame that confirmed the event.
    """

    event: Literal["appeared", "changed", "gone"]
    line_id: int
    text: str | None
    previous: str | None
    box: Box
    confidence: float
    source: str
    frame: int
    captured_at: datetime
