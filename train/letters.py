"""Draw words as a pen writes them: letters as strokes, joined or single, in proportion to each other.

Heights are in units of a capital letter: 0 is its top, X_LINE the top of an x, 1 the baseline, 1.45 the end of a tail.
A lowercase letter is one stroke from its left to its right end, so that the letters of a joined word make one curve.
"""

import unicodedata
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from edge_runtime.records import Uint8
from train import fonts
from train.penmanship import Point

X_LINE = 0.47
SIZE = 80  # pixels: height of a capital as drawn
SAMPLES = 8  # points of a curve between two given ones

# A letter's strokes; a repeated point is a sharp corner. Of a joined word, the first strokes make one curve.
Letter = tuple[tuple[Point, ...], ...]
LOWER: dict[str, Letter] = {
    "a": (((0.45, 0.5), (0.2, 0.45), (0.05, 0.75), (0.2, 1.0), (0.42, 0.7), (0.45, 0.47), (0.45, 0.9), (0.6, 1.0)),),
    "b": (((0.05, 0.85), (0.3, 0.2), (0.22, 0.0), (0.12, 0.3), (0.1, 0.9), (0.3, 1.0), (0.42, 0.75), (0.3, 0.55),
           (0.5, 0.58)),),
    "c": (((0.4, 0.55), (0.25, 0.45), (0.05, 0.7), (0.2, 1.0), (0.5, 0.92)),),
    "d": (((0.42, 0.52), (0.2, 0.47), (0.05, 0.75), (0.2, 1.0), (0.42, 0.7), (0.5, 0.0), (0.46, 0.85), (0.62, 1.0)),),
    "e": (((0.05, 0.8), (0.4, 0.65), (0.3, 0.45), (0.1, 0.6), (0.12, 0.9), (0.3, 1.0), (0.52, 0.88)),),
    "f": (((0.05, 0.9), (0.35, 0.2), (0.3, 0.0), (0.2, 0.3), (0.15, 1.3), (0.25, 1.45), (0.3, 1.2), (0.2, 0.95),
           (0.5, 0.9)),),
    "g": (((0.42, 0.52), (0.2, 0.47), (0.05, 0.72), (0.2, 0.98), (0.42, 0.65), (0.42, 1.2), (0.2, 1.45), (0.1, 1.25),
           (0.6, 0.92)),),
    "h": (((0.05, 0.85), (0.28, 0.2), (0.2, 0.0), (0.1, 0.4), (0.08, 1.0), (0.08, 1.0), (0.25, 0.55), (0.4, 0.55),
           (0.4, 0.9), (0.55, 1.0)),),
    "i": (((0.05, 0.85), (0.18, 0.47), (0.18, 0.47), (0.17, 0.9), (0.35, 0.98)), ((0.2, 0.2), (0.21, 0.23))),
    "j": (((0.05, 0.85), (0.22, 0.47), (0.22, 0.47), (0.2, 1.25), (0.05, 1.45), (0.0, 1.2), (0.4, 0.9)),
          ((0.24, 0.2), (0.25, 0.23))),
    "k": (((0.05, 0.85), (0.28, 0.2), (0.2, 0.0), (0.1, 0.4), (0.08, 1.0), (0.08, 1.0), (0.35, 0.5), (0.3, 0.7),
           (0.15, 0.75), (0.4, 0.95), (0.52, 0.98)),),
    "l": (((0.05, 0.85), (0.28, 0.2), (0.2, 0.0), (0.12, 0.3), (0.15, 0.9), (0.38, 0.98)),),
    "m": (((0.03, 0.55), (0.08, 0.5), (0.08, 1.0), (0.08, 1.0), (0.2, 0.5), (0.3, 0.55), (0.3, 1.0), (0.3, 1.0),
           (0.42, 0.5), (0.54, 0.55), (0.54, 0.9), (0.7, 1.0)),),
    "n": (((0.03, 0.55), (0.1, 0.5), (0.1, 1.0), (0.1, 1.0), (0.25, 0.5), (0.4, 0.55), (0.4, 0.9), (0.55, 1.0)),),
    "o": (((0.35, 0.48), (0.15, 0.5), (0.05, 0.75), (0.2, 1.0), (0.42, 0.8), (0.35, 0.5), (0.3, 0.6), (0.58, 0.58)),),
    "p": (((0.03, 0.7), (0.1, 0.47), (0.1, 1.42), (0.1, 1.42), (0.12, 0.7), (0.3, 0.47), (0.42, 0.7), (0.3, 0.98),
           (0.15, 0.95), (0.55, 0.95)),),
    "q": (((0.42, 0.52), (0.2, 0.47), (0.05, 0.72), (0.2, 0.98), (0.42, 0.65), (0.42, 1.4), (0.55, 1.25), (0.6, 0.9)),),
    "r": (((0.03, 0.85), (0.12, 0.42), (0.18, 0.52), (0.35, 0.52), (0.32, 0.9), (0.5, 0.98)),),
    "s": (((0.03, 0.9), (0.25, 0.45), (0.25, 0.45), (0.4, 0.8), (0.2, 1.0), (0.08, 0.92), (0.5, 0.95)),),
    "t": (((0.05, 0.85), (0.22, 0.1), (0.22, 0.1), (0.18, 0.85), (0.4, 0.97)), ((0.02, 0.42), (0.4, 0.4))),
    "u": (((0.05, 0.55), (0.08, 0.5), (0.08, 0.85), (0.22, 1.0), (0.4, 0.8), (0.42, 0.5), (0.42, 0.5), (0.42, 0.9),
           (0.58, 1.0)),),
    "v": (((0.03, 0.55), (0.08, 0.5), (0.2, 1.0), (0.2, 1.0), (0.4, 0.5), (0.58, 0.55)),),
    "w": (((0.03, 0.55), (0.07, 0.5), (0.12, 0.95), (0.25, 0.9), (0.3, 0.55), (0.34, 0.95), (0.48, 0.9), (0.52, 0.5),
           (0.68, 0.56)),),
    "x": (((0.03, 0.6), (0.12, 0.5), (0.3, 0.95), (0.5, 0.95)), ((0.45, 0.5), (0.05, 1.0))),
    "y": (((0.05, 0.55), (0.08, 0.5), (0.1, 0.85), (0.25, 0.95), (0.42, 0.7), (0.44, 0.5), (0.44, 0.5), (0.42, 1.2),
           (0.2, 1.45), (0.1, 1.25), (0.6, 0.9)),),
    "z": (((0.05, 0.55), (0.2, 0.47), (0.4, 0.52), (0.08, 1.0), (0.08, 1.0), (0.3, 0.95), (0.52, 0.95)),),
}  # fmt: skip
UPPER: dict[str, Letter] = {
    "A": (((0.0, 1.0), (0.3, 0.0), (0.3, 0.0), (0.6, 1.0)), ((0.12, 0.65), (0.48, 0.65))),
    "B": (((0.05, 0.0), (0.05, 1.0)), ((0.05, 0.02), (0.4, 0.1), (0.35, 0.42), (0.05, 0.48), (0.05, 0.48), (0.5, 0.62),
                                      (0.45, 0.95), (0.05, 1.0))),
    "C": (((0.55, 0.15), (0.35, 0.0), (0.05, 0.35), (0.1, 0.85), (0.4, 1.0), (0.6, 0.85)),),
    "D": (((0.05, 0.0), (0.05, 1.0)), ((0.0, 0.0), (0.45, 0.15), (0.55, 0.55), (0.35, 0.95), (0.0, 1.0))),
    "E": (((0.5, 0.0), (0.05, 0.0), (0.05, 0.0), (0.05, 1.0), (0.05, 1.0), (0.5, 1.0)), ((0.05, 0.48), (0.4, 0.48))),
    "F": (((0.5, 0.0), (0.05, 0.02), (0.05, 0.02), (0.05, 1.0)), ((0.05, 0.48), (0.4, 0.46))),
    "G": (((0.55, 0.15), (0.35, 0.0), (0.05, 0.35), (0.1, 0.85), (0.4, 1.0), (0.58, 0.8), (0.58, 0.55), (0.58, 0.55),
           (0.35, 0.55)),),
    "H": (((0.05, 0.0), (0.05, 1.0)), ((0.55, 0.0), (0.55, 1.0)), ((0.05, 0.5), (0.55, 0.48))),
    "I": (((0.2, 0.0), (0.2, 1.0)), ((0.02, 0.0), (0.4, 0.0)), ((0.02, 1.0), (0.4, 1.0))),
    "J": (((0.4, 0.0), (0.4, 0.75), (0.25, 1.0), (0.02, 0.8)), ((0.15, 0.0), (0.6, 0.0))),
    "K": (((0.05, 0.0), (0.05, 1.0)), ((0.5, 0.0), (0.05, 0.55), (0.05, 0.55), (0.55, 1.0))),
    "L": (((0.05, 0.0), (0.05, 1.0), (0.05, 1.0), (0.5, 1.0)),),
    "M": (((0.02, 1.0), (0.08, 0.0), (0.08, 0.0), (0.35, 0.7), (0.35, 0.7), (0.62, 0.0), (0.62, 0.0), (0.7, 1.0)),),
    "N": (((0.05, 1.0), (0.05, 0.0), (0.05, 0.0), (0.55, 1.0), (0.55, 1.0), (0.55, 0.0)),),
    "O": (((0.35, 0.0), (0.05, 0.3), (0.1, 0.8), (0.35, 1.0), (0.62, 0.7), (0.6, 0.25), (0.32, 0.0)),),
    "P": (((0.05, 0.0), (0.05, 1.0)), ((0.0, 0.02), (0.45, 0.1), (0.45, 0.45), (0.05, 0.55))),
    "Q": (((0.35, 0.0), (0.05, 0.3), (0.1, 0.8), (0.35, 1.0), (0.62, 0.7), (0.6, 0.25), (0.32, 0.0)),
          ((0.4, 0.75), (0.65, 1.1))),
    "R": (((0.05, 0.0), (0.05, 1.0)), ((0.0, 0.02), (0.45, 0.1), (0.42, 0.42), (0.05, 0.52), (0.05, 0.52),
                                      (0.55, 1.0))),
    "S": (((0.5, 0.12), (0.3, 0.0), (0.05, 0.22), (0.3, 0.48), (0.52, 0.75), (0.3, 1.0), (0.02, 0.85)),),
    "T": (((0.3, 0.0), (0.3, 1.0)), ((0.0, 0.02), (0.62, 0.0))),
    "U": (((0.05, 0.0), (0.05, 0.7), (0.3, 1.0), (0.55, 0.7), (0.55, 0.0)),),
    "V": (((0.0, 0.0), (0.3, 1.0), (0.3, 1.0), (0.6, 0.0)),),
    "W": (((0.0, 0.0), (0.18, 1.0), (0.18, 1.0), (0.38, 0.3), (0.38, 0.3), (0.58, 1.0), (0.58, 1.0), (0.78, 0.0)),),
    "X": (((0.02, 0.0), (0.55, 1.0)), ((0.55, 0.0), (0.0, 1.0))),
    "Y": (((0.02, 0.0), (0.3, 0.5)), ((0.6, 0.0), (0.22, 1.0))),
    "Z": (((0.03, 0.0), (0.55, 0.0), (0.55, 0.0), (0.02, 1.0), (0.02, 1.0), (0.58, 1.0)),),
}  # fmt: skip
LETTERS = {**LOWER, **UPPER}


