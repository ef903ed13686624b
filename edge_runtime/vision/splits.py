"""Components that may be several digits -> the pieces they may be cut into, left to right."""

from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Uint8
from edge_runtime.vision.normalize import INNER

HALF = INNER  # rows above and below the middle in the search of cuts: each half is as high as a digit in the contract
HEIGHT = 2 * HALF
SIDEWAYS = 60  # the cost of a step to the side, where a pixel of full ink costs 255
WALL = 255 * HEIGHT * HEIGHT  # keeps cuts in their own component: more than the cost of any cut


class Piece(NamedTuple):
    """Ink, uint8 (rows, columns) bright on 0, in `place`, which is `box` with a rim; both in the plane's pixels."""

    box: Box
    place: Box
    ink: Uint8


def split(components: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces of each component, left to right; the component alone if no cut fits.

    A cut is a seam from top to bottom that crosses least ink, as in Avidan and Shamir (2007). Here it may run any
    distance to the side before it continues down, as drops do (Congedo et al., 1995), so that it passes around tails
    and flags. One pass over all components finds the cheapest seam for each column of the middle row: digits that touch
    cross that row side by side, while a raised or slender digit leaves little room between its neighbors' ends.
    """
    if not components:
        return []
    stamps = [_reduced(component.ink) for component in components]
    wall = np.zeros((HEIGHT, 1), np.uint8)
    strip = np.hstack([wall, *(part for stamp in stamps for part in (stamp, wall))])
    ends = np.cumsum([1, *(stamp.shape[1] + 1 for stamp in stamps)])
    costs, paths = _seams(_resistance(strip), ends - 1)
    left_of = np.cumsum(strip, axis=1, dtype=np.int32) - strip // 2
    ink = np.take_along_axis(left_of, paths, axis=1)
    pieces = []
    for component, start, end in zip(components, ends.tolist(), (ends[1:] - 1).tolist(), strict=False):
        columns = slice(start, end)
        before, all_ink = left_of[:, start - 1], left_of[:, end]
        chosen = _apart(costs[columns], np.ascontiguousarray(ink[:, columns].T) - before, all_ink - before)
        pieces.append(_divided(component, paths[:, columns][:, chosen] - start, end - start))
    return pieces


def _reduced(ink: Uint8) -> Uint8:
    """Return the ink of a component scaled to HEIGHT rows, its darkest 255."""
    rows, columns = ink.shape
    small = cv2.resize(ink, (max(1, round(columns * HEIGHT / rows)), HEIGHT), interpolation=cv2.INTER_AREA)
    small = cv2.convertScaleAbs(small, alpha=255 / max(1.0, cv2.norm(small, cv2.NORM_INF)))
    return np.asarray(small, dtype=np.uint8)


def _resistance(ink: Uint8) -> NDArray[np.int32]:
    """Return the cost of cutting each pixel of ink, uint8 (H, W): int32, 0-255; pale ink costs less than its share."""
    cost = ink.astype(np.int32)
    return cost * cost // 255


def _seams(ink: NDArray[np.int32], walls: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the cost of the cheapest cut through each column of the middle, int32 (W,), and its column in each row.

    `ink` is int32 (HEIGHT, W), 0-255; `walls` are columns that no cut passes. The columns are (HEIGHT, W).
    """
    width = ink.shape[1]
    # Side by side, each from its outer end to the middle: first the columns of the top half, then those of the bottom.
    halves = np.hstack([ink[:HALF], ink[: HALF - 1 : -1]])
    steps = halves + SIDEWAYS
    steps[:, walls] = steps[:, width + walls] = WALL
    upto = np.cumsum(steps, axis=1, dtype=np.int32)
    before = upto - steps
    cost = np.zeros_like(halves[0])
    right, left, onward, back = np.empty((4, *halves.shape), np.int32)
    for row, entered in enumerate(halves):
        # From each column, a cut may go on to the right or to the left, for the cost of the steps between.
        cost += entered
        np.subtract(cost, upto[row], out=right[row])
        np.add(cost, before[row], out=left[row])
        np.minimum.accumulate(right[row], out=onward[row])
        np.minimum.accumulate(left[row, ::-1], out=back[row, ::-1])
        np.minimum(onward[row] + upto[row], back[row] - before[row], out=cost)
    from_left = _sources(right, onward)
    from_right = 2 * width - 1 - _sources(left[:, ::-1], back[:, ::-1])[:, ::-1]
    sources = np.where(onward + upto <= back - before, from_left, from_right)
    path = np.arange(2 * width)
    paths = np.empty(sources.shape, np.intp)
    for row in range(HALF - 1, -1, -1):
        paths[row] = path
        path = sources[row][path]
    return cost[:width] + cost[width:], np.vstack([paths[:, :width], paths[::-1, width:] - width])


def _sources(costs: NDArray[np.int32], least: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return for each column the cheapest one up to it, along the last axis; `least` is the cost of that one."""
    at = np.where(costs == least, np.arange(costs.shape[-1]), 0)
    return np.maximum.accumulate(at, axis=-1)


def _apart(costs: NDArray[np.int32], ink: NDArray[np.int32], all_ink: NDArray[np.int32]) -> list[int]:
    """Return the cuts to make, left to right: the cheapest whose pieces are at least half as high as the component.

    At most 1 + 2 * width / height cuts are made. `costs` are the cuts' costs; `ink` (cuts, HEIGHT) is the amount of ink
    left of each cut in each row, out of `all_ink`, (HEIGHT,).
    """
    amounts = ink.sum(axis=1).tolist()
    walls, passed = [np.zeros_like(all_ink), all_ink], [0, int(all_ink.sum())]
    chosen: list[int] = []
    most = 1 + len(costs) // HALF
    # Around each local minimum, the other cuts are the same cut with a detour.
    cheapest = ((costs < np.r_[WALL, costs[:-1]]) & (costs <= np.r_[costs[1:], WALL])).nonzero()[0]
    for column in cheapest[np.argsort(costs[cheapest], kind="stable")].tolist():
        if len(chosen) == most:
            break
        amount = amounts[column]
        at = bisect(passed, amount)
        if not 0 < at < len(passed):
            continue
        if min(_height(ink[column] - walls[at - 1]), _height(walls[at] - ink[column])) < HALF:
            continue
        walls.insert(at, ink[column])
        passed.insert(at, amount)
        chosen.append(column)
    return sorted(chosen)


def _height(rows: NDArray[np.int32]) -> int:
    """Return the number of rows from the first to the last with more ink than half a full pixel, both included."""
    inked = (2 * rows > 255).nonzero()[0]
    return int(inked[-1] - inked[0]) + 1 if inked.size else 0


def _divided(component: Piece, paths: NDArray[np.intp], width: int) -> list[Piece]:
    """Return the pieces of a component between cuts: columns (HEIGHT, cuts) of the component reduced to `width`."""
    rows, columns = component.ink.shape
    along = (np.arange(rows) + 0.5) * HEIGHT / rows - 0.5
    edges = [np.interp(along, np.arange(HEIGHT), (path + 0.5) * columns / width) for path in paths.T]
    walls = [np.zeros(rows), *edges, np.full(rows, columns)]
    at = np.arange(columns) + 0.5
    least = int(component.ink.max()) / (2 * 2)  # a quarter of the darkest ink
    pieces = []
    for left, right in pairwise(walls):
        start, end = max(0, int(left.min()) - 1), int(right.max()) + 2  # the columns of the piece and its rim
        between = at[start:end]
        mask = (between >= left[:, None]) & (between < right[:, None])
        piece = _trimmed(component, start, component.ink[:, start:end] * mask, least)
        if piece is not None:
            pieces.append(piece)
    return pieces if len(pieces) > 1 else [component]


def _trimmed(component: Piece, start: int, ink: Uint8, least: float) -> Piece | None:
    """Return the ink of a piece of `component`, from its column `start` on, as a component of its own.

    None if the ink above `least` is at most 2 pixels long.
    """
    _, strokes = cv2.threshold(ink, least, 255, cv2.THRESH_BINARY)
    x, y, width, height = cv2.boundingRect(strokes)
    if max(width, height) <= 2:
        return None
    box = Box(x, y, width, height)
    place, at = box.rimmed(ink.shape[::-1]), (component.place.x + start, component.place.y)
    return Piece(box.moved(*at), place.moved(*at), ink[place.slices])
