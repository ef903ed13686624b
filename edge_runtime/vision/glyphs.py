"""Classified regions or candidates, as columns: position, probability of a digit, darkness, and stroke width."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box

Float64 = NDArray[np.float64]
Flags = NDArray[np.bool_]
# A glyph narrower than this part of its height is a single stroke: a 1, or any line, edge or stem.
SLENDER = 0.45
# A glyph wider than this many times its height is no digit; 15 in 1,000 of MNIST's digits are wider.
BROAD = 1.3
# Of the ink of one pen, the palest is at least this fraction as dark as the darkest. Paler ink is print on the other
# side of the paper, a shadow, or a printed box.
PALE = 1 / 2
PROBABILITY_FLOOR = 1e-4  # probabilities are clipped to this, and to 1 minus this, before their logarithm


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Glyphs:
    """N regions or candidates. Boxes are float64 (N, 4), x, y, width, height, in pixels of the frame.

    `plane` int (N,) numbers their planes. `confidences` float64 (N, digits) are the network's; `digit` float64 (N,),
    0-1, is the probability that each is any digit. `darkness`, 0-255, and `stroke_width`, in pixels of the frame, are
    float64 (N,). Bool (N,): `stroke` marks a single stroke, such as a 1; `piece` a part of a larger candidate;
    `attached` a glyph that fainter ink connects to a region whose size or shape is no digit's: a line, a grid, an edge.
    """

    boxes: Float64
    plane: NDArray[np.int64]
    confidences: Float64
    digit: Float64
    darkness: Float64
    stroke_width: Float64
    stroke: Flags
    piece: Flags
    attached: Flags

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> "Glyphs":
        """Return the glyphs of these rows, in this order."""
        at = np.asarray(rows, np.int64)
        return Glyphs(**{name: getattr(self, name)[at] for name in self.__slots__})


def columns(
    boxes: Sequence[Box], planes: Sequence[int], scales: Sequence[float], confidences: Float64,
    measured: tuple[Float64, Float64], piece: Sequence[bool], attached: Sequence[bool], *, knows_others: bool,
    one: int | None,
) -> Glyphs:  # fmt: skip
    """Return glyphs whose `boxes` are in pixels of their planes; `scales` are those of all planes.

    `measured` holds the darkness, 0-255, and the stroke width in pixels of the planes. If a network `knows_others`, the
    sum of the confidences is the probability of a digit; otherwise the highest confidence stands in for it. `one` is
    the column of the label 1.
    """
    plane = np.asarray(planes, np.int64)
    scale = np.asarray(scales, np.float64)[plane]
    sized = np.array(boxes, np.float64).reshape(-1, 4) * scale[:, None]
    stroke = sized[:, 2] < SLENDER * sized[:, 3]
    if one is not None and len(sized):
        stroke |= confidences.argmax(axis=1) == one
    return Glyphs(
        boxes=sized,
        plane=plane,
        confidences=confidences,
        digit=confidences.sum(axis=1) if knows_others else confidences.max(axis=1, initial=0.0),
        darkness=measured[0],
        stroke_width=measured[1] * scale,
        stroke=stroke,
        piece=np.asarray(piece, np.bool_),
        attached=np.asarray(attached, np.bool_),
    )


def log_odds(probability: Float64) -> Float64:
    """Return the log odds of probabilities, float64, clipped at PROBABILITY_FLOOR."""
    bounded = np.minimum(
        np.maximum(probability, PROBABILITY_FLOOR), 1 - PROBABILITY_FLOOR
    )  # np.clip takes twice as long
    return np.asarray(np.log(bounded / (1 - bounded)))


def logistic(log_odds: Float64) -> Float64:
    """Return the probabilities for log odds."""
    return np.asarray(1 / (1 + np.exp(-log_odds)))
