"""Lines of digits as one hand writes them, touching and apart, for the network that reads a line as a whole.

Each line has one pen, one slant and one way to write each digit; its digits stand apart, touch, overlap or are joined
by strokes. Signs and letters stand between and beside them, rules run under and through them, and print lies under
them. What is drawn is ink, as the runtime's planes hold it, and goes through the runtime's own `strips.fitted`.
"""

import zlib
from functools import cache
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Uint8
from edge_runtime.vision.normalize import normalize
from edge_runtime.vision.strips import HIGH, ROWS, fitted
from train import crops, dataset, fonts, penmanship

Split = Literal["train", "held_out"]

SCALE = 2  # lines are drawn at so many times the size of the strip
BAND = SCALE * ROWS
TALL = SCALE * HIGH  # pixels: a digit's height as it is drawn
LONGEST = 14  # digits
# How many digits a line has, and which share of the lines.
COUNTS = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, LONGEST
SHARES = 0.03, 0.06, 0.1, 0.12, 0.13, 0.13, 0.11, 0.08, 0.1, 0.05, 0.05, 0.02, 0.02
MNIST, FORMED = 0.5, 0.25  # of the lines, in MNIST's digits, and in these mixed with other forms; others in typefaces
FORMS, VARIANTS = 60, 16  # of every form, and of every character of every typeface
SEED = 20_261_128
MARGIN = 6 * TALL  # columns beside the line, for what stands there


class Hand(NamedTuple):
    """Stamps of one way to write, uint8 (N, 28, 28) in the 28x28 contract: of each digit, and of letters."""

    digits: tuple[NDArray[np.uint8], ...]
    others: NDArray[np.uint8]


class Line(NamedTuple):
    """A strip, uint8 (ROWS, COLUMNS), and the digits on it, left to right."""

    strip: Uint8
    digits: tuple[int, ...]


def draw(ways: tuple[Hand, ...], rng: np.random.Generator) -> Line:
    """Draw a line in one of these hands, as the runtime's planes hold its ink."""
    band, digits = _band(ways, rng)
    return Line(fitted(_seen(band, rng)), digits)


def picture(ways: tuple[Hand, ...], rng: np.random.Generator) -> tuple[Uint8, tuple[int, ...]]:
    """Draw a line as a small picture, uint8 (H, W) gray, dark on light, and return its digits too."""
    band, digits = _band(ways, rng)
    ink = _seen(band, rng)
    top, bottom, left, right = rng.integers(0, TALL, 4).tolist()
    ink = np.asarray(cv2.copyMakeBorder(ink, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0), np.uint8)
    by = rng.uniform(0.4, 2.0)
    ink = np.asarray(cv2.resize(ink, None, fx=by, fy=by, interpolation=cv2.INTER_AREA if by < 1 else cv2.INTER_CUBIC))
    paper = rng.uniform(150, 250)
    return np.asarray(np.clip(paper - ink * rng.uniform(0.6, 0.9) * paper / 255, 0, 255), np.uint8), digits


def _band(ways: tuple[Hand, ...], rng: np.random.Generator) -> tuple[Uint8, tuple[int, ...]]:
    """Return the ink of a line and of what is beside it, uint8 (BAND, columns), and its digits."""
    what = rng.random()
    if what < MNIST:
        hand = ways[0]
    elif what < MNIST + FORMED:
        own = [ways[rng.integers(2)].digits[label] for label in range(10)]
        hand = Hand(tuple(own), ways[0].others)
    else:
        hand = ways[rng.integers(2, len(ways))]
    others = ways[rng.integers(2, len(ways))].others
    count = int(rng.choice(COUNTS, p=SHARES))
    digits = tuple(int(label) for label in rng.integers(0, 10, count))
    if count > 2 and rng.random() < 0.2:  # round amounts
        digits = (*digits[:-2], 0, 0)
    canvas = np.zeros((BAND, MARGIN * 2 + (count + 2) * TALL * 2), np.uint8)
    start, end = _write(canvas, hand, digits, rng)
    _beside(canvas, hand, others, (start, end), rng)
    canvas = _bent(canvas, rng)
    if rng.random() < 0.2:
        _rules(canvas, (start, end), rng)
    left = max(0, start - int(rng.uniform(0.1, 1.2) * TALL))
    right = min(canvas.shape[1], end + int(rng.uniform(0.1, 1.2) * TALL))
    return np.ascontiguousarray(canvas[:, left:right]), digits


