"""Finds free space for distractors on a page and in a picture."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages import distractors, objects
from edge_runtime.pages.distractors import Drawn, Paint
from edge_runtime.pages.strokes import Ink, Item
from edge_runtime.records import Box, Uint8

# Factors on the first size, one for each try to find room.
TRIES = (1.0, 0.8, 0.6, 0.45, 0.3)
# The bottom, the right, the top and the left of a page.
SIDES = (np.s_[-1:, :], np.s_[:, -1:], np.s_[:1, :], np.s_[:, :1])

# The size of an object, least and most, as a share of the picture's shorter side.
THING_SIZES = {"hand": (0.3, 0.6), "pen": (0.3, 0.7), "note": (0.12, 0.35), "stamp": (0.12, 0.22)}
MAKERS: dict[str, Callable[[float, np.random.Generator], Drawn]] = {
    "hand": objects.hand, "pen": objects.pen, "note": objects.note, "stamp": objects.stamp,
}  # fmt: skip
CABLE_TRIES = 20  # random paths to try


class FreeSpace:
    """The free space on a page, in cells of `cell` pixels."""

    def __init__(self, size: tuple[int, int], cell: int) -> None:
        self.size, self.cell = size, cell
        self.used = np.zeros((size[1] // cell, size[0] // cell), np.uint8)

    def take(self, box: Box, margin: float = 0) -> None:
        """Mark a box, and `margin` pixels around it, as used."""
        self.used[self._cells(box, margin)] = 1

    def is_free(self, box: Box) -> bool:
        """Return whether a box lies on the page and contains no used cell."""
        return box.within(self.size) == box and not self.used[self._cells(box, 0)].any()

    def find(self, width: int, height: int, rng: np.random.Generator, side: int | None = None) -> Box | None:
        """Return a free box of this size, uniformly over all places; None where there is none.

        With `side`, it considers only places at that one of the SIDES.
        """
        rows, columns = -(-height // self.cell), -(-width // self.cell)
        if rows > self.used.shape[0] or columns > self.used.shape[1]:
            return None
        total = cv2.integral(self.used)  # four of its values give the number of used cells in a rectangle
        down = total[rows:] - total[:-rows]
        free = down[:, columns:] == down[:, :-columns]
        if side is not None:
            elsewhere = np.ones_like(free)
            elsewhere[SIDES[side]] = False
            free &= ~elsewhere
        places = np.argwhere(free)
        if not len(places):
            return None
        row, column = (int(start) for start in places[rng.integers(len(places))])
        return Box(column * self.cell, row * self.cell, width, height)

    def _cells(self, box: Box, margin: float) -> tuple[slice, slice]:
        spans = ((box.y - margin, box.bottom + margin), (box.x - margin, box.right + margin))
        rows, columns = (
            slice(max(0, int(first // self.cell)), max(0, -int(-end // self.cell))) for first, end in spans
        )
        return rows, columns


def scatter(
    wanted: Sequence[tuple[str, int]],
    digits: Sequence[Box],
    size: tuple[int, int],
    digit_height: float,
    rng: np.random.Generator,
    letters: Sequence[Uint8],
) -> list[Item]:
    """Return items of these names, placed beside the digits and each other; it omits items without space.

    `letters` are the glyphs for letters and words, each uint8 (rows, columns), ink bright on 0.
    """
    space = FreeSpace(size, max(1, round(digit_height / 8)))
    for box in digits:
        space.take(box, 0.2 * digit_height)
    items = []
    for name in (name for name, count in wanted for _ in range(count)):
        around = name == "frames" and digits and rng.random() < 0.5
        item = _around(digits, digit_height, space, rng) if around else None
        if item is None:
            tries = (distractors.KINDS[name](digit_height, shrink, size, rng, letters) for shrink in TRIES)
            place = _from_side if name == "finger" else _anywhere
            item = next(filter(None, (place(name, *drawn, space, rng) for drawn in tries)), None)
        if item is not None:
            space.take(item.box, 0.1 * digit_height)
            items.append(item)
    return items


def scatter_things(
    wanted: Sequence[tuple[str, int]], digits: Sequence[Box], size: tuple[int, int], rng: np.random.Generator
) -> list[Item]:
    """Return these objects in a picture, placed beside the digits and each other; it omits objects without space."""
    space = FreeSpace(size, max(1, min(size) // 80))
    for box in digits:
        space.take(box, 0.2 * box.height)
    items = []
    for name in (name for name, count in wanted for _ in range(count)):
        item = _cable(space, rng) if name == "cable" else None
        for shrink in TRIES if name != "cable" else ():
            side = min(size) * shrink * float(rng.uniform(*THING_SIZES[name]))
            place = _from_side if name == "hand" else _anywhere
            item = place(name, *MAKERS[name](side, rng), space, rng)
            if item is not None:
                space.take(item.box)
                break
        items += [item] if item is not None else []
    return items


def _cable(space: FreeSpace, rng: np.random.Generator) -> Item | None:
    """Return a cable from one side of the picture to another that crosses no used cell; None where no try succeeds."""
    size = np.array(space.size)
    for _ in range(CABLE_TRIES):
        first, last = rng.permutation(4)[:2]
        ends = [_on_side(int(side), size, rng) for side in (first, last)]
        bends = rng.uniform(0, 1, (2, 2)) * size
        share = np.linspace(0, 1, 60)[:, None]
        path = (1 - share) ** 3 * ends[0] + 3 * share * (1 - share) ** 2 * bends[0] + 3 * share**2 * (
            1 - share) * bends[1] + share**3 * ends[1]  # fmt: skip
        cells = np.clip((path // space.cell).astype(int), 0, np.array(space.used.shape[::-1]) - 1)
        near = cv2.dilate(space.used, np.ones((5, 5), np.uint8))
        if near[cells[:, 1], cells[:, 0]].any():
            continue
        drawn, start = objects.cable(path, float(rng.uniform(0.006, 0.025)) * min(space.size), rng)
        return Item("cable", drawn[0], round(start[0]), round(start[1]), drawn[1])
    return None


def _on_side(side: int, size: NDArray[np.int_], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a point just beyond one of the SIDES."""
    x, y = rng.uniform(0, 1, 2) * size
    return np.array([(x, size[1] + 9), (size[0] + 9, y), (x, -9), (-9, y)][side], np.float64)


