"""Printed letters as distractors, from typefaces used nowhere else in this project."""

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge_runtime.pages.distractors import LETTERS
from edge_runtime.records import Uint8

# matplotlib ships them: DejaVu, STIX and Computer Modern.
TYPEFACES = ("DejaVuSans", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralItalic", "cmr10", "cmti10", "cmss10")
SIZE = 64  # pixels to the em


@cache
def stamps(typeface: str) -> tuple[Uint8, ...]:
    """Return LETTERS in one of the TYPEFACES: each uint8 (rows, columns), ink bright on 0, cut to its ink."""
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{typeface}.ttf")
    font = ImageFont.truetype(str(path), SIZE)
    drawn = []
    for letter in LETTERS:
        canvas = Image.new("L", (3 * SIZE, 3 * SIZE))
        ImageDraw.Draw(canvas).text((SIZE, SIZE), letter, fill=255, font=font)
        drawn.append(np.asarray(canvas.crop(canvas.getbbox()), np.uint8))
    return tuple(drawn)
