"""Objects on a desk or holding the paper: a hand, a pen, a note, a stamp, a cable. Each has its own colors."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages.distractors import Drawn, stroke
from edge_runtime.pages.strokes import Ink

SKINS = ((140, 170, 225), (110, 145, 205), (80, 115, 175), (50, 70, 110))
NOTES = ((110, 235, 250), (190, 170, 250), (200, 230, 170), (245, 245, 245))


def hand(reach: float, rng: np.random.Generator) -> Drawn:
    """Return three or four fingers on a palm at the bottom, the longest about `reach` pixels long."""
    wide = reach * float(rng.uniform(0.2, 0.28))
    count = int(rng.integers(3, 5))
    long = reach * (1 - 0.16 * np.abs(np.arange(count) - 1 + rng.uniform(-0.3, 0.3, count)))
    height, width = int(reach + wide), int(wide * (count + 1.2))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    depth = np.full((height, width), -1e9, np.float32)  # pixels inside the nearest finger's outline
    for i, length in enumerate(long):
        foot = np.array([wide * (i + 1.1), height + 1.0])
        lean = float(rng.uniform(-0.12, 0.12))
        tip = foot - length * np.array([lean, 1.0])
        np.maximum(depth, _capsule(x, y, tip, foot, wide * 0.52), out=depth)
    palm = _capsule(x, y, np.array([wide, height]), np.array([wide * count, height]), 0.45 * wide)
    ink = np.clip(np.maximum(depth, palm) + 0.5, 0, 1)
    round_off = np.clip(np.maximum(depth, palm) / (0.52 * wide), 0, 1)
    skin = np.array(SKINS[rng.integers(len(SKINS))]) * rng.uniform(0.85, 1.1)
    creases = 1 - 0.15 * np.exp(-np.abs(np.mod(y, 0.4 * reach) - 0.2 * reach) / 1.2)
    return np.asarray(ink, np.float32), _painted((0.62 + 0.38 * np.sqrt(round_off)) * creases, skin)


def pen(length: float, rng: np.random.Generator) -> Drawn:
    """Return a pen of this length at a random angle: a bright or dark barrel with a highlight and a darker tip."""
    angle, half = rng.uniform(0, np.pi), length * float(rng.uniform(0.014, 0.03))
    way = np.array([np.cos(angle), np.sin(angle)])
    sides = np.abs(way) * length + 2 * half + 4
    width, height = (int(side) for side in sides)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    start, end = middle - way * length / 2, middle + way * length / 2
    depth = _capsule(x, y, start, end, half)
    along = (x - start[0]) * way[0] + (y - start[1]) * way[1]
    color = rng.uniform(20, 230, 3)
    shine = 1 + 0.5 * np.clip(depth / half - 0.6, 0, 1)
    tip = np.where(along < 0.12 * length, 0.4, 1.0)
    return np.asarray(np.clip(depth + 0.5, 0, 1), np.float32), _painted(shine * tip, color)


def note(side: float, rng: np.random.Generator) -> Drawn:
    """Return a slip of colored paper, about `side` pixels wide, turned a little, with a soft fall-off of light."""
    wide, high, angle = side, side * float(rng.uniform(0.6, 1.2)), rng.uniform(-0.3, 0.3)
    cos, sin = np.cos(angle), np.sin(angle)
    width, height = int(wide * abs(cos) + high * abs(sin)) + 3, int(wide * abs(sin) + high * abs(cos)) + 3
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = x - (width - 1) / 2, y - (height - 1) / 2
    u, v = u * cos + v * sin, v * cos - u * sin
    ink = np.clip(np.minimum(wide / 2 - np.abs(u), high / 2 - np.abs(v)) + 0.5, 0, 1)
    color = np.array(NOTES[rng.integers(len(NOTES))]) * rng.uniform(0.8, 1)
    return np.asarray(ink, np.float32), _painted(1 - 0.1 * (v / high + 0.5), color)


def stamp(side: float, rng: np.random.Generator) -> Drawn:
    """Return a postage stamp `side` pixels high: a white, perforated rim around a blurred picture."""
    height, width = int(side), int(side * float(rng.uniform(0.7, 0.95)))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    rim = np.minimum.reduce([x, y, width - 1 - x, height - 1 - y])
    pitch = max(4.0, side / 14)
    teeth = np.hypot(*(np.abs(np.mod(way, pitch) - pitch / 2) * (rim < pitch) for way in (x, y)))
    ink = np.where((rim < pitch / 3) & (teeth > pitch / 3), 0.0, 1.0)
    cloud = cv2.resize(rng.normal(0, 1, (6, 5)), (width, height), interpolation=cv2.INTER_CUBIC)
    inner = np.clip((rim - 1.3 * pitch) + 0.5, 0, 1)
    color = rng.uniform(60, 200, 3)
    paint = 235 + inner[..., None] * (color * (1 + 0.3 * cloud[..., None]) - 235)
    return np.asarray(ink, np.float32), np.asarray(np.clip(paint, 0, 255), np.float32)


def cable(points: NDArray[np.float64], thickness: float, rng: np.random.Generator) -> tuple[Drawn, NDArray[np.float64]]:
    """Return a cable along points (N, 2), x and y, and the position of its first pixel."""
    ink: Ink = stroke(points, thickness)
    color = np.full(3, rng.uniform(10, 240)) + rng.uniform(-10, 10, 3)
    return (ink, _painted(np.ones(ink.shape), np.clip(color, 0, 255))), points.min(axis=0) - thickness / 2 - 2


def _capsule(
    x: NDArray[np.float32], y: NDArray[np.float32], start: NDArray[np.float64], end: NDArray[np.float64], radius: float
) -> NDArray[np.float32]:
    """Return the depth of each pixel inside the outline of a line with round ends."""
    way = end - start
    share = np.clip(((x - start[0]) * way[0] + (y - start[1]) * way[1]) / (way @ way), 0, 1)
    return np.asarray(radius - np.hypot(x - start[0] - share * way[0], y - start[1] - share * way[1]), np.float32)


def _painted(shade: NDArray[np.floating], color: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(np.clip(shade[..., None] * color, 0, 255), np.float32)
