"""Data between the stages of `DigitReader`: network results, a Trace of all stages, a Hint for the next frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.lines.written import Recheck
from edge_runtime.records import Box, Frame, Reading, Uint8
from edge_runtime.vision.candidates import Candidate
from edge_runtime.vision.glyphs import Glyphs
from edge_runtime.vision.page_model import PageModel
from edge_runtime.vision.planes import Key, Plane
from edge_runtime.vision.regions import Region

Float64 = NDArray[np.float64]


class Seen(NamedTuple):
    """The results of normalization and the classifier for N items, a row each; see `normalize_and_measure`."""

    images: Uint8
    confidences: Float64
    darkness: Float64
    stroke_width: Float64

    def take(self, rows: Sequence[int]) -> "Seen":
        """Return these rows."""
        at = np.asarray(rows, np.int64)
        return Seen(self.images[at], self.confidences[at], self.darkness[at], self.stroke_width[at])

    def and_also(self, other: "Seen") -> "Seen":
        """Return these rows, followed by those of `other`."""
        return Seen(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.confidences, other.confidences]),
            np.concatenate([self.darkness, other.darkness]),
            np.concatenate([self.stroke_width, other.stroke_width]),
        )


def spread(values: NDArray[Any], rows: Sequence[int], into: NDArray[Any]) -> NDArray[Any]:
    """Write `values` to these rows of `into`, and return it."""
    into[list(rows)] = values
    return into


class Survey(NamedTuple):
    """The regions of a picture turned clockwise by `turn` degrees; `back` is the inverse: see `orientation.turned`.

    `seen` holds a row for each region, `glyphs` a row for each region in `standing`.
    """

    pixels: Uint8
    back: Float64
    turn: float
    planes: tuple[Plane, ...]
    regions: list[Region]
    seen: Seen
    standing: list[int]
    glyphs: Glyphs


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Trace:
    """The results of every stage for a frame.

    `planes` are the ink planes, `regions` the connected components of all of them, `standing` the indices of the
    regions of which none is a part of another, and `page` the model of the digits on this page. Of N candidates, boxes
    are in pixels of their planes; `images` is uint8 (N, 28, 28) and `confidences` float64 (N, digits). `chosen` are the
    indices of candidates that do not exclude each other, `glyphs` their measurements, `boxes` their places in the
    frame, and `reasons` why each was rejected, or None. `reading` is in pixels of the frame, too.

    `line_features` holds a value for each line: see `vision.line_confidence`. `checks` holds the line network's result
    for each line, or None.

    All but `boxes` and `reading` refer to `pixels`: the frame's, turned clockwise by `turn` degrees.
    """

    frame: Frame
    pixels: Uint8
    turn: float
    planes: tuple[Plane, ...]
    regions: list[Region]
    standing: list[int]
    page: PageModel
    candidates: list[Candidate]
    images: Uint8
    confidences: Float64
    chosen: tuple[int, ...]
    glyphs: Glyphs
    boxes: tuple[Box, ...]
    reasons: tuple[str | None, ...]
    line_features: dict[str, Float64]
    checks: list[Recheck | None]
    reading: Reading


class Hint(NamedTuple):
    """Where digits are likely: on `planes`, None for all, after the frame is turned clockwise by `turn` degrees."""

    planes: frozenset[Key] | None
    turn: float
