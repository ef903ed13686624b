"""Digits in cells: hand-drawn and printed tables, sudokus, and column sums."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages import distractors
from edge_runtime.pages.layout import DoNotFit, Laid, writer
from edge_runtime.pages.strokes import Ink, Item
from edge_runtime.pages.style import PageStyle, Streams
from edge_runtime.records import Uint8

# Digits per word of each layout where the style does not set them, least and most.
WORDS = {"table": (1, 3), "sudoku": (1, 1), "column": (2, 4)}
COLUMNS = (2, 6)  # of a table, least and most
RATHER_FULL = 0.7  # probability that a table has no extra rows
IN_EMPTY_CELL = 0.3  # probability of a letter or a dash in an empty cell of a table
THIRD = 3  # every third line of a sudoku is bold


class Grid(NamedTuple):
    """Cells of one size: the grid's origin, the cells' width and height in pixels, and their number."""

    x: float
    y: float
    width: float
    height: float
    columns: int
    rows: int


def lay_cells(
    images: Uint8, labels: Sequence[int] | Uint8, streams: Streams, style: PageStyle, digit_height: float,
    letters: Sequence[Uint8],
) -> Laid:  # fmt: skip
    """Return the digits in the cells of a layout, row by row, and its lines, letters and signs.

    A line of the page is a row with digits; a word is the content of one cell. Raises DoNotFit.
    """
    rng, enlarged = streams("cells"), writer(images, streams, style)
    stamps = [enlarged(i, digit_height * float(rng.uniform(0.85, 1.15))) for i in range(len(images))]
    words = _words(len(stamps), style, rng)
    gap = digit_height * float(rng.uniform(0.1, 0.25))
    widest = max((sum(stamps[i].shape[1] + gap for i in word) - gap for word in words), default=digit_height)
    tallest = max((stamp.shape[0] for stamp in stamps), default=digit_height)
    grid = _grid(len(words), widest, tallest, digit_height, style, rng)
    slots = _slots(len(words), grid, style.layout, rng)
    items: list[Item] = []
    places: list[tuple[int, int]] = []
    rows = sorted({row for row, _ in slots})
    for number, (word, (row, column)) in enumerate(zip(words, slots, strict=True)):
        width = sum(stamps[i].shape[1] for i in word) + gap * (len(word) - 1)
        space = grid.width - width
        share = 1 - 0.5 * gap / max(space, 1) if style.layout == "column" else float(rng.uniform(0.3, 0.7))
        x = grid.x + column * grid.width + space * share
        for i in word:
            down = (grid.height - stamps[i].shape[0]) * float(rng.uniform(0.35, 0.65))
            items.append(Item(str(labels[i]), stamps[i], round(x), round(grid.y + row * grid.height + down)))
            places.append((rows.index(row), number))
            x += stamps[i].shape[1] + gap
    if style.layout == "column":
        others = _sum(grid, digit_height, rng)
    else:
        others = _lines(grid, style, digit_height, rng)
        if style.layout == "table":
            others += _in_empty_cells(grid, set(slots), digit_height, letters, rng)
    return Laid(items, places, others)


def _words(count: int, style: PageStyle, rng: np.random.Generator) -> list[range]:
    """Return the digits of each cell, as ranges."""
    least, most = style.word_length or WORDS[style.layout]
    if style.layout == "sudoku":
        least = most = 1
    words, start = [], 0
    while start < count:
        end = min(count, start + int(rng.integers(least, most + 1)))
        words.append(range(start, end))
        start = end
    return words


def _grid(
    count: int, widest: float, tallest: float, digit_height: float, style: PageStyle, rng: np.random.Generator
) -> Grid:
    """Return cells large enough for the widest word, at a random place on the page."""
    wide = widest + digit_height * float(rng.uniform(0.2, 0.9))
    high = tallest + digit_height * float(rng.uniform(0.15, 0.8))
    if style.layout == "sudoku":
        columns = rows = 9
        wide = high = max(widest, tallest) + digit_height * float(rng.uniform(0.1, 0.4))
    else:
        most = max(1, int(style.size[0] / wide))
        columns = 1 if style.layout == "column" else min(most, int(rng.integers(COLUMNS[0], COLUMNS[1] + 1)))
        if columns * int(style.size[1] / high) < count:
            columns = 1 if style.layout == "column" else most
        rows = max(1, -(-count // columns))
        spare = int(style.size[1] / high) - rows
        if style.layout == "table" and spare > 0 and rng.random() > RATHER_FULL:
            rows += int(rng.integers(1, min(2, spare) + 1))
    left, top = style.size[0] - columns * wide, style.size[1] - rows * high
    if left < 0 or top < 0 or (style.layout == "sudoku" and count > columns * rows):
        raise DoNotFit(f"{count} words with digits {digit_height:.0f} pixels high do not fit in cells on the page")
    return Grid(left * float(rng.uniform()), top * float(rng.uniform()), wide, high, columns, rows)


def _slots(count: int, grid: Grid, layout: str, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return the row and column of each word: random cells where a sudoku or table has spare ones."""
    cells = grid.columns * grid.rows
    chosen = range(count) if layout == "column" else sorted(rng.choice(cells, count, replace=False).tolist())
    return [divmod(cell, grid.columns) for cell in chosen]


