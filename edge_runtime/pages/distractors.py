"""Distractors, the non-digits on a page: letters, scribbles, stains, lines, and objects on the paper."""

from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages.strokes import Ink
from edge_runtime.records import Uint8

# Signs of sums and forms, as polylines of points (x, y) in digit heights, y downward. Alone, none looks like a digit
# except the slash and the brackets, which only their neighbors distinguish from a 1.
BOW = (0.0, 0.05, 0.13, 0.18, 0.2, 0.18, 0.13, 0.05, 0.0)
SIGNS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "+": (((0.0, 0.25), (0.5, 0.25)), ((0.25, 0.0), (0.25, 0.5))),
    "-": (((0.0, 0.0), (0.45, 0.0)),),
    "=": (((0.0, 0.0), (0.5, 0.0)), ((0.0, 0.2), (0.5, 0.2))),
    "x": (((0.0, 0.0), (0.4, 0.4)), ((0.4, 0.0), (0.0, 0.4))),
    "/": (((0.5, 0.0), (0.0, 1.1)),),
    "(": (tuple((0.2 - bow, 1.2 * i / 8) for i, bow in enumerate(BOW)),),
    ")": (tuple((bow, 1.2 * i / 8) for i, bow in enumerate(BOW)),),
    ":": (((0.0, 0.0), (0.03, 0.03)), ((0.0, 0.4), (0.03, 0.43))),
    "<": (((0.4, 0.0), (0.0, 0.25), (0.4, 0.5)),),
    "#": (((0.15, 0.0), (0.1, 0.6)), ((0.4, 0.0), (0.35, 0.6)), ((0.0, 0.2), (0.5, 0.2)), ((0.0, 0.4), (0.5, 0.4))),
}

# Letters that do not look like a digit.
LETTERS = "AEFHKMNRWXfhkmnvwx"

Paint = NDArray[np.float32] | None
Drawn = tuple[Ink, Paint]
# Draws one distractor, from the height of the page's digits, a factor on its size, the page's size, and letters.
Maker = Callable[[float, float, tuple[int, int], np.random.Generator, Sequence[Uint8]], Drawn]


