"""Glyphs and weights for the tests of what judges them."""

from collections.abc import Sequence

import numpy as np

from edge_runtime.inference import model_file
from edge_runtime.vision.glyphs import Glyphs
from edge_runtime.vision.weights import Weights, from_card

SIZE = 100_000, 100_000  # of a picture whose edge is far
Corners = tuple[float, float, float, float]


def glyphs(
    boxes: Sequence[Corners],
    digit: float | Sequence[float] = 0.999,
    *,
    plane: int | Sequence[int] = 0,
    darkness: float | Sequence[float] = 200.0,
    stroke_width: float | Sequence[float] = 6.0,
    stroke: bool | Sequence[bool] = False,
    piece: bool | Sequence[bool] = False,
    attached: bool | Sequence[bool] = False,
    label: int = 3,
) -> Glyphs:
    """Return glyphs in boxes (x, y, width, height), each so likely a digit, and then always the same one."""
    count = len(boxes)
    likely = np.broadcast_to(np.asarray(digit, np.float64), count)
    confidences = np.zeros((count, 10))
    confidences[:, label] = likely
    return Glyphs(
        boxes=np.array(boxes, np.float64).reshape(-1, 4),
        plane=np.broadcast_to(np.asarray(plane, np.int64), count),
        confidences=confidences,
        digit=likely,
        darkness=np.broadcast_to(np.asarray(darkness, np.float64), count),
        stroke_width=np.broadcast_to(np.asarray(stroke_width, np.float64), count),
        stroke=np.broadcast_to(np.asarray(stroke, np.bool_), count),
        piece=np.broadcast_to(np.asarray(piece, np.bool_), count),
        attached=np.broadcast_to(np.asarray(attached, np.bool_), count),
    )


def row(count: int, *, x: float = 0, y: float = 100, width: float = 24, height: float = 40) -> list[Corners]:
    """Return the boxes of a row of digits."""
    return [(x + 1.25 * width * i, y, width, height) for i in range(count)]


def shipped() -> Weights:
    """Return the weights in the card of the shipped model."""
    weights = from_card(model_file.read(model_file.SHIPPED).card)
    assert weights is not None
    return weights
