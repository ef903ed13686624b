"""The values that go into the line and come out of it: frame -> digits and rejections -> reading.

All are immutable. Boxes are in integer pixels of the frame as a person sees it (EXIF orientation applied), sizes are
(width, height), arrays are (rows, columns).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Uint8 = NDArray[np.uint8]
# Below this confidence a line is marked as unsure. Chosen on photographs: of the lines below it, 45 of 111 are wrong,
# of the others 6 of 151.
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

    def overlaps(self, other: "Box") -> bool:
        """Tell whether the two have a pixel in common."""
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

    `pixels` is uint8, (H, W) gray or (H, W, 3) blue-green-red, 0 black to 255 full; H and W are at least 1. A
    frame of a `moving` picture has others before and after it. Those of live sources say when they were `taken`, in
    seconds of time.monotonic(), and how many before them were `dropped`.
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
    """A digit that was read. `confidence` is 0-1; `top` holds the likeliest labels first; `line` counts from 0."""

    label: str
    confidence: float
    box: Box
    line: int
    top: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of digits: its text, with a space between words, and the box that holds its digits.

    `confidence`, 0-1, is how likely all of it is right: no digit misread, left out or made up. `alternatives` are the
    likeliest other texts, each with its confidence; what another reader read there is among them. Below UNSURE a line
    is marked in text.
    """

    text: str
    confidence: float
    box: Box
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Rejection:
    """A component that was not read, and why. `confidence` is None where the model was never asked."""

    box: Box
    reason: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds that each stage took; `total` also holds what lies between the stages."""

    ink: float
    locate: float
    normalize: float
    classify: float
    total: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one frame.

    `lines` are top to bottom, and `text` is that of each; a frame without digits has none. `digits` are in reading
    order. `model` is the first 12 hexadecimal digits of the SHA-256 of the model's flatbuffer. Of a live source,
    `age_ms` is how old the frame was when it had been read, in milliseconds, and `dropped` how many frames were left
    out before it.
    `turned` is by how many degrees clockwise the frame was turned to be read; boxes and sizes are those before that.
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
    """What became of a line of digits in a moving picture: it appeared, it changed, or it is gone.

    `line_id` counts lines from 1 as they come up, and stays with a line while it is followed. `text` is None where the
    line is gone, `previous` where it has just appeared. `box` holds the line where it was last seen. `confidence`, 0-1,
    is the median of the line's in the latest frames with this text, or with the last one before it was gone. `frame`
    and `captured_at` are those of the frame that settled it.
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