def _letter(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    return _word_of(1, height * shrink, rng, s), None


def _word(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    return _word_of(int(rng.integers(3, 8)), height * shrink, rng, s), None


def _word_of(count: int, height: float, rng: np.random.Generator, letters: Sequence[Uint8]) -> Ink:
    """Return letters on one line, scaled so that the highest of all `letters` is about `height` pixels high."""
    scale = height * float(rng.uniform(0.7, 1.1)) / max(letter.shape[0] for letter in letters)
    row = []
    for i in rng.integers(len(letters), size=count):
        sides = tuple(max(2, round(side * scale)) for side in letters[i].shape[::-1])
        row.append(cv2.resize(letters[i], sides, interpolation=cv2.INTER_AREA).astype(np.float32) / 255)
    space = [1 + round(height * float(rng.uniform(0.06, 0.16))) for _ in row]
    ink = np.zeros((max(part.shape[0] for part in row) + 2, sum(p.shape[1] for p in row) + sum(space) + 1), np.float32)
    x = 1
    for part, gap in zip(row, space, strict=True):
        ink[-1 - part.shape[0] : -1, x : x + part.shape[1]] = part
        x += part.shape[1] + gap
    return ink


def _scribble(
    height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]
) -> Drawn:
    knots = int(rng.integers(7, 14))
    steps = np.linspace(0, knots - 1, knots * 12)
    across = np.sort(rng.uniform(0, 3.0, knots)) + rng.normal(0, 0.35, knots)
    down = rng.uniform(0, 1.2, knots)
    bent = np.stack([np.interp(steps, range(knots), way) for way in (across, down)], axis=1)
    path = np.asarray(cv2.GaussianBlur(bent, (1, 0), 0.1, sigmaY=4), np.float64)
    return stroke(path * height * shrink, 0.1 * height), None


def _smudge(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    side = max(8, round(height * shrink * float(rng.uniform(1.0, 2.5))))
    cloud = cv2.resize(rng.normal(0, 1, (5, 5)), (side, side), interpolation=cv2.INTER_CUBIC)
    ink = np.clip(0.6 + 0.5 * cloud, 0, 1) * _bump(side, side) * rng.uniform(0.1, 0.35)
    return np.asarray(ink, np.float32), None


def _dot(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    return _disk(max(1.0, height * float(rng.uniform(0.04, 0.1)))), None


def _comma(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    long = height * float(rng.uniform(0.15, 0.3))
    turn = np.linspace(0, 1, 8)
    path = np.stack([0.35 * long * (1 - turn**2), long * turn], axis=1)
    return stroke(path, 0.1 * height), None


def _rule(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    upright = rng.random() < 0.3
    long = float(rng.uniform(0.5, 0.95)) * size[upright] * shrink
    slant = float(rng.uniform(-0.01, 0.01)) * long
    path = np.array([[0, max(0, slant)], [long, max(0, -slant)]])
    return stroke(path[:, ::-1] if upright else path, float(rng.uniform(0.03, 0.1)) * height), None


def _frame(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    wide, high = (float(side) * height * shrink for side in rng.uniform(1.0, 3.0, 2))
    return frame(wide, high, height, rng), None


def frame(wide: float, high: float, height: float, rng: np.random.Generator) -> Ink:
    """Return a hand-drawn rectangle of about `wide` by `high` pixels, beside digits of this height."""
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high], [0, 0]]) + rng.normal(0, 0.03 * height, (5, 2))
    return stroke(corners, 0.08 * height)


def _sign(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    return sign(str(rng.choice(list(SIGNS))), height * shrink, rng), None


def sign(name: str, height: float, rng: np.random.Generator) -> Ink:
    """Return one of the SIGNS as handwritten ink beside digits of this height."""
    lines = [np.array(line) + rng.normal(0, 0.03, (len(line), 2)) for line in SIGNS[name]]
    scale = height * float(rng.uniform(0.8, 1.15))
    least = np.min([line.min(axis=0) for line in lines], axis=0)
    most = np.max([line.max(axis=0) for line in lines], axis=0)
    pen = float(rng.uniform(0.07, 0.11)) * height
    parts = [(stroke(line * scale, pen), np.round((line.min(axis=0) - least) * scale).astype(int)) for line in lines]
    ink = np.zeros(tuple(int(np.ceil(side * scale + pen)) + 7 for side in (most - least)[::-1]), np.float32)
    for part, (x, y) in parts:
        place = ink[y : y + part.shape[0], x : x + part.shape[1]]
        np.maximum(place, part[: place.shape[0], : place.shape[1]], out=place)
    return ink


def _coin(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    radius = height * shrink * float(rng.uniform(0.6, 1.1))
    ink = _disk(radius)
    side = ink.shape[0]
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) / radius
    metal = np.array([(60, 130, 175), (150, 160, 165), (70, 105, 150)][rng.integers(3)], float)
    relief = cv2.GaussianBlur(rng.normal(0, 1, (side, side)), (0, 0), max(0.8, radius / 10)) * radius / 10
    sheen = 1 + 0.25 * (x * 0.6 + y * 0.8) + 0.25 * relief * (np.hypot(x, y) < 0.8)
    rim = np.where(np.abs(np.hypot(x, y) - 0.9) < 0.06, 0.6, 1.0)
    return ink, np.asarray(np.clip(metal * (sheen * rim)[..., None], 0, 255), np.float32)


def _finger(height: float, shrink: float, size: tuple[int, int], rng: np.random.Generator, s: Sequence[Uint8]) -> Drawn:
    wide, long = (max(6, round(height * shrink * float(rng.uniform(*span)))) for span in ((0.8, 1.4), (1.5, 3.0)))
    y, x = np.mgrid[:long, :wide].astype(np.float32)
    off = np.hypot((x - (wide - 1) / 2) / (wide / 2), np.minimum(0, y - wide * 0.6) / (wide * 0.6))
    skin = np.array([(140, 170, 225), (80, 115, 175), (50, 70, 110)][rng.integers(3)], float)
    paint = skin * (1.05 - 0.4 * off**2)[..., None]
    return np.asarray(np.clip((1 - off) * wide / 4, 0, 1), np.float32), np.asarray(np.clip(paint, 0, 255), np.float32)


def stroke(path: NDArray[np.float64], thickness: float) -> Ink:
    """Return a line of this thickness through points (N, 2), x and y, as ink cut to its size."""
    rim = thickness / 2 + 2
    path = path - path.min(axis=0) + rim
    width, height = (int(np.ceil(side)) for side in path.max(axis=0) + rim)
    whole = 4  # drawn `whole` times as large: OpenCV's lines are whole pixels thick
    canvas = np.zeros((height * whole, width * whole), np.uint8)
    points = np.round((path + 0.5) * whole - 0.5).astype(np.int32)
    cv2.polylines(canvas, [points], False, 255, max(1, round(thickness * whole)))
    ink = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(ink / np.float32(255), np.float32)


def _disk(radius: float) -> Ink:
    side = 2 * int(np.ceil(radius)) + 3
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.asarray(np.clip(radius + 0.5 - np.hypot(x, y), 0, 1), np.float32)


def _bump(height: int, width: int) -> NDArray[np.float64]:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(np.clip(1 - x * x - y * y, 0, 1), np.float64)


@cache
def script() -> tuple[Uint8, ...]:
    """Return LETTERS in OpenCV's script fonts, uint8, ink bright on 0, about 60 pixels high."""
    stamps = []
    for font in (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX):
        for letter in LETTERS:
            canvas = np.zeros((200, 240), np.uint8)
            cv2.putText(canvas, letter, (70, 130), font, 3, 255, 6, cv2.LINE_AA)
            x, y, width, height = cv2.boundingRect(canvas)
            stamps.append(canvas[y : y + height, x : x + width])
    return tuple(stamps)


KINDS: dict[str, Maker] = {
    "letters": _letter, "words": _word, "scribbles": _scribble, "smudges": _smudge, "dots": _dot, "commas": _comma,
    "rules": _rule, "frames": _frame, "coins": _coin, "finger": _finger, "signs": _sign,
}  # fmt: skip