def _write(canvas: Uint8, hand: Hand, digits: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
    """Write digits on a canvas, and return the first and the last column that they cover."""
    size = TALL * rng.uniform(0.78, 1.2)
    slant, wide = rng.normal(0, 0.15), rng.uniform(0.65, 1.15)
    gap, unsteady = (
        rng.choice([-0.12, 0.0, 0.08, 0.3, 0.7], p=[0.2, 0.25, 0.25, 0.2, 0.1]) * TALL,
        rng.uniform(0.02, 0.12),
    )
    joined, signs, words = rng.random() < 0.15, rng.random() < 0.4, rng.random() < 0.15
    sizes, align = rng.lognormal(0, rng.choice([0.03, 0.15]), 10), rng.uniform(0, 1)
    # One way to write each digit: a few neighbors among the stamps of its label.
    first = [int(rng.integers(len(own))) for own in hand.digits]
    x = float(MARGIN)
    drop, end = 0.0, MARGIN
    before: Uint8 | None = None
    for label in digits:
        own = hand.digits[label]
        stamp = own[(first[label] + int(rng.integers(3))) % len(own)]
        own_size = size * sizes[label] * rng.lognormal(0, 0.05)
        ink = _stamped(stamp, own_size, slant + rng.normal(0, 0.04), wide * rng.lognormal(0, 0.06), rng.normal(0, 0.04))
        drop = 0.7 * drop + rng.normal(0, 0.035) * TALL
        top = round((BAND - size) / 2 + (size - ink.shape[0]) * align + drop)
        if before is not None:
            x += _advance(before, ink, gap + rng.normal(0, unsteady) * TALL)
        place = _paste(canvas, ink, round(x), top)
        if joined and before is not None and rng.random() < 0.6:
            _join(canvas, end, round(x) + ink.shape[1] // 3, rng)
        end = place
        before = ink
        x += ink.shape[1]
        if signs and rng.random() < 0.35:
            x = _sign(canvas, x, rng)
            before = None
            x += max(0.0, gap)
        elif words and rng.random() < 0.3:
            x += rng.uniform(0.8, 1.6) * TALL
            before = None
    return MARGIN, max(MARGIN + 1, round(x))


def _stamped(stamp: Uint8, size: float, slant: float, wide: float, turn: float) -> Uint8:
    """Return a stamp so high that its 20 pixels are `size`, leaning and turned, cut to its ink."""
    scale = size / 20
    side = int(48 * scale)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = linear @ np.array([[wide, -slant], [0, 1]])
    middle = np.array([14.0, 14.0])
    shift = np.array([side / 2, side / 2]) - linear @ middle
    ink = cv2.warpAffine(stamp, np.column_stack([linear, shift]), (side, side), flags=cv2.INTER_CUBIC)
    x, y, width, height = cv2.boundingRect(cv2.threshold(ink, 60, 255, cv2.THRESH_BINARY)[1])
    return np.asarray(ink[y : y + max(1, height), x : x + max(1, width)], np.uint8)


def _advance(before: Uint8, ink: Uint8, gap: float) -> float:
    """Return how far behind a digit's right edge the next begins, so that between their ink is `gap` where it is least.

    Both are centered on the same row.
    """
    rows = 16
    edges = []
    for image, ahead in ((before, True), (ink, False)):
        small = cv2.resize(image, (image.shape[1], max(1, image.shape[0])), interpolation=cv2.INTER_NEAREST) > 60
        half = np.linspace(0, small.shape[0] - 1, rows).astype(int)
        flipped = small[half][:, ::-1] if ahead else small[half]
        edges.append(np.where(flipped.any(axis=1), flipped.argmax(axis=1), small.shape[1]))
    room = float((edges[0] + edges[1]).min())
    return float(max(gap - room, -0.5 * min(before.shape[1], ink.shape[1])))


def _paste(canvas: Uint8, ink: Uint8, x: int, y: int) -> int:
    """Add ink to a canvas, cut off at its edges, and return the column behind it."""
    top, left = max(0, y), max(0, x)
    bottom, right = min(canvas.shape[0], y + ink.shape[0]), min(canvas.shape[1], x + ink.shape[1])
    if bottom > top and right > left:
        part = canvas[top:bottom, left:right]
        np.maximum(part, ink[top - y : bottom - y, left - x : right - x], out=part)
    return int(right)


def _join(canvas: Uint8, x: int, end: int, rng: np.random.Generator) -> None:
    """Draw the stroke that a pen leaves that is not lifted between two digits."""
    y = BAND // 2 + round(rng.uniform(-0.3, 0.45) * TALL)
    other = BAND // 2 + round(rng.uniform(-0.4, 0.3) * TALL)
    cv2.line(canvas, (x - 4, y), (end, other), int(rng.integers(150, 255)), int(rng.integers(2, 6)), cv2.LINE_AA)


def _sign(canvas: Uint8, x: float, rng: np.random.Generator) -> float:
    """Draw a sign that is no digit behind column `x`, and return the column behind it."""
    kind = rng.choice(["dot", "comma", "dash", "equals", "slash", "colon", "apostrophe"],
                      p=[.3, .2, .2, .1, .06, .06, .08])  # fmt: skip
    dark, pen = int(rng.integers(170, 256)), int(rng.integers(3, 8))
    low, middle = BAND // 2 + round(rng.uniform(0.35, 0.6) * TALL), BAND // 2 + round(rng.normal(0, 0.08) * TALL)
    at = round(x + rng.uniform(0.02, 0.25) * TALL) + pen
    wide = round(rng.uniform(0.25, 0.7) * TALL)

    def line(x1: int, y1: int, x2: int, y2: int) -> int:
        cv2.line(canvas, (x1, y1), (x2, y2), dark, pen, cv2.LINE_AA)
        return max(x1, x2)

    lean = round(rng.uniform(-0.1, 0.1) * TALL)
    match kind:
        case "dot":
            end = line(at, low, at + int(rng.integers(0, 3)), low)
        case "comma":
            end = max(at, line(at, low, at - round(rng.uniform(0.05, 0.15) * TALL), low + round(0.2 * TALL)))
        case "dash":
            end = line(at, middle + lean, at + wide, middle)
        case "equals":
            line(at, middle - round(0.12 * TALL), at + wide, middle - round(0.12 * TALL) + lean)
            end = line(at, middle + round(0.12 * TALL), at + wide, middle + round(0.12 * TALL))
        case "slash":
            end = line(at, BAND // 2 + round(0.6 * TALL), at + round(0.55 * TALL), BAND // 2 - round(0.6 * TALL))
        case "colon":
            line(at, middle - round(0.25 * TALL), at, middle - round(0.25 * TALL))
            end = line(at, middle + round(0.3 * TALL), at, middle + round(0.3 * TALL))
        case _:
            top = BAND // 2 - round(0.5 * TALL)
            end = line(at, top, at - 2, top + round(0.15 * TALL))
    return float(end + pen + rng.uniform(0.02, 0.2) * TALL)


def _beside(
    canvas: Uint8, hand: Hand, others: NDArray[np.uint8], ends: tuple[int, int], rng: np.random.Generator
) -> None:
    """Draw what stands at the ends of a line, and reaches into it from the lines above and below."""
    start, end = ends
    pen = int(rng.integers(2, 7))
    for side in (-1, 1):
        x = (start if side < 0 else end) + side * round(rng.uniform(0.1, 0.5) * TALL)
        what = rng.random()
        if what < 0.12:  # the long stroke that fills an amount up
            y = BAND // 2 + round(rng.normal(0, 0.12) * TALL)
            points = [(x + side * k * TALL // 2, y + round(rng.normal(0, 0.06) * TALL)) for k in range(8)]
            cv2.polylines(canvas, [np.array(points, np.int32)], False, int(rng.integers(150, 256)), pen, cv2.LINE_AA)
        elif what < 0.2:  # = or #
            for dy in (-0.13, 0.13):
                y = BAND // 2 + round((dy + rng.normal(0, 0.03)) * TALL)
                far = x + side * round(rng.uniform(0.4, 1.2) * TALL)
                cv2.line(canvas, (x, y), (far, y), int(rng.integers(170, 256)), pen, cv2.LINE_AA)
        elif what < 0.32:
            ink = _stamped(others[rng.integers(len(others))], TALL * rng.uniform(0.7, 1.2), 0.1, 1.0, 0.0)
            _paste(canvas, ink, x if side > 0 else x - ink.shape[1], (BAND - ink.shape[0]) // 2)
        elif what < 0.37:  # the edge of a box
            cv2.line(canvas, (x, 0), (x + int(rng.integers(-3, 4)), BAND), int(rng.integers(100, 256)), pen)
    if rng.random() < 0.15:
        for _ in range(rng.integers(1, 5)):
            own = hand.digits[rng.integers(10)]
            ink = _stamped(own[rng.integers(len(own))], float(TALL), 0.0, 1.0, 0.0)
            y = BAND - int(rng.integers(3, 10)) if rng.random() < 0.5 else int(rng.integers(3, 10)) - ink.shape[0]
            _paste(canvas, ink, int(rng.integers(start, end + 1)), y)


def _bent(canvas: Uint8, rng: np.random.Generator) -> Uint8:
    """Return a line with another pen, tilted, and with a baseline that wanders."""
    pen = int(rng.choice([-4, -3, -2, 0, 1, 2, 3], p=[0.15, 0.2, 0.15, 0.2, 0.12, 0.1, 0.08]))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(pen) + 1, abs(pen) + 1))
    if pen > 0:
        canvas = np.asarray(cv2.dilate(canvas, kernel), np.uint8)
    elif pen < 0:  # what is too thin for erosion stays as it is
        thinner = cv2.erode(canvas, kernel)
        canvas = np.asarray(cv2.max(thinner, cv2.subtract(canvas, cv2.dilate(thinner, kernel))), np.uint8)
    rows, columns = canvas.shape
    along = np.arange(columns, dtype=np.float32)
    rise = rng.normal(0, 0.02) * (along - columns / 2)
    wave = rng.normal(0, 0.05) * TALL * np.sin(along * rng.uniform(0.5, 2.0) / TALL + rng.uniform(0, 6.3))
    y = np.arange(rows, dtype=np.float32)[:, None] + (rise + wave + rng.normal(0, 0.05) * TALL)[None].astype(np.float32)
    x = np.broadcast_to(along[None], (rows, columns)) + rng.normal(0, 0.03) * (y - rows / 2)
    return np.asarray(cv2.remap(canvas, x.astype(np.float32), y, cv2.INTER_LINEAR), np.uint8)


def _rules(canvas: Uint8, ends: tuple[int, int], rng: np.random.Generator) -> None:
    """Draw a rule under, through or over a line, or the walls of boxes around its digits."""
    start, end = ends
    dark, pen = int(rng.integers(60, 256)), int(rng.integers(1, 5))
    if rng.random() < 0.75:
        y = BAND // 2 + round(rng.choice([-0.6, 0.0, 0.55, 0.65]) * TALL + rng.normal(0, 0.05) * TALL)
        cv2.line(canvas, (0, y), (canvas.shape[1], y + int(rng.integers(-4, 5))), dark, pen, cv2.LINE_AA)
    else:
        step = round(rng.uniform(0.9, 1.4) * TALL)
        for x in range(start - step // 2, end + step, step):
            cv2.line(canvas, (x, 0), (x, BAND), dark // 2, pen, cv2.LINE_AA)


def _seen(canvas: Uint8, rng: np.random.Generator) -> Uint8:
    """Return a line of ink as a camera gives it: uneven, on print, blurred, of few pixels, noisy."""
    rows, columns = canvas.shape
    ink: NDArray[Any] = canvas.astype(np.float32) * rng.uniform(0.25, 1.0)
    if rng.random() < 0.5:  # a pen that runs dry here and there
        rough = cv2.resize(rng.uniform(0.65, 1.0, (max(2, rows // 10), max(2, columns // 10))).astype(np.float32),
                           (columns, rows), interpolation=cv2.INTER_CUBIC)  # fmt: skip
        ink *= rough
    if rng.random() < 0.35:
        ink = np.maximum(ink, _print(rows, columns, rng) * float(ink.max()) * rng.uniform(0.1, 0.5))
    sigma = rng.uniform(0.4, 2.6)
    ink = cv2.GaussianBlur(ink, (0, 0), sigma)
    if rng.random() < 0.4:
        few = rng.uniform(0.3, 0.8)
        small = cv2.resize(ink, (max(8, round(columns * few)), round(rows * few)), interpolation=cv2.INTER_AREA)
        ink = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.6:
        ink = ink + rng.normal(0, rng.uniform(1, 12), (rows, columns)).astype(np.float32)
    ink = ink - rng.uniform(0, 12)
    return np.asarray(np.clip(ink, 0, 255), np.uint8)


def _print(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return what is printed under a line, float32 (rows, columns), 0-1: stripes, waves or dots, in places."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    angle, step = rng.uniform(0, np.pi), rng.uniform(4, 20)
    across = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(0, 6) * np.sin(x / rng.uniform(6, 40))
    stripes = np.clip(np.sin(across * 2 * np.pi / step) * 2 - 0.6, 0, 1)
    if rng.random() < 0.4:
        along = -x * np.sin(angle) + y * np.cos(angle)
        stripes *= np.clip(np.sin(along * 2 * np.pi / step) * 2, 0, 1)
    if rng.random() < 0.4:
        patches = rng.uniform(0, 1, (2, max(2, columns // 60))).astype(np.float32)
        stripes *= cv2.resize(patches, (columns, rows), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return np.asarray(stripes, np.float32)


@cache
def hands(split: Split) -> tuple[Hand, ...]:
    """Return the ways to write that a split knows: MNIST's digits first, then other forms, then a typeface each."""
    rng = np.random.default_rng([SEED, zlib.crc32(split.encode())])
    digits, drawn = dataset.load(split), penmanship.write(FORMS, rng)
    nothing = np.zeros((0, 28, 28), np.uint8)
    made = [Hand(tuple(each.images[each.labels == label] for label in range(10)), nothing) for each in (digits, drawn)]
    for name in fonts.names(split == "held_out"):
        own = tuple(_varied(name, character, VARIANTS, rng) for character in fonts.DIGITS)
        made.append(Hand(own, np.concatenate([_varied(name, character, 1, rng) for character in fonts.LETTERS])))
    return tuple(made)


def _varied(name: str, character: str, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.array([normalize(crops.vary(fonts.stamp(name, character), rng)) for _ in range(count)], np.uint8)
