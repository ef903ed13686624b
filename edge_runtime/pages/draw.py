"""Draws seeded pages of handwriting, with exact ground truth, from given digits."""

import copy
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from edge_runtime.pages import background, degradation, lighting
from edge_runtime.pages.camera import Pose, pose, seen
from edge_runtime.pages.cells import lay_cells
from edge_runtime.pages.desk import lay_on_desk
from edge_runtime.pages.distractors import script
from edge_runtime.pages.layout import lay_out
from edge_runtime.pages.placement import scatter, scatter_things
from edge_runtime.pages.strokes import VISIBLE, Ink, Item, visible
from edge_runtime.pages.style import THINGS, PageStyle, Streams
from edge_runtime.records import Box, Uint8

__all__ = ["VISIBLE", "Other", "Page", "PageStyle", "Placed", "draw_page"]

DEFAULT = PageStyle()


@dataclass(frozen=True, slots=True)
class Placed:
    """A digit on a page: its label, the box of its visible ink, its line from 0 at the top, and its word in the line.

    The box covers only the digit's own ink, even where other digits touch it.
    """

    label: str
    box: Box
    line: int
    word: int = 0


class Other(NamedTuple):
    """A distractor on a page: its name, one of DISTRACTORS, and the box of its ink within the picture."""

    name: str
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A drawn page: `pixels` uint8 (H, W, 3) blue-green-red, its digits in reading order, and its distractors."""

    pixels: Uint8
    digits: tuple[Placed, ...]
    others: tuple[Other, ...] = ()

    @property
    def text(self) -> tuple[str, ...]:
        """The lines of digits, top to bottom, with one space between words."""
        lines: list[str] = []
        for i, digit in enumerate(self.digits):
            if i == 0 or digit.line != self.digits[i - 1].line:
                lines += [""] * (digit.line + 1 - len(lines))
            elif digit.word != self.digits[i - 1].word:
                lines[digit.line] += " "
            lines[digit.line] += digit.label
        return tuple(lines)


def draw_page(
    images: Uint8,
    labels: Sequence[int] | Uint8,
    rng: np.random.Generator,
    style: PageStyle = DEFAULT,
    stamps: Sequence[Uint8] | None = None,
    ground: Uint8 | None = None,
) -> Page:
    """Draw a page with these digits, in this order, left to right and line by line.

    `images` is uint8 (N, 28, 28), ink bright on 0; `labels` holds N numbers. `stamps` are the glyphs for letters and
    words, each uint8 (rows, columns), ink bright on 0, all of one font size; None for letters of OpenCV's script
    fonts. `ground`, uint8 (h, w, 3), replaces the desk that a style draws. The same generator state gives the same
    page. Raises ValueError (`layout.DoNotFit`) where the digits do not fit on the page.
    """
    # A list of steps, each drawn over those before; the pages of a seed depend on their order.
    streams = _streams(rng)
    digit_height = float(rng.uniform(*style.digit_height))
    letters = script() if stamps is None else stamps
    if style.layout in ("lines", "sum"):
        laid = lay_out(images, labels, rng, streams, style, digit_height)
    else:
        laid = lay_cells(images, labels, streams, style, digit_height, letters)
    boxes = [visible(item.ink, item.x, item.y) for item in laid.digits]
    wanted = [(name, count) for name, count in style.distractors if name not in (*THINGS, "table")]
    taken = [*boxes, *(item.box for item in laid.others)]
    scattered = scatter(wanted, taken, style.size, digit_height, streams("distractors"), letters) if wanted else []
    view = pose(style, boxes, streams("pose"))
    digits, others = ([_seen(item, view) for item in items] for items in (laid.digits, [*laid.others, *scattered]))
    shown = [visible(item.ink, item.x, item.y) for item in digits]
    page = background.blank(style, rng)
    background.print_on(page, style, boxes, digit_height, view, streams("printed"))
    if style.flap:
        background.fold(page, view, streams("flap"))
    _write(page, _ink([*digits, *others], style.size), rng, streams, style)
    if style.light_on_dark:
        np.subtract(255, page, out=page)
    if style.board:
        background.darken(page, boxes, style.board, view, streams("board"))
    for item in others:
        _lay_on(page, item)
    named = [Other(item.name, box) for item in others if (box := _shown(item, style.size))]
    if dict(style.distractors).get("table"):
        taken += [item.box for item in scattered]
        named += [Other("table", box) for box in background.lay_on_table(page, taken, view, streams("table"))]
    if style.desk and view is not None:
        lay_on_desk(page, style, view, streams("desk"), ground)
    things = [(name, count) for name, count in style.distractors if name in THINGS]
    for item in scatter_things(things, shown, style.size, streams("things")) if things else []:
        _lay_on(page, item)
        named += [Other(item.name, box)] if (box := _shown(item, style.size)) else []
    if not lighting.is_plain(style):
        page = lighting.lit(page, style, streams("light"))
    truth = (Placed(item.name, box, *place) for item, box, place in zip(digits, shown, laid.places, strict=True))
    return Page(degradation.photographed(page, style, rng, streams), tuple(truth), tuple(named))


def _streams(rng: np.random.Generator) -> Streams:
    """Return a function that gives each feature its own generator, seeded by the unchanged state of `rng`."""
    seed = copy.deepcopy(rng).integers(2**32, size=4).tolist()
    return lambda name: np.random.default_rng([*seed, zlib.crc32(name.encode())])


def _seen(item: Item, view: Pose | None) -> Item:
    ink, x, y = seen(item.ink, item.x, item.y, view)
    paint = None if item.paint is None else seen(item.paint, item.x, item.y, view)[0]
    return Item(item.name, ink, x, y, paint)


def _write(page: background.Page, ink: Ink, rng: np.random.Generator, streams: Streams, style: PageStyle) -> None:
    """Draw ink with the page's pen, in place."""
    color = style.inks[rng.integers(len(style.inks))]
    if style.contrast is not None:
        page *= 1 - float(streams("contrast").uniform(*style.contrast)) * ink
        return
    bare, written = 1 - ink, ink.astype(np.float64)
    for plane, channel in zip(page, color, strict=True):
        plane *= bare
        plane += channel * written


def _ink(items: Sequence[Item], size: tuple[int, int]) -> Ink:
    """Return the ink of all pen-drawn items, 0-1, as float32 (H, W)."""
    ink = np.zeros(size[::-1], np.float32)
    for item in items:
        if item.paint is None:
            here, of_item = _overlap(item, size)
            np.maximum(ink[here], item.ink[of_item], out=ink[here])
    return ink


def _lay_on(page: background.Page, item: Item) -> None:
    """Draw an item with its own colors on the page, in place."""
    if item.paint is not None:
        here, of_item = _overlap(item, (page.shape[2], page.shape[1]))
        covered = page[:, *here]
        covered += (np.moveaxis(item.paint[of_item], -1, 0) - covered) * item.ink[of_item]


def _overlap(item: Item, size: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the part of the picture that an item covers, and the part of the item within the picture."""
    here = item.box.within(size)
    return here.slices, here.moved(-item.x, -item.y).slices


def _shown(item: Item, size: tuple[int, int]) -> Box | None:
    """Return the box of an item's ink within the picture, faint ink included; None without ink."""
    here, of_item = _overlap(item, size)
    x, y, width, height = cv2.boundingRect((item.ink[of_item] > 1e-3).astype(np.uint8))
    return Box(x, y, width, height).moved(here[1].start, here[0].start) if width else None