def _anywhere(name: str, ink: Ink, paint: Paint, space: FreeSpace, rng: np.random.Generator) -> Item | None:
    box = space.find(ink.shape[1], ink.shape[0], rng)
    return None if box is None else Item(name, ink, box.x, box.y, paint)


def _from_side(name: str, ink: Ink, paint: Paint, space: FreeSpace, rng: np.random.Generator) -> Item | None:
    """Place an item that enters the page from a side; it is drawn with its base at the bottom."""
    side = int(rng.integers(len(SIDES)))
    ink = np.rot90(ink, side).copy()
    box = space.find(ink.shape[1], ink.shape[0], rng, side)
    if box is None:
        return None
    hidden = max(ink.shape) // 4  # a quarter of its length lies beyond the page's side
    x, y = (box.x, box.x + hidden, box.x, box.x - hidden)[side], (box.y + hidden, box.y, box.y - hidden, box.y)[side]
    return Item(name, ink, x, y, None if paint is None else np.rot90(paint, side).copy())


def _around(digits: Sequence[Box], digit_height: float, space: FreeSpace, rng: np.random.Generator) -> Item | None:
    """Draw a frame around the digits of a line; None where a used cell is in its way."""
    one = digits[int(rng.integers(len(digits)))]
    whole = one
    for box in digits:
        if box.y < one.bottom and one.y < box.bottom:
            whole = whole.union(box)
    rim = round(digit_height * float(rng.uniform(0.35, 0.45)))
    x, y, width, height = whole.x - rim, whole.y - rim, whole.width + 2 * rim, whole.height + 2 * rim
    sides = (Box(x, y, width, 1), Box(x, y + height, width, 1), Box(x, y, 1, height), Box(x + width, y, 1, height))
    if not all(space.is_free(side) for side in sides):
        return None
    ink = distractors.frame(width, height, digit_height, rng)
    return Item("frames", ink, x - (ink.shape[1] - width) // 2, y - (ink.shape[0] - height) // 2)
