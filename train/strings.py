"""Draw lines of digits, touching and apart, each in one handwriting, for the network that reads whole lines.

Each line has one pen, one slant and one form of each digit; its digits stand apart, touch, overlap or are joined by
strokes. Signs and letters stand between and beside them, rules run under and through them, and print lies under them.
The drawing is ink, as in the runtime's planes, and passes through the runtime's own `strips.fitted`.
"""

import math
import zlib
from functools import cache
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Uint8
from edge_runtime.vision.normalize import normalize
from edge_runtime.vision.strips import fitted
from train import crops, dataset, fonts, line_words, penmanship, vocabulary
from train.line_ink import bent, seen
from train.line_signs import BAND, INKED, TALL, Hand, cells, paste, rule, sign, stamped, sum_signs, surround, word

Split = Literal["train", "held_out"]

LONGEST = 14  # digits
# Numbers of digits in a line, and the share of lines with each.
COUNTS = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, LONGEST
SHARES = 0.03, 0.06, 0.1, 0.12, 0.13, 0.13, 0.11, 0.08, 0.1, 0.05, 0.05, 0.02, 0.02
MNIST, FORMED = 0.42, 0.36  # shares of lines in MNIST's digits, and mixed with other forms; the rest use typefaces
FORMS, VARIANTS = 60, 16  # digits of every form, and variants of every character of every typeface
# Share of lines that are amounts, with first digits by Benford's law (Newcomb 1881, Benford 1938); share of these
# that end in zeros.
AMOUNTS, ROUND = 0.5, 0.4
# Share of the mixed lines whose 7s have a bar, and whose 1s are of the other forms, most of them with a flag. Without
# these, most flags in drawn lines are those of a 7: of the amounts, 16 had a 1 read as a 7, and 5 a 7 read as a 1.
BARRED = 0.6
CHAINED = 0.5  # share of lines ending in several zeros whose zeros are small, wide and joined
BENFORD = tuple(math.log10(1 + 1 / label) for label in range(1, 10))
SEED = 20_261_128
SUMS = 0.1  # share of lines, outside tables, that are sums: operators and brackets follow half of the digits
WORDED = 0.5  # share of lines that hold words, codes or variables
TABULAR = 0.07  # share of lines in the cells of a table
MARGIN = 6 * TALL  # columns on each side of the line, for its surroundings


class Line(NamedTuple):
    """A strip, uint8 (ROWS, COLUMNS), and the digits on it, left to right."""

    strip: Uint8
    digits: tuple[int, ...]


def draw(ways: tuple[Hand, ...], rng: np.random.Generator) -> Line:
    """Draw a line in one of these hands, as ink in the runtime's planes."""
    band, digits = _band(ways, rng)
    return Line(fitted(seen(band, rng)), digits)


def picture(ways: tuple[Hand, ...], rng: np.random.Generator) -> tuple[Uint8, tuple[int, ...]]:
    """Draw a line as a small picture, uint8 (H, W) gray, dark on light; return it and its digits."""
    band, digits = _band(ways, rng)
    ink = seen(band, rng)
    top, bottom, left, right = rng.integers(0, TALL, 4).tolist()
    ink = np.asarray(cv2.copyMakeBorder(ink, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0), np.uint8)
    by = rng.uniform(0.4, 2.0)
    ink = np.asarray(cv2.resize(ink, None, fx=by, fy=by, interpolation=cv2.INTER_AREA if by < 1 else cv2.INTER_CUBIC))
    paper = rng.uniform(150, 250)
    return np.asarray(np.clip(paper - ink * rng.uniform(0.6, 0.9) * paper / 255, 0, 255), np.uint8), digits


