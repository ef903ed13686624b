"""What the network was shown of a picture, and what it said: values between the stages of `DigitReader`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Uint8
from edge_runtime.vision.glyphs import Glyphs
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.regions import Region

Float64 = NDArray[np.float64]


class Seen(NamedTuple):
    """What normalizing and the network said of N things, a row each; see `normalize_and_measure`."""

    images: Uint8
    confidences: Float64
    darkness: Float64
    stroke_width: Float64

    def take(self, rows: Sequence[int]) -> "Seen":
        """Return these rows."""
        at = np.asarray(rows, np.int64)
        return Seen(self.images[at], self.confidences[at], self.darkness[at], self.stroke_width[at])

    def and_also(self, other: "Seen") -> "Seen":
        """Return these rows, and those of the other behind them."""
        return Seen(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.confidences, other.confidences]),
            np.concatenate([self.darkness, other.darkness]),
            np.concatenate([self.stroke_width, other.stroke_width]),
        )


def spread(values: NDArray[Any], rows: Sequence[int], into: NDArray[Any]) -> NDArray[Any]:
    """Return `into` with these values in these rows."""
    into[list(rows)] = values
    return into


class Survey(NamedTuple):
    """The regions of a picture that was turned clockwise by `turn` degrees, and the way `back`: see `turning.turned`.

    `seen` holds a row for each region, `glyphs` one for each that is `standing`.
    """

    pixels: Uint8
    back: Float64
    turn: float
    planes: tuple[Plane, ...]
    regions: list[Region]
    seen: Seen
    standing: list[int]
    glyphs: Glyphs
