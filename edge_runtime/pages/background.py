"""The paper of a drawn page: its texture and color, its printed lines, its edge, and a dark board beside it."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages.camera import Pose, places, through
from edge_runtime.pages.strokes import Ink
from edge_runtime.pages.style import PageStyle
from edge_runtime.records import Box

# (3, H, W), blue, green and red from 0 to 255: planes are several times as fast as interleaved pixels.
Page = NDArray[np.float64]
# A straight line on the page as a, b, c: a·x + b·y + c is the signed distance of a point beyond it, in pixels.
Line = tuple[float, float, float]
TABLES = ((60, 90, 130), (40, 45, 50), (130, 150, 165), (70, 60, 90))


def planes(color: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a color as float64 (3, 1, 1), which broadcasts with a page."""
    return np.array(color, np.float64)[:, None, None]


def blank(style: PageStyle, rng: np.random.Generator) -> Page:
    """Return blank paper."""
    width, height = style.size
    texture = cv2.resize(rng.normal(0, 1, (height // 8 + 2, width // 8 + 2)), (width, height))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.ogrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    shade = 1 - rng.uniform(0, style.shade) * (0.5 + (x * np.cos(angle) + y * np.sin(angle)) / np.sqrt(2))
    tint = (rng.uniform(0.92, 1.0), rng.uniform(0.97, 1.0), 1.0)
    shade *= rng.uniform(*style.paper)
    texture = np.asarray(texture * style.grain)
    page = np.empty((3, height, width))
    for plane, channel in zip(page, tint, strict=True):
        np.multiply(shade, channel, out=plane)
        plane += texture
    return page


def print_on(
    page: Page,
    style: PageStyle,
    digits: Sequence[Box],
    digit_height: float,
    view: Pose | None,
    rng: np.random.Generator,
) -> None:
    """Print the style's ruling, and boxes around digits, on a page, in place.

    `digits` are boxes on the page, before `view` maps it into the picture, as everywhere in this file.
    """
    if style.ruling == "none" and not style.boxes:
        return
    strength, thickness = (float(rng.uniform(*span)) for span in (style.ruling_strength, style.ruling_width))
    spacing = digit_height * float(rng.uniform(*style.ruling_spacing))
    starts = rng.uniform(0, spacing, 2)
    ink = np.zeros(page.shape[1:], np.float32)
    axes = {"none": (), "lines": (1,), "squares": (0, 1)}[style.ruling]
    for axis in axes:
        way = np.broadcast_to(places(style.size, view)[axis], ink.shape)
        np.maximum(ink, _lines(way, float(starts[axis]), spacing, thickness), out=ink)
    if style.boxes:
        np.maximum(ink, _boxes(style, digits, digit_height, view, thickness, rng), out=ink)
    page += (planes(style.ruling_ink) - page) * (strength * ink)


def _lines(way: Ink, start: float, spacing: float, thickness: float) -> Ink:
    """Return lines where `way`, a coordinate of the page, is `start` plus a multiple of `spacing`."""
    down, across = np.gradient(way)
    steepness = np.maximum(np.hypot(down, across), 1e-6)
    off = np.abs(np.mod(way - start + spacing / 2, spacing) - spacing / 2)
    return np.asarray(np.clip((thickness / 2 - off) / steepness + 0.5, 0, 1), np.float32)


def _boxes(
    style: PageStyle,
    digits: Sequence[Box],
    height: float,
    view: Pose | None,
    thickness: float,
    rng: np.random.Generator,
) -> Ink:
    """Return printed boxes around some of the digits, as ink 0-1 (H, W)."""
    whole, shift = 4, 3  # drawn `whole` times as large, with points in eighths of a pixel
    canvas = np.zeros((style.size[1] * whole, style.size[0] * whole), np.uint8)
    for box in digits:
        if rng.random() >= style.boxes:
            continue
        rim = height * float(rng.uniform(0.1, 0.14)) + thickness / 2
        left, top, right, bottom = box.x - rim, box.y - rim, box.right - 1 + rim, box.bottom - 1 + rim
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        if view is not None:
            corners = through(view, corners)
        points = np.round(((corners + 0.5) * whole - 0.5) * 2**shift).astype(np.int32)
        cv2.polylines(canvas, [points], True, 255, max(1, round(thickness * whole)), cv2.LINE_8, shift)
    return np.asarray(cv2.resize(canvas, style.size, interpolation=cv2.INTER_AREA) / np.float32(255), np.float32)


def fold(page: Page, view: Pose | None, rng: np.random.Generator) -> None:
    """Draw the edges of an envelope's flap in place: faint creases from two corners to a point below the middle."""
    size = (page.shape[2], page.shape[1])
    x, y = places(size, view)
    reach = float(rng.uniform(0.4, 0.7)) * size[1]
    depth = np.abs(x / (size[0] / 2) - 1) * reach + y - reach  # rows below the flap's edge
    steep = float(np.hypot(1, reach / (size[0] / 2)))
    crease = np.exp(-np.square(depth / steep / float(rng.uniform(1, 2.5))))
    page *= 1 - float(rng.uniform(0.05, 0.25)) * np.broadcast_to(crease, page.shape[1:])


def darken(page: Page, digits: Sequence[Box], share: float, view: Pose | None, rng: np.random.Generator) -> None:
    """Turn a part of the page with about `share` of its digits into a dark board, in place.

    The board's edge crosses no digit; where no straight line leaves digits on both sides, there is no board.
    """
    edge = _between(digits, (page.shape[2], page.shape[1]), share, rng)
    if edge is not None:
        page += (255 - 2 * page) * _beyond(edge, page, view)


def lay_on_table(page: Page, taken: Sequence[Box], view: Pose | None, rng: np.random.Generator) -> list[Box]:
    """Draw a table between the page's content and a side of the picture, in place; return its box.

    Where there is no room, it draws no table and returns no box.
    """
    size = (page.shape[2], page.shape[1])
    edge = _page_edge(taken, size, rng)
    if edge is None:
        return []
    there = _beyond(edge, page, view)
    color = planes(TABLES[rng.integers(len(TABLES))])
    streaks = cv2.resize(rng.normal(0, 1, (size[1] // 6 + 2, size[0] // 60 + 2)).astype(np.float32), size)
    page += (color + 8 * streaks - page) * there
    box = Box(*cv2.boundingRect((there > 0).astype(np.uint8)))
    return [box] if box.width else []


def _beyond(line: Line, page: Page, view: Pose | None) -> Ink:
    """Return a mask (H, W): 1 where the picture shows the page beyond a line, 0 elsewhere, with a soft edge."""
    x, y = places((page.shape[2], page.shape[1]), view)
    off = np.broadcast_to(line[0] * x + line[1] * y + line[2], page.shape[1:])
    return np.asarray(np.clip(off + 0.5, 0, 1), np.float32)


def _between(digits: Sequence[Box], size: tuple[int, int], share: float, rng: np.random.Generator) -> Line | None:
    """Return a vertical or horizontal line that crosses no digit, with about `share` of the digits beyond it."""
    candidates: list[tuple[float, Line]] = []
    for axis in (0, 1):
        used = np.zeros(size[axis], bool)
        for box in digits:
            used[max(0, box[axis] - 2) : box[axis] + box[axis + 2] + 2] = True
        changes = np.flatnonzero(np.diff(used.astype(np.int8)))
        for start, end in pairwise(changes):
            if used[start + 1]:
                continue
            middle = float(start + end + 1) / 2
            after = sum(box[axis] > middle for box in digits) / len(digits)
            for part, sign in ((after, 1.0), (1 - after, -1.0)):
                line = (sign * (1 - axis), sign * axis, -sign * middle)
                candidates.append((abs(part - share) + 1e-6 * float(rng.random()), line))
    return min(candidates)[1] if candidates else None


def _page_edge(taken: Sequence[Box], size: tuple[int, int], rng: np.random.Generator) -> Line | None:
    """Return a nearly vertical or horizontal line with all content on one side; None where there is no room."""
    least = [min((box[axis] for box in taken), default=size[axis] // 2) for axis in (0, 1)]
    most = [max((box[axis] + box[axis + 2] for box in taken), default=size[axis] // 2) for axis in (0, 1)]
    spaces = {(axis, True): least[axis] for axis in (0, 1)} | {
        (axis, False): size[axis] - most[axis] for axis in (0, 1)
    }
    sides = [side for side, space in spaces.items() if space >= 8]
    if not sides:
        return None
    axis, first = sides[rng.integers(len(sides))]
    start, end = rng.uniform(0.25, 0.75, 2) * min(spaces[axis, first], max(size) / 4)  # the table, at the edge's ends
    slope = (end - start) / size[1 - axis]
    steep = float(np.hypot(1, slope))
    out = (-1 if first else 1) / steep
    constant = start / steep - (0 if first else out * (size[axis] - 1))
    return (out, slope / steep, constant) if axis == 0 else (slope / steep, out, constant)