def _lines(grid: Grid, style: PageStyle, digit_height: float, rng: np.random.Generator) -> list[Item]:
    """Return the lines between cells, drawn with the page's pen or printed."""
    right, bottom = grid.x + grid.columns * grid.width, grid.y + grid.rows * grid.height
    by_hand = style.grid == "hand"
    pen = digit_height * float(rng.uniform(0.05, 0.09)) if by_hand else float(rng.uniform(*style.ruling_width))
    strength = 1.0 if by_hand else float(rng.uniform(*style.ruling_strength))
    items = []
    for axis, (count, step, start, far) in enumerate((
        (grid.columns, grid.width, grid.x, (grid.y, bottom)),
        (grid.rows, grid.height, grid.y, (grid.x, right)),
    )):  # fmt: skip
        for i in range(count + 1):
            bold = style.layout == "sudoku" and i % THIRD == 0
            along = np.linspace(*far, 9)
            across = np.full(9, start + i * step)
            if by_hand:
                across += rng.normal(0, 0.03 * digit_height) + np.linspace(-0.5, 0.5, 9) * rng.normal(
                    0, 0.1 * digit_height
                )
                across += np.cumsum(rng.normal(0, 0.012 * digit_height, 9))
                along += rng.normal(0, 0.08 * digit_height, 9) * (np.abs(np.arange(9) - 4) == 4)
            path = np.stack((across, along) if axis == 0 else (along, across), axis=1)
            ink = distractors.stroke(path, 2 * pen if bold else pen)
            items.append(_printed(ink, path, strength, None if by_hand else style.ruling_ink))
    return items


def _printed(ink: Ink, path: NDArray[np.float64], strength: float, color: tuple[int, int, int] | None) -> Item:
    """Return a line along a path as an item, with its own color where it is printed."""
    x, y = (round(float(side)) for side in path.min(axis=0) - (np.array(ink.shape[::-1]) - np.ptp(path, axis=0)) / 2)
    paint = None if color is None else np.broadcast_to(np.array(color, np.float32), (*ink.shape, 3)).copy()
    return Item("rules", np.asarray(ink * np.float32(strength), np.float32), x, y, paint)


def _sum(grid: Grid, digit_height: float, rng: np.random.Generator) -> list[Item]:
    """Return the rule above the result of a column sum, and a sign before its last number."""
    left, right = grid.x - 0.4 * digit_height, grid.x + grid.width + 0.1 * digit_height
    row = max(1, grid.rows - 1)
    level = grid.y + row * grid.height + rng.normal(0, 0.02 * digit_height)
    path = np.array([(left, level), (right, level + rng.normal(0, 0.04 * digit_height))])
    sign = distractors.sign(str(rng.choice(["+", "-", "x"])), digit_height, rng)
    y = round(grid.y + (row - 0.5) * grid.height - sign.shape[0] / 2)
    rule = _printed(distractors.stroke(path, digit_height * float(rng.uniform(0.05, 0.1))), path, 1.0, None)
    return [rule, Item("signs", sign, round(grid.x - sign.shape[1] - 0.15 * digit_height), y)]


def _in_empty_cells(
    grid: Grid, taken: set[tuple[int, int]], digit_height: float, letters: Sequence[Uint8], rng: np.random.Generator
) -> list[Item]:
    """Return letters and dashes for some of the empty cells."""
    items, cell = [], (round(grid.width), round(grid.height))
    for row in range(grid.rows):
        for column in range(grid.columns):
            if (row, column) in taken or rng.random() > IN_EMPTY_CELL:
                continue
            if rng.random() < 0.5:
                name, ink = "signs", distractors.sign("-", digit_height, rng)
            else:
                name, ink = "letters", distractors.KINDS["letters"](digit_height, 1.0, cell, rng, letters)[0]
            x = round(grid.x + (column + 0.5) * grid.width - ink.shape[1] / 2)
            items.append(Item(name, ink, x, round(grid.y + (row + 0.5) * grid.height - ink.shape[0] / 2)))
    return items
