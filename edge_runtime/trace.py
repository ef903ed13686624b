"""A Trace of all stages of `DigitReader`, and a Hint for the next frame."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.lines.numbers import Evidence
from edge_runtime.lines.written import Recheck
from edge_runtime.records import Box, Frame, Reading, Uint8
from edge_runtime.vision.candidates import Candidate
from edge_runtime.vision.glyphs import Glyphs
from edge_runtime.vision.page_model import PageModel
from edge_runtime.vision.planes import Key, Plane
from edge_runtime.vision.regions import Region

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Trace:
    """The results of every stage for a frame.

    `planes` are the ink planes, `regions` the connected components of all of them, `standing` the indices of the
    regions of which none is a part of another, and `page` the model of the digits on this page. Of N candidates, boxes
    are in pixels of their planes; `images` is uint8 (N, 28, 28) and `confidences` float64 (N, digits). `chosen` are the
    indices of candidates that do not exclude each other, `glyphs` their measurements, `boxes` their places in the
    frame, and `reasons` why each was rejected, or None. `reading` is in pixels of the frame, too.

    `known` is the line network's evidence on which glyphs are digits: see `lines.numbers`; None where it did not run.
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
    known: Evidence | None
    line_features: dict[str, Float64]
    checks: list[Recheck | None]
    reading: Reading


class Hint(NamedTuple):
    """Where digits are likely: on `planes`, None for all, after the frame is turned clockwise by `turn` degrees."""

    planes: frozenset[Key] | None
    turn: float