class Word(NamedTuple):
    """A word: `ink` uint8 (H, W), bright on 0, and in pixels its baseline's row and the heights of an x and an H."""

    ink: Uint8
    baseline: int
    x_height: int
    cap_height: int


def typeset(name: str, text: str) -> Word:
    """Return a text in a typeface."""
    typeface = fonts.typeface(name)
    heights = [max(1, round(-typeface.getbbox(character, anchor="ls")[1])) for character in "xH"]
    ink, baseline = fonts.set_text(name, text)
    return Word(ink, baseline, *heights)


def write(text: str, joined: bool, rng: np.random.Generator) -> Word:
    """Return a word written with a pen, with random offsets of points, slant, width, gaps and pen.

    Characters without a form are left out, and accents.
    """
    plain = unicodedata.normalize("NFKD", text)
    gap = rng.uniform(-0.08, 0.02) if joined else rng.uniform(0.02, 0.22)
    shaky, lean, wide, pen = rng.uniform(0.008, 0.035), rng.uniform(-0.1, 0.5), rng.uniform(0.7, 1.4), rng.uniform(3, 9)
    x, curve = 0.0, np.zeros((0, 2))
    lines: list[NDArray[np.float64]] = []
    for character in plain:
        strokes = [np.array(stroke) + np.array([x, 0]) for stroke in LETTERS.get(character, ())]
        for number, points in enumerate(strokes):
            off = rng.normal(0, shaky, points.shape)
            same = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
            off[same + 1] = off[same]
            if joined and character in LOWER and number == 0:
                curve = np.concatenate([curve, points + off])
            else:
                lines.append(points + off)
        if strokes:
            x = max(float(points[:, 0].max()) for points in strokes) + gap
        if len(curve) and (not joined or character not in LOWER):
            lines, curve = [*lines, curve], np.zeros((0, 2))
    lines += [curve] if len(curve) else []
    bend = np.array([[wide, -lean], [0, 1]]).T * SIZE
    drawn = [_curve(points) @ bend for points in lines] or [np.zeros((1, 2))]
    least = np.floor(np.min([line.min(axis=0) for line in drawn], axis=0) - pen)
    most = np.max([line.max(axis=0) for line in drawn], axis=0) + pen
    width, height = (int(side) + 1 for side in most - least)
    ink = np.zeros((height, width), np.uint8)
    for line in drawn:
        cv2.polylines(ink, [np.round(line - least).astype(np.int32)], False, 255, round(pen), cv2.LINE_AA)
    return Word(ink, round(SIZE - least[1]), round((1 - X_LINE) * SIZE), SIZE)


def _curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a smooth curve through points (N, 2), with corners at repeated points."""
    corners = np.flatnonzero((points[1:] == points[:-1]).all(axis=1)) + 1
    return np.concatenate([_smooth(run) for run in np.split(points, corners)])


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    count = len(points)
    if count < 3:
        return points
    along = np.linspace(0, count - 1, SAMPLES * (count - 1) + 1)
    return np.asarray(make_interp_spline(range(count), points, k=min(3, count - 1))(along), np.float64)
