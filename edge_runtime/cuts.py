"""A mark that is wide enough for several digits -> the pieces it may be cut into, left to right."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.marks import DUST, Mark
from edge_runtime.records import Box, Uint8

HEIGHT = 12  # rows at which cuts are looked for
MAX_CUTS = 5
APART = 0.25  # cuts lie at least this part of the height from each other, and from both ends
SIDEWAYS = 0.1  # what a step to the side costs, in rows of full ink
MOST = 0.3  # a cut through more ink than this part of the height would cut along a stroke


def cut(mark: Mark) -> list[Mark]:
    """Return the pieces of a mark, left to right; the mark alone where there is no place to cut it.

    A cut runs from top to bottom, by at most one column a row, where it crosses least ink: the seams of Avidan and
    Shamir (2007), found for all columns at once.
    """
    rows, columns = mark.ink.shape
    width = max(1, round(columns * HEIGHT / rows))
    small = cv2.resize(mark.ink, (width, HEIGHT), interpolation=cv2.INTER_AREA)
    paths = _seams(small.astype(np.float32) / max(1.0, float(small.max())))
    if not paths:
        return [mark]
    along = (np.arange(rows) + 0.5) * HEIGHT / rows - 0.5
    edges = [np.interp(along, np.arange(HEIGHT), (path + 0.5) * columns / width) for path in paths]
    walls = [np.zeros(rows), *edges, np.full(rows, columns)]
    at = np.arange(columns) + 0.5
    least = int(mark.ink.max()) / 4
    pieces = []
    for left, right in pairwise(walls):
        start, end = max(0, int(left.min()) - 1), int(right.max()) + 2  # the columns of the piece and its rim
        between = at[start:end]
        mask = (between >= left[:, None]) & (between < right[:, None])
        piece = _trimmed(mark, start, mark.ink[:, start:end] * mask, least)
        if piece is not None:
            pieces.append(piece)
    return pieces if len(pieces) > 1 else [mark]


def _seams(ink: NDArray[np.float32]) -> list[NDArray[np.intp]]:
    """Return the cheapest cuts through ink, float32 (HEIGHT, W) in 0-1, as the column in each row, left to right."""
    height, width = ink.shape
    gap = max(2, int(APART * height))
    if width < 2 * gap + 1:
        return []
    # The cost of the cheapest way down to each column, between two walls, and the step that the way made last.
    cost = np.full(width + 2, np.inf, np.float32)
    cost[1:-1] = ink[0]
    choices = np.empty((3, width), np.float32)
    steps = np.empty((height - 1, width), np.intp)
    for row, step in zip(ink[1:], steps, strict=True):
        np.add(cost[:-2], SIDEWAYS, out=choices[0])
        choices[1] = cost[1:-1]
        np.add(cost[2:], SIDEWAYS, out=choices[2])
        choices.argmin(axis=0, out=step)
        np.add(choices.min(axis=0), row, out=cost[1:-1])
    cost = cost[1:-1]
    chosen: list[int] = []
    for column in np.argsort(cost[gap : width - gap], kind="stable") + gap:
        if cost[column] > MOST * height or len(chosen) == MAX_CUTS:
            break
        if all(abs(column - other) >= gap for other in chosen):
            chosen.append(int(column))
    path = np.array(sorted(chosen), np.intp)
    paths = [path]
    for step in steps[::-1]:
        path = path + step[path] - 1
        paths.append(path)
    return list(np.array(paths[::-1]).T)


def _trimmed(mark: Mark, start: int, ink: Uint8, least: float) -> Mark | None:
    """Return the ink of a piece of `mark`, from its column `start` on, as a mark of its own.

    None where no ink is above `least`.
    """
    _, strokes = cv2.threshold(ink, least, 255, cv2.THRESH_BINARY)
    x, y, width, height = cv2.boundingRect(strokes)
    if max(width, height) <= DUST:
        return None
    box = Box(mark.place.x + start + x, mark.place.y + y, width, height)
    left, top = max(0, x - 1), max(0, y - 1)
    part = ink[top : y + height + 1, left : x + width + 1]
    return Mark(box, Box(mark.place.x + start + left, mark.place.y + top, part.shape[1], part.shape[0]), part)