def _band(ways: tuple[Hand, ...], rng: np.random.Generator) -> tuple[Uint8, tuple[int, ...]]:
    """Return the ink of a line and its surroundings, uint8 (BAND, columns), and its digits."""
    what = rng.random()
    if what < MNIST:
        hand = ways[0]
    elif what < MNIST + FORMED:
        own = [ways[rng.integers(2)].digits[label] for label in range(10)]
        if rng.random() < BARRED:
            own[1], own[7] = ways[1].digits[1], penmanship.barred(ways[1].digits[7])
        hand = Hand(tuple(own), ways[0].others, ways[0].letters)
    else:
        hand = ways[rng.integers(2, len(ways))]
    beside = ways[rng.integers(2, len(ways))]
    if beside.words and rng.random() < WORDED:
        return _worded(hand, beside, rng)
    digits = _digits(int(rng.choice(COUNTS, p=SHARES)), rng)
    count = len(digits)
    canvas = np.zeros((BAND, MARGIN * 2 + (count + 2) * TALL * 2), np.uint8)
    if count and rng.random() < TABULAR:
        start, end = _tabulate(canvas, hand, digits, rng)
    else:
        start, end = _write(canvas, hand, digits, beside, rng)
    surround(canvas, hand.digits, beside, (start, end), rng)
    if not count:
        word(canvas, start + TALL, 1, beside, rng)
        end = min(end + 6 * TALL, canvas.shape[1])
    canvas = bent(canvas, rng)
    if rng.random() < 0.2:
        rule(canvas, (start, end), rng)
    # A picture may end at its outer digits, or slightly inside them.
    left = max(0, start - int(rng.uniform(-0.04, 1.2) * TALL))
    right = min(canvas.shape[1], end + int(rng.uniform(-0.04, 1.2) * TALL))
    return np.ascontiguousarray(canvas[:, left : max(left + TALL // 2, right)]), digits


def _worded(hand: Hand, beside: Hand, rng: np.random.Generator) -> tuple[Uint8, tuple[int, ...]]:
    """Return the ink of a line with words, codes or variables, and its digits."""
    canvas, digits, (start, end) = line_words.draw(hand, beside, rng)
    canvas = bent(canvas[:, start - 2 * TALL : end + 2 * TALL], rng)
    start, end = 2 * TALL, canvas.shape[1] - 2 * TALL
    if rng.random() < 0.2:
        rule(canvas, (start, end), rng)
    if digits:
        left, right = (round(rng.uniform(-0.04, 1.2) * TALL) for _ in range(2))
    else:  # a picture or a strip may begin and end within a word
        inside = -0.7 * max(0, end - start - TALL)
        left, right = (round(rng.uniform(inside * share, 1.2 * TALL)) for share in rng.dirichlet((1, 1)))
    return np.ascontiguousarray(canvas[:, max(0, start - left) : end + right]), digits


def _digits(count: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Return `count` digits: those of an amount, or random ones."""
    digits = rng.integers(0, 10, count)
    if count and rng.random() < AMOUNTS:
        digits[0] = rng.choice(range(1, 10), p=BENFORD)
        if count > 2 and rng.random() < ROUND:
            digits[rng.integers(max(1, count - 4), count - 1) :] = 0
    return tuple(digits.tolist())


def _tabulate(canvas: Uint8, hand: Hand, digits: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """Write each digit into a separate cell, leave some cells empty, and return the first and the last column."""
    size, step, slant = TALL * rng.uniform(0.7, 1.1), TALL * rng.uniform(1.3, 1.8), rng.normal(0.05, 0.1)
    space = int((canvas.shape[1] - 2 * MARGIN) / step)
    count = int(rng.integers(len(digits), max(len(digits), space) + 1))
    for place, label in zip(sorted(rng.choice(count, len(digits), replace=False).tolist()), digits, strict=True):
        own = hand.digits[label]
        ink = stamped(own[rng.integers(len(own))], size * rng.lognormal(0, 0.05), slant, rng.uniform(0.8, 1.1), 0.0)
        x = MARGIN + (place + 0.5) * step - ink.shape[1] / 2 + rng.normal(0, 0.06) * TALL
        paste(canvas, ink, round(x), (BAND - ink.shape[0]) // 2 + round(rng.normal(0, 0.05) * TALL))
    cells(canvas, MARGIN, step, count, rng)
    return MARGIN, round(MARGIN + count * step)


def _write(
    canvas: Uint8, hand: Hand, digits: tuple[int, ...], beside: Hand, rng: np.random.Generator
) -> tuple[int, int]:  # fmt: skip
    """Write digits on a canvas, with letters of another hand between them; return the first and the last column."""
    # One long function: a hand's habits hold for the whole line, and the order of the random numbers decides its lines.
    size = TALL * rng.uniform(0.78, 1.2)
    slant, wide = rng.normal(0.08, 0.2), rng.uniform(0.65, 1.35)
    gap = rng.choice([-0.12, 0.0, 0.08, 0.3, 0.7], p=[0.1, 0.25, 0.3, 0.25, 0.1]) * TALL
    unsteady = rng.uniform(0.02, 0.12)
    joined, signs, words, named = rng.random() < 0.15, rng.random() < 0.4, rng.random() < 0.15, rng.random() < 0.08
    summed = rng.random() < SUMS
    sizes, align = rng.lognormal(0, rng.choice([0.03, 0.15]), 10), rng.uniform(0, 1)
    if rng.random() < 0.3:  # a 1 taller than its neighbors
        sizes[1] *= rng.uniform(1.1, 1.6)
    chain = zeros(digits) if rng.random() < CHAINED else len(digits)
    low, broad, close = rng.uniform(0.45, 1.05), rng.uniform(0.9, 1.6), rng.uniform(-0.2, 0.05) * TALL
    first_size = rng.uniform(1.1, 1.35) if rng.random() < 0.15 else 1.0
    # One form of each digit: a few consecutive stamps of its label.
    first = [int(rng.integers(len(own))) for own in hand.digits]
    x = float(MARGIN)
    drop, end = 0.0, MARGIN
    before: Uint8 | None = None
    for number, label in enumerate(digits):
        own = hand.digits[label]
        stamp = own[(first[label] + int(rng.integers(3))) % len(own)]
        own_size = size * sizes[label] * rng.lognormal(0, 0.05) * (1.0 if number else first_size)
        own_wide = wide * rng.lognormal(0, 0.06)
        if number >= chain:
            own_size, own_wide = own_size * low, own_wide * broad
        ink = stamped(stamp, own_size, slant + rng.normal(0, 0.04), own_wide, rng.normal(0, 0.04))
        drop = 0.7 * drop + rng.normal(0, 0.035) * TALL
        top = round((BAND - size) / 2 + (size - ink.shape[0]) * align + drop)
        if before is not None:
            x += _advance(before, ink, (close if number > chain else gap) + rng.normal(0, unsteady) * TALL)
        place = paste(canvas, ink, round(x), top)
        if (joined or number > chain) and before is not None and rng.random() < 0.6:
            _join(canvas, end, round(x) + ink.shape[1] // 3, rng)
        end = place
        before = ink
        x += ink.shape[1]
        if summed and rng.random() < 0.5:
            x = sum_signs(canvas, x, rng)
            before = None
        elif signs and rng.random() < 0.35:
            x = sign(canvas, x, rng)
            before = None
            x += max(0.0, gap)
        elif named and rng.random() < 0.3:
            stamp = beside.others[rng.integers(len(beside.others))]
            ink = stamped(stamp, size * rng.uniform(0.6, 1.1), slant, wide, 0.0)
            x += rng.uniform(0.05, 0.3) * TALL
            x = paste(canvas, ink, round(x), (BAND - ink.shape[0]) // 2) + rng.uniform(0.05, 0.3) * TALL
            before = None
        elif words and rng.random() < 0.3:
            x += rng.uniform(0.8, 1.6) * TALL
            before = None
    return MARGIN, max(MARGIN + 1, round(x))


def zeros(digits: tuple[int, ...]) -> int:
    """Return the index of the first trailing zero if a line ends in several zeros, else its length."""
    count = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return len(digits) - count if count > 1 else len(digits)


def _advance(before: Uint8, ink: Uint8, gap: float) -> float:
    """Return the distance from a digit's right edge to the next digit that makes the least gap between their ink `gap`.

    Both are centered on the same row.
    """
    rows = 16
    edges = []
    for image, ahead in ((before, True), (ink, False)):
        inked = image[np.linspace(0, image.shape[0] - 1, rows).astype(int)] > INKED
        inked = inked[:, ::-1] if ahead else inked
        edges.append(np.where(inked.any(axis=1), inked.argmax(axis=1), image.shape[1]))
    space = float((edges[0] + edges[1]).min())
    return float(max(gap - space, -0.5 * min(before.shape[1], ink.shape[1])))


def _join(canvas: Uint8, x: int, end: int, rng: np.random.Generator) -> None:
    """Draw the stroke of a pen that stays on the paper between two digits."""
    y = BAND // 2 + round(rng.uniform(-0.3, 0.45) * TALL)
    other = BAND // 2 + round(rng.uniform(-0.4, 0.3) * TALL)
    cv2.line(canvas, (x - 4, y), (end, other), int(rng.integers(150, 255)), int(rng.integers(2, 6)), cv2.LINE_AA)


@cache
def hands(split: Split) -> tuple[Hand, ...]:
    """Return the hands of a split: MNIST's digits first, then other forms, then one hand per typeface."""
    rng = np.random.default_rng([SEED, zlib.crc32(split.encode())])
    digits, drawn = dataset.load(split), penmanship.write(FORMS, rng)
    nothing = np.zeros((0, 28, 28), np.uint8)
    made = [
        Hand(tuple(each.images[each.labels == label] for label in range(10)), nothing, nothing)
        for each in (digits, drawn)
    ]
    for name in fonts.names(split == "held_out"):
        own = tuple(_varied(name, character, VARIANTS, rng) for character in fonts.DIGITS)
        others, like = (np.concatenate([_varied(name, character, 1, rng) for character in characters])
                        for characters in (fonts.LETTERS, fonts.LOOK_ALIKE))  # fmt: skip
        made.append(Hand(own, others, np.concatenate([others, like]), name, vocabulary.words(split == "held_out")))
    return tuple(made)


def _varied(name: str, character: str, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.array([normalize(crops.vary(fonts.stamp(name, character), rng)) for _ in range(count)], np.uint8)
