"""Positions of the digits on a page: lines, words, touching digits, and sums."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages import distractors
from edge_runtime.pages.strokes import Ink, Item, break_strokes, enlarge, is_visible, measure, write
from edge_runtime.pages.style import PageStyle, Streams
from edge_runtime.records import Uint8


class DoNotFit(ValueError):
    """The digits do not fit on the page."""


class Laid(NamedTuple):
    """Digits as items named by their labels, the line and word of each, and the other items."""

    digits: list[Item]
    places: list[tuple[int, int]]
    others: list[Item]


def lay_out(
    images: Uint8,
    labels: Sequence[int] | Uint8,
    rng: np.random.Generator,
    streams: Streams,
    style: PageStyle,
    digit_height: float,
) -> Laid:
    """Return the digits in lines; in the layout "sum", with signs between words.

    `images` is uint8 (N, 28, 28), ink bright on 0. Raises DoNotFit.
    """
    # One long loop: where a digit lies, and the order of the random draws, depend on all digits before it.
    width, height = style.size
    spreads, words, groups, breaks = (streams(name) for name in ("spread", "words", "touching", "gaps"))
    enlarged = writer(images, streams, style)
    gap_width = (style.gap_width[0] * digit_height, style.gap_width[1] * digit_height)
    items: list[Item] = []
    places: list[tuple[int, int]] = []
    x, top, line = _margin(rng, digit_height), _margin(rng, digit_height), 0
    word, word_left, group_left = 0, _length(style.word_length, words), 0
    edge = np.full(height, -1)  # the last inked column of each row, in the group of touching digits so far
    for i, label in zip(range(len(images)), labels, strict=True):
        smaller = float(spreads.uniform(*style.spread))
        stamp = enlarged(i, digit_height * float(rng.uniform(0.85, 1.15)) * smaller)
        rows, columns = stamp.shape
        if not places or places[-1][0] != line:
            x = min(x, max(0.0, width - columns))
        elif x + columns >= width - digit_height / 4:
            x, top, line = _margin(rng, digit_height), top + digit_height * 1.6 * style.spread[1], line + 1
            word, word_left, group_left = 0, _length(style.word_length, words), 0
        y = int(top + rng.uniform(-0.12, 0.12) * digit_height + (style.spread[1] - smaller) * digit_height)
        if line == 0:
            y = min(y, max(0, height - rows))
        if x + columns > width or y < 0 or y + rows > height:
            raise DoNotFit(f"{len(images)} digits {digit_height:.0f} pixels high do not fit on {width}x{height}")
        if group_left:
            x, group_left = _against(stamp, y, edge, x) - float(groups.integers(2)), group_left - 1
        else:
            edge[:] = -1
            if groups.random() < style.touching / (3 - 2 * style.touching):
                group_left = int(groups.integers(1, 4))
        _extend(edge, stamp, int(x), y)
        if style.gaps:
            stamp = break_strokes(stamp, style.gaps, gap_width, breaks)
        items.append(Item(str(label), stamp, int(x), y))
        places.append((line, word))
        gap = float(rng.uniform(*style.gap))
        word_left -= 1
        if word_left == 0:
            gap = float(words.uniform(*style.word_gap))
            word, word_left, group_left = word + 1, _length(style.word_length, words), 0
        x = x + columns + digit_height * gap
    if style.drift:
        items = _moved(items, style.size, streams("drift"))
    signs = _signs(items, places, digit_height, streams("signs")) if style.layout == "sum" else []
    return Laid(items, places, signs)


def _moved(items: list[Item], size: tuple[int, int], rng: np.random.Generator) -> list[Item]:
    """Shift all items together to a random place within the page."""
    right = max((item.box.right for item in items), default=0)
    bottom = max((item.box.bottom for item in items), default=0)
    x, y = (int(rng.integers(max(0, free) + 1)) for free in (size[0] - right, size[1] - bottom))
    return [item._replace(x=item.x + x, y=item.y + y) for item in items]


def _signs(
    items: Sequence[Item], places: Sequence[tuple[int, int]], digit_height: float, rng: np.random.Generator
) -> list[Item]:
    """Return arithmetic signs in the gaps between the words of a line, and after some lines."""
    signs = []
    for (one, here), (other, there) in pairwise(zip(items, places, strict=True)):
        if here == there:
            continue
        left = one.box.right
        right = other.x if here[0] == there[0] else left + 1.4 * digit_height
        ink = distractors.sign(str(rng.choice(list(distractors.SIGNS))), digit_height, rng)
        if ink.shape[1] < right - left:
            x = round((left + right - ink.shape[1]) / 2)
            signs.append(Item("signs", ink, x, round(one.y + (one.ink.shape[0] - ink.shape[0]) / 2)))
    return signs


def _margin(rng: np.random.Generator, digit_height: float) -> float:
    return digit_height * float(rng.uniform(0.4, 0.9))


def _length(span: tuple[int, int] | None, rng: np.random.Generator) -> int:
    """Return the number of digits in the next word; -1, which never counts down to 0, for lines without words."""
    return -1 if span is None else int(rng.integers(span[0], span[1] + 1))


def writer(images: Uint8, streams: Streams, style: PageStyle) -> Callable[[int, float], Ink]:
    """Return a function that draws an image, given its index and a height."""
    if style.pen is None or not len(images):
        return lambda i, height: enlarge(images[i], height)
    pen = float(streams("pen").uniform(*style.pen))
    measured = measure(images)
    return lambda i, height: write(measured[i], pen, height)


def _inked(stamp: Ink) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of a stamp with visible ink, and the ink's first and last column in each."""
    inked = is_visible(stamp)
    rows = np.flatnonzero(inked.any(axis=1))
    return rows, inked.argmax(axis=1)[rows], (stamp.shape[1] - 1 - inked[:, ::-1].argmax(axis=1))[rows]


def _against(stamp: Ink, y: int, edge: NDArray[np.int_], x: float) -> float:
    """Return the column where a stamp's ink first overlaps the ink before it; `x` where it never does."""
    rows, first, _ = _inked(stamp)
    before = edge[y + rows]
    shared = before >= 0
    return float((before - first)[shared].max()) if shared.any() else x


def _extend(edge: NDArray[np.int_], stamp: Ink, x: int, y: int) -> None:
    rows, _, last = _inked(stamp)
    edge[y + rows] = np.maximum(edge[y + rows], x + last)
