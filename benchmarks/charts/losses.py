"""The strings that a reader lost, as a contact sheet."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy.strings import CAUSES, String, worst
from edge_runtime.records import Frame, Uint8
from edge_runtime.sinks.canvas import MARGIN, ROW, WIDTH, blank, scaled, write
from edge_runtime.sources import pictures

COLUMNS = 4  # strings in a row
CELL = (WIDTH - 2 * MARGIN) // COLUMNS, 112  # (width, height) of each in pixels, caption included
PICTURE = CELL[0] - 2 * MARGIN, CELL[1] - 2 * ROW


def draw(folder: Path, strings: Sequence[String]) -> Uint8:
    """Draw the worst strings by cause, uint8 (H, WIDTH, 3): the true text, the text read, the confidence.

    `folder` holds the pictures. Raises PictureError if one can no longer be read.
    """
    blocks = []
    for cause, why in CAUSES.items():
        lost = [string for string in worst(strings) if string.cause == cause]
        block = blank(2 * ROW + -(-len(lost) // COLUMNS) * CELL[1])
        count = sum(string.cause == cause for string in strings)
        write(block, f"{cause}: {count} ({why})", (MARGIN, ROW), 0.55)
        for i, string in enumerate(lost):
            x, y = MARGIN + i % COLUMNS * CELL[0], 2 * ROW + i // COLUMNS * CELL[1]
            picture = _small(pictures.load(folder / string.truth.file))
            block[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
            read = " / ".join(string.read) or "nothing"
            said = f"{string.truth.lines[0]}, read {read} ({string.confidence:.0%})"
            write(block, said, (x, y + PICTURE[1] + ROW - 4), 0.45, space=CELL[0] - MARGIN)
        blocks.append(block)
    return np.vstack(blocks)


def _small(frame: Frame) -> Uint8:
    """Return a picture scaled to fit PICTURE on the contact sheet, uint8 (H, W, 3)."""
    width, height = frame.size
    by = min(PICTURE[0] / width, PICTURE[1] / height)
    small = scaled(frame.pixels, (max(1, round(width * by)), max(1, round(height * by))))
    return small if small.ndim == 3 else np.asarray(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), np.uint8)
