"""Digits as people learn to write them: the forms that MNIST, written in one country, hardly holds.

A 1 with a flag as long as its stem and a foot, a 7 with a bar, a 0 with a slash, a 4 that is open, a 9 with the tail of
a g. Each form is strokes through a few points; every digit drawn from it bends, leans and stretches in its own way.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from edge_runtime.normalize import normalize
from edge_runtime.records import Uint8
from train.dataset import Digits

Point = tuple[float, float]
# Strokes of points (x, y), from 0 to 1, y downward; the pen turns sharply where a point is given twice.
Form = tuple[tuple[Point, ...], ...]
OVAL: tuple[Point, ...] = ((0.6, 0.02), (0.2, 0.15), (0.08, 0.55), (0.35, 0.98), (0.75, 0.9), (0.9, 0.45), (0.55, 0.0))
LOOP: tuple[Point, ...] = ((0.8, 0.1), (0.45, 0.0), (0.15, 0.25), (0.35, 0.5), (0.75, 0.35), (0.8, 0.1))
FORMS: dict[int, tuple[Form, ...]] = {
    0: (
        (OVAL,),
        (OVAL, ((0.85, 0.05), (0.15, 0.95))),
        (OVAL, ((1.0, -0.08), (0.0, 1.08))),
        (((0.5, 0.0), (0.1, 0.3), (0.15, 0.8), (0.5, 1.0), (0.9, 0.75), (0.85, 0.25), (0.5, 0.02), (0.7, 0.15)),),
    ),
    1: (
        (((0.2, 0.35), (0.6, 0.0), (0.6, 0.0), (0.6, 1.0)),),
        (((0.0, 0.75), (0.6, 0.0), (0.6, 0.0), (0.55, 1.0)),),
        (((0.05, 0.55), (0.65, 0.0), (0.65, 0.0), (0.55, 1.0)),),
        (((0.1, 0.45), (0.4, 0.3), (0.65, 0.0), (0.65, 0.0), (0.6, 1.0)),),
        (((0.2, 0.35), (0.55, 0.0), (0.55, 0.0), (0.55, 1.0)), ((0.2, 1.0), (0.9, 0.98))),
        (((0.1, 0.6), (0.55, 0.0), (0.55, 0.0), (0.55, 1.0)), ((0.25, 1.0), (0.85, 1.0))),
        (((0.5, 0.0), (0.5, 1.0)), ((0.25, 1.0), (0.75, 1.0))),
        (((-0.3, 0.8), (0.6, 0.0), (0.6, 0.0), (0.55, 1.0)),),
        (((-0.4, 0.95), (0.2, 0.6), (0.65, 0.0), (0.65, 0.0), (0.6, 1.0)),),
        (((-0.1, 0.5), (0.6, 0.0), (0.6, 0.0), (0.6, 1.0), (0.6, 1.0), (0.95, 0.95)),),
    ),
    2: (
        (((0.1, 0.25), (0.45, 0.0), (0.85, 0.25), (0.6, 0.6), (0.05, 1.0), (0.05, 1.0), (0.95, 0.98)),),
        (((0.1, 0.3), (0.4, 0.0), (0.8, 0.2), (0.6, 0.65), (0.15, 0.95), (0.2, 0.75), (0.55, 0.9), (1.0, 0.95)),),
        (((0.1, 0.1), (0.8, 0.05), (0.8, 0.05), (0.1, 0.95), (0.1, 0.95), (0.95, 0.95)),),
    ),
    3: (
        (((0.1, 0.15), (0.5, 0.0), (0.8, 0.2), (0.4, 0.45), (0.4, 0.45), (0.85, 0.7), (0.5, 1.0), (0.05, 0.85)),),
        (((0.1, 0.02), (0.85, 0.0), (0.85, 0.0), (0.4, 0.42), (0.4, 0.42), (0.85, 0.65), (0.6, 1.0), (0.1, 0.9)),),
        (((0.15, 0.1), (0.7, 0.05), (0.45, 0.45), (0.3, 0.45), (0.6, 0.42), (0.85, 0.75), (0.4, 1.0), (0.05, 0.85)),),
    ),
    4: (
        (((0.35, 0.0), (0.1, 0.6), (0.1, 0.6), (0.95, 0.55)), ((0.65, 0.3), (0.6, 1.0))),
        (((0.15, 0.0), (0.1, 0.4), (0.4, 0.55), (0.8, 0.45)), ((0.8, 0.05), (0.7, 1.0))),
        (((0.7, 1.0), (0.7, 0.0), (0.7, 0.0), (0.05, 0.7), (0.05, 0.7), (0.98, 0.68)),),
        (((0.4, 0.0), (0.1, 0.55), (0.1, 0.55), (0.75, 0.5), (0.85, 0.25), (0.85, 0.25), (0.6, 1.0)),),
        (((0.6, 0.0), (0.05, 0.55), (0.05, 0.55), (0.9, 0.5), (0.9, 0.5), (0.8, 1.0)),),
        (((0.7, 0.0), (0.1, 0.6), (0.1, 0.6), (1.1, 0.55)), ((0.85, 0.4), (0.75, 0.95))),
    ),
    5: (
        (((0.25, 0.0), (0.2, 0.42), (0.2, 0.42), (0.75, 0.45), (0.8, 0.85), (0.1, 0.95)), ((0.25, 0.0), (0.9, 0.0))),
        (((0.85, 0.0), (0.25, 0.05), (0.25, 0.05), (0.15, 0.45), (0.6, 0.4), (0.85, 0.7), (0.5, 1.0), (0.05, 0.9)),),
        (((0.9, 0.0), (0.35, 0.1), (0.25, 0.4), (0.75, 0.6), (0.6, 0.95), (0.05, 0.9)),),
    ),
    6: (
        (((0.7, 0.0), (0.25, 0.4), (0.15, 0.8), (0.5, 1.0), (0.8, 0.75), (0.5, 0.55), (0.15, 0.75)),),
        (((0.45, 0.0), (0.15, 0.5), (0.2, 0.9), (0.65, 0.98), (0.8, 0.65), (0.45, 0.5), (0.18, 0.7)),),
        (((0.85, 0.05), (0.5, 0.0), (0.15, 0.45), (0.25, 0.95), (0.75, 0.9), (0.7, 0.55), (0.2, 0.65)),),
    ),
    7: (
        (((0.05, 0.05), (0.9, 0.0), (0.9, 0.0), (0.4, 1.0)),),
        (((0.05, 0.02), (0.9, 0.0), (0.9, 0.0), (0.35, 1.0)), ((0.25, 0.5), (0.9, 0.48))),
        (((0.05, 0.2), (0.1, 0.02), (0.1, 0.02), (0.9, 0.02), (0.9, 0.02), (0.45, 1.0)), ((0.2, 0.52), (0.9, 0.48))),
        (((0.05, 0.1), (0.35, 0.0), (0.9, 0.05), (0.55, 0.5), (0.4, 1.0)), ((0.2, 0.5), (0.85, 0.5))),
    ),
    8: (
        (((0.8, 0.1), (0.4, 0.0), (0.2, 0.25), (0.75, 0.65), (0.5, 1.0), (0.15, 0.75), (0.75, 0.3), (0.8, 0.1)),),
        (((0.5, 0.0), (0.2, 0.2), (0.5, 0.45), (0.8, 0.2), (0.5, 0.0)),
         ((0.5, 0.45), (0.1, 0.75), (0.5, 1.0), (0.9, 0.75), (0.5, 0.45))),
        (((0.85, 0.0), (0.3, 0.25), (0.75, 0.7), (0.45, 1.0), (0.2, 0.7), (0.6, 0.35), (0.9, 0.05)),),
    ),
    9: (
        (LOOP, ((0.8, 0.1), (0.75, 1.0))),
        (LOOP, ((0.8, 0.1), (0.8, 0.8), (0.5, 1.0), (0.1, 0.9))),
        (((0.85, 0.15), (0.5, 0.0), (0.15, 0.25), (0.45, 0.45), (0.8, 0.2), (0.75, 0.8), (0.4, 1.0), (0.1, 0.8)),),
        (((0.8, 0.15), (0.35, 0.02), (0.2, 0.35), (0.6, 0.45), (0.85, 0.1), (0.85, 0.1), (0.6, 1.0)),),
        (LOOP, ((0.8, 0.1), (0.8, 0.95), (0.8, 0.95), (0.1, 0.97))),
        (((0.85, 0.1), (0.4, 0.0), (0.15, 0.3), (0.5, 0.45), (0.85, 0.55), (0.7, 0.95), (0.1, 0.95)),
         ((0.85, 0.1), (0.85, 0.55))),
    ),
}  # fmt: skip
SIZE = 160  # pixels: a digit is drawn about this high
STEPS = 60  # straight pieces that a stroke is drawn of


def write(count: int, rng: np.random.Generator) -> Digits:
    """Return so many digits of every form, in the 28x28 contract, with their labels."""
    written = [(write_one(form, rng), label) for label, forms in FORMS.items() for form in forms for _ in range(count)]
    return Digits(np.array([image for image, _ in written], np.uint8), np.array([y for _, y in written], np.uint8))


def write_one(form: Form, rng: np.random.Generator) -> Uint8:
    """Return one digit in the contract, uint8 (28, 28): every point is off a little, and all leans and stretches."""
    lean, turn, wide = rng.uniform(-0.1, 0.5), rng.uniform(-0.12, 0.12), rng.uniform(0.4, 1.1)
    bend = np.array([[wide, -lean], [0, 1]]) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    shaky = rng.uniform(0.01, 0.05)
    lines = []
    for stroke in form:
        points = np.array(stroke)
        off = rng.normal(0, shaky, points.shape)
        same = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
        off[same + 1] = off[same]
        lines.append(smooth(points + off) @ bend.T * SIZE)
    return normalize(_drawn(lines, float(rng.uniform(0.05, 0.16)) * SIZE, float(rng.uniform(20, 80)) / SIZE))


def smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a curve through points (N, 2), with corners where one is given twice."""
    corners = np.flatnonzero((points[1:] == points[:-1]).all(axis=1)) + 1
    runs = []
    for run in np.split(points, corners):
        along = np.linspace(0, len(run) - 1, STEPS)
        runs.append(make_interp_spline(range(len(run)), run, k=min(3, len(run) - 1))(along) if len(run) > 1 else run)
    return np.concatenate(runs)


def _drawn(lines: list[NDArray[np.float64]], pen: float, scale: float) -> Uint8:
    """Return lines drawn with a pen so many pixels wide, then reduced, as ink."""
    least = np.min([line.min(axis=0) for line in lines], axis=0) - 2 * pen
    most = np.max([line.max(axis=0) for line in lines], axis=0) + 2 * pen
    width, height = (int(side) + 1 for side in most - least)
    canvas = np.zeros((height, width), np.uint8)
    for line in lines:
        cv2.polylines(canvas, [np.round(line - least).astype(np.int32)], False, 255, max(1, round(pen)), cv2.LINE_AA)
    return np.asarray(cv2.resize(canvas, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
