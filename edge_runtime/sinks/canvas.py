"""Building blocks of a large picture: text, scaled pictures, and crops in a grid."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_runtime.records import Uint8
from edge_runtime.sinks.draw import FONT, Color

WIDTH = 1600  # pixels, of every block
MARGIN = 12
ROW = 20  # pixels from one line of text to the next
CROP = 3  # enlargement of the network's 28x28 pixels
CELL = (112, 156)  # (width, height) of a crop with its captions
FRAME = 4  # pixels of a crop's colored frame

PAPER: Color = (255, 255, 255)
TEXT: Color = (40, 40, 40)
PALE: Color = (120, 120, 120)


def blank(height: int) -> Uint8:
    """Return an empty block, uint8 (height, WIDTH, 3)."""
    return np.full((height, WIDTH, 3), PAPER, np.uint8)


def write(
    block: Uint8, text: str, at: tuple[int, int], size: float, color: Color = TEXT, space: int = WIDTH - 2 * MARGIN
) -> None:
    """Write text into `block` in place, its baseline starting at (x, y), shortened to `space` pixels.

    The font has ASCII only: other characters become question marks.
    """
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in text[:WIDTH])
    shown, kept = text, len(text)
    while kept and cv2.getTextSize(shown, FONT, size, 1)[0][0] > space:
        kept -= 1
        shown = f"{text[:kept]}..."
    cv2.putText(block, shown, at, FONT, size, color, 1, cv2.LINE_AA)


def scaled(picture: Uint8, size: tuple[int, int]) -> Uint8:
    """Return a picture, uint8 (H, W) or (H, W, 3), scaled to this size, (width, height).

    Where it is enlarged 2 times or more, its pixels stay squares.
    """
    times = size[0] / picture.shape[1]
    how = cv2.INTER_AREA if times < 1 else cv2.INTER_LINEAR if times < 2 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, size, interpolation=how), dtype=np.uint8)


def cell(image: Uint8, lines: Sequence[str], color: Color) -> Uint8:
    """Return a network input, uint8 (28, 28), CROP times as large in a frame, above up to three lines of text.

    The result is uint8 (CELL[1], CELL[0], 3).
    """
    side = CROP * image.shape[0] + 2 * FRAME
    block = np.full((CELL[1], CELL[0], 3), PAPER, np.uint8)
    block[:side, :side] = color
    block[FRAME : side - FRAME, FRAME : side - FRAME] = np.kron(image, np.ones((CROP, CROP), np.uint8))[..., None]
    for i, line in enumerate(lines):
        size, paint = (0.4, PALE) if i else (0.5, TEXT)
        write(block, line, (0, side + 15 + 17 * i), size, paint, CELL[0])
    return block


def grid(title: str, cells: Sequence[Uint8], color: Color) -> Uint8:
    """Return cells in rows below a title, uint8 (H, WIDTH, 3)."""
    across = (WIDTH - 2 * MARGIN) // CELL[0]
    block = blank(2 * ROW + -(-len(cells) // across) * CELL[1])
    write(block, title, (MARGIN, 26), 0.55, color if cells else PALE)
    for i, picture in enumerate(cells):
        x, y = MARGIN + i % across * CELL[0], 2 * ROW + i // across * CELL[1]
        block[y : y + CELL[1], x : x + CELL[0]] = picture
    return block
