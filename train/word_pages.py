"""Draw pages on which most writing is not a number: notes, tables of names and codes, sums and whiteboards.

Each digit's box is known. `edge_runtime.pages` draws pages of digits with a few other things on them; these are the
opposite.
"""

from dataclasses import replace
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages import background, degradation, lighting
from edge_runtime.pages.draw import Page, PageStyle, Placed
from edge_runtime.records import Box, Uint8
from train import line_words
from train.line_signs import TALL, Hand
from train.line_texts import Text, text
from train.strings import Split, hands

Kind = Literal["notes", "table", "sums", "board", "words"]
# What is written on a page of each kind, and how often; "number" is a number alone. A page of "words" has no digit.
WRITTEN: dict[Kind, dict[str, float]] = {
    "notes": {"words": 0.4, "words and numbers": 0.3, "number": 0.2, "code": 0.1},
    "table": {"words": 0.3, "code": 0.25, "number": 0.45},
    "sums": {"equation": 0.6, "number": 0.3, "words": 0.1},
    "board": {"words": 0.6, "words and numbers": 0.2, "equation": 0.1, "number": 0.1},
    "words": {"words": 1.0},
}
ROWS = 4 * TALL  # rows of a piece's canvas
ACROSS, IN_A_CELL = (14.0, 34.0), (9.0, 16.0)  # digits' heights across a page, and across a cell of a table
EMPTY, RULED = 0.12, 0.8  # share of empty places, and of tables with rules
TRIES = 4  # how often another text is tried in a place that the first one does not fit
CONTRAST, DARK = (0.35, 0.95), 0.5  # how much darker ink is than paper, 0-1; share of boards that are dark
LOOK = PageStyle(blur=(0.0, 1.6), noise=(0.0, 6.0), jpeg=(50, 95), gradient=(0.6, 1.0), cast=0.1)


class Piece(NamedTuple):
    """Something written: ink, uint8 (H, W), bright on 0, its digits, and the box of each."""

    ink: Uint8
    digits: tuple[int, ...]
    boxes: list[Box]


def draw(split: Split, rng: np.random.Generator, kind: Kind | None = None) -> Page:
    """Draw a page of a kind, a random one by default, in the typefaces and words of a split."""
    kind = kind or list(WRITTEN)[rng.integers(len(WRITTEN))]
    ways = hands(split)
    face = ways[rng.integers(2, len(ways))]
    hand = ways[rng.integers(2)] if rng.random() < 0.8 else face
    columns = int(rng.integers(2, 4)) if kind == "table" else 1
    width = int(rng.integers(560, 1100))
    height = int(width * rng.uniform(0.5, 0.9))
    tall = width / columns / rng.uniform(*(ACROSS if columns == 1 else IN_A_CELL))
    step = tall * rng.uniform(1.7, 2.8)
    ink, placed = np.zeros((height, width), np.float32), list[Placed]()
    of_column = [_any(WRITTEN[kind], rng) for _ in range(columns)]
    lefts = np.linspace(0, width, columns + 1) + tall * rng.uniform(0.2, 1.0)
    for row in range(max(1, int((height - step) / step))):
        y = round(step * (row + rng.uniform(0.9, 1.1)))
        for column in range(columns):
            if rng.random() < EMPTY:
                continue
            space = round(lefts[column + 1] - lefts[column] - 0.7 * tall)
            for _ in range(TRIES):
                what = of_column[column] if kind == "table" else _any(WRITTEN[kind], rng)
                piece = _piece(what, hand, face, tall, rng)
                if piece.ink.shape[1] <= space:
                    placed += _write(ink, piece, round(lefts[column]), y, row)
                    break
    if kind == "table" and rng.random() < RULED:
        _grid(ink, lefts - 0.5 * tall, step, tall, rng)
    return Page(_photographed(ink, kind == "board", rng), tuple(placed))


def _any(shares: dict[str, float], rng: np.random.Generator) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))


def _piece(what: str, hand: Hand, face: Hand, tall: float, rng: np.random.Generator) -> Piece:
    """Return something written, with digits about `tall` pixels high."""
    if what == "number":
        number = "".join(map(str, rng.integers(0, 10, rng.integers(1, 8))))
        said = Text((number,), (False,))
    else:
        said = text(what, face.words, rng)
    canvas = np.zeros((ROWS, 4 * line_words.LONG), np.uint8)
    end, count, boxes = line_words.compose(canvas, said, hand, face, None, rng)
    by = tall / TALL
    left, right = line_words.MARGIN - TALL // 4, end + TALL // 4
    size = max(1, round((right - left) * by)), max(1, round(ROWS * by))
    ink = np.asarray(cv2.resize(canvas[:, left:right], size, interpolation=cv2.INTER_AREA), np.uint8)
    scaled = [Box(*(round(value * by) for value in box._replace(x=box.x - left))) for box in boxes]
    return Piece(ink, said.first(count).digits, scaled)


def _write(ink: NDArray[np.float32], piece: Piece, x: int, middle: int, row: int) -> list[Placed]:
    """Add a piece to a page, its middle in the row of pixels `middle`; return its digits on the line `row`."""
    y = middle - piece.ink.shape[0] // 2
    top, bottom, right = max(0, y), min(len(ink), y + piece.ink.shape[0]), min(ink.shape[1], x + piece.ink.shape[1])
    part = ink[top:bottom, x:right]
    np.maximum(part, piece.ink[top - y : bottom - y, : right - x], out=part)
    return [Placed(str(digit), box.moved(x, y), row) for digit, box in zip(piece.digits, piece.boxes, strict=True)]


def _grid(
    ink: NDArray[np.float32], lefts: NDArray[np.float64], step: float, tall: float, rng: np.random.Generator
) -> None:  # fmt: skip
    """Rule the rows and columns of a table."""
    dark, pen = float(rng.uniform(60, 255)), max(1, round(rng.uniform(0.03, 0.12) * tall))
    for x in np.rint(lefts).astype(int).tolist():
        cv2.line(ink, (x, 0), (x + int(rng.integers(-3, 4)), len(ink)), dark, pen, cv2.LINE_AA)
    for y in np.arange(step / 2, len(ink), step):
        cv2.line(ink, (0, round(y)), (ink.shape[1], round(y) + int(rng.integers(-3, 4))), dark, pen, cv2.LINE_AA)


def _photographed(ink: NDArray[np.float32], board: bool, rng: np.random.Generator) -> Uint8:
    """Return ink on paper, or chalk on a board, as a camera records it, uint8 (H, W, 3)."""
    style = replace(LOOK, size=(ink.shape[1], ink.shape[0]))
    page = background.blank(style, rng)
    page *= 1 - float(rng.uniform(*CONTRAST)) * ink / 255
    if board and rng.random() < DARK:
        page = 255 - page
    streams = rng.spawn(2)
    return degradation.photographed(lighting.lit(page, style, streams[0]), style, rng, lambda _: streams[1])
