"""Draw a line of digits: stamps of characters, the signs between them, and their surroundings.

A canvas is uint8 (BAND, columns), ink bright on 0, with the digits in the middle of its rows.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.inference.contract import ROWS
from edge_runtime.records import Uint8
from edge_runtime.vision.strips import HIGH

SCALE = 2  # size of a drawn line relative to the strip
BAND = SCALE * ROWS
TALL = SCALE * HIGH  # pixels: a digit's height as drawn
# Kinds of signs between digits, and how often each occurs.
KINDS = {
    "dot": 0.27, "comma": 0.18, "dash": 0.16, "equals": 0.1, "slash": 0.02, "colon": 0.04, "apostrophe": 0.05,
    "plus": 0.1, "times": 0.08,
}  # fmt: skip
INKED = 60  # of 255: lower values are the soft edge of a stroke


class Hand(NamedTuple):
    """Stamps of one handwriting, uint8 (N, 28, 28) in the 28x28 contract: of each digit, and of letters.

    `others` are letters and signs that resemble no digit, `letters` are all. A hand that is a typeface has its name,
    and the vocabulary that it may write.
    """

    digits: tuple[NDArray[np.uint8], ...]
    others: NDArray[np.uint8]
    letters: NDArray[np.uint8]
    typeface: str = ""
    words: tuple[str, ...] = ()


def stamped(stamp: Uint8, size: float, slant: float, wide: float, turn: float) -> Uint8:
    """Return a stamp, scaled so that its 20 pixels become `size`, slanted, rotated, and cropped to its ink."""
    scale = size / 20
    side = int(48 * scale)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = linear @ np.array([[wide, -slant], [0, 1]])
    middle = np.array([14.0, 14.0])
    shift = np.array([side / 2, side / 2]) - linear @ middle
    ink = cv2.warpAffine(stamp, np.column_stack([linear, shift]), (side, side), flags=cv2.INTER_CUBIC)
    x, y, width, height = cv2.boundingRect(cv2.threshold(ink, INKED, 255, cv2.THRESH_BINARY)[1])
    return np.asarray(ink[y : y + max(1, height), x : x + max(1, width)], np.uint8)


def paste(canvas: Uint8, ink: Uint8, x: int, y: int) -> int:
    """Add ink to a canvas, clipped at its edges, and return the column after it."""
    top, left = max(0, y), max(0, x)
    bottom, right = min(canvas.shape[0], y + ink.shape[0]), min(canvas.shape[1], x + ink.shape[1])
    if bottom > top and right > left:
        part = canvas[top:bottom, left:right]
        np.maximum(part, ink[top - y : bottom - y, left - x : right - x], out=part)
    return int(right)


def sign(canvas: Uint8, x: float, rng: np.random.Generator, kind: str | None = None) -> float:
    """Draw a sign that is no digit after column `x`, and return the column after it.

    `kind` is one of KINDS, a bracket, an arrow or a tick; None takes one of KINDS at random.
    """
    kind = kind or str(rng.choice(list(KINDS), p=list(KINDS.values())))
    dark, pen = int(rng.integers(170, 256)), int(rng.integers(3, 8))
    center = len(canvas) // 2
    low, middle = center + round(rng.uniform(0.35, 0.6) * TALL), center + round(rng.normal(0, 0.08) * TALL)
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
        case "slash":  # 1 to 1.6 times as tall as a digit, with more slant
            half, run = round(rng.uniform(0.5, 0.8) * TALL), round(rng.uniform(0.4, 0.9) * TALL)
            end = line(at, center + half, at + run, center - half)
        case "(" | ")" | "[" | "]" | "arrow" | "tick":
            of_kind = _arrow_or_tick if kind in ("arrow", "tick") else _bracket
            end = of_kind(canvas, kind, at, (dark, pen), rng)
        case "colon":
            line(at, middle - round(0.25 * TALL), at, middle - round(0.25 * TALL))
            end = line(at, middle + round(0.3 * TALL), at, middle + round(0.3 * TALL))
        case "plus" | "times":
            half = round(rng.uniform(0.15, 0.35) * TALL)
            x, y = at + half, middle + round(rng.uniform(-0.05, 0.15) * TALL)
            turn = (0 if kind == "plus" else np.pi / 4) + rng.normal(0, 0.1)
            for angle in (turn, turn + np.pi / 2 + rng.normal(0, 0.1)):
                dx, dy = round(half * np.cos(angle)), round(half * np.sin(angle))
                line(x - dx, y - dy, x + dx, y + dy)
            end = x + half
        case "apostrophe":
            top = center - round(0.5 * TALL)
            end = line(at, top, at - 2, top + round(0.15 * TALL))
        case _:
            raise ValueError(f"no sign is of kind {kind}")
    return float(end + pen + rng.uniform(0.02, 0.2) * TALL)


def sum_signs(canvas: Uint8, x: float, rng: np.random.Generator) -> float:
    """Draw an operator of a sum and brackets beside it after column `x`, and return the column after them."""
    if rng.random() < 0.25:
        x = sign(canvas, x, rng, str(rng.choice([")", "]"], p=[0.8, 0.2])))
    operator = rng.choice(["plus", "times", "dash", "slash", "equals"], p=[0.25, 0.2, 0.2, 0.2, 0.15])
    x = sign(canvas, x, rng, str(operator))
    if rng.random() < 0.25:
        x = sign(canvas, x, rng, str(rng.choice(["(", "["], p=[0.8, 0.2])))
    return x


def _bracket(canvas: Uint8, kind: str, x: int, ink: tuple[int, int], rng: np.random.Generator) -> int:
    """Draw a bracket or parenthesis at column `x`, in ink of (darkness, pen); return its last column."""
    half, wide = rng.uniform(0.55, 0.85) * TALL, rng.uniform(0.12, 0.35) * TALL
    down = np.linspace(-1, 1, 9)
    across = down**2 if kind == "(" else 1 - down**2 if kind == ")" else (np.abs(down) == 1).astype(float)
    if kind == "]":
        across = 1 - across
    if kind in "[]":  # corners at both ends
        down = np.clip(down * 4 / 3, -1, 1)
    points = np.column_stack([x + across * wide, len(canvas) / 2 + down * half]).round().astype(np.int32)
    cv2.polylines(canvas, [points], False, *ink, cv2.LINE_AA)
    return round(x + wide)


def _arrow_or_tick(canvas: Uint8, kind: str, x: int, ink: tuple[int, int], rng: np.random.Generator) -> int:
    """Draw an arrow to the right or a tick at column `x`, in ink of (darkness, pen); return its last column."""
    y, end = len(canvas) // 2 + round(rng.normal(0, 0.1) * TALL), x + round(rng.uniform(0.5, 1.0) * TALL)
    if kind == "arrow":
        head = round(rng.uniform(0.15, 0.3) * TALL)
        strokes = [[(x, y), (end, y)], [(end - head, y - head), (end, y), (end - head, y + head)]]
    else:
        foot, turn = y + round(rng.uniform(0.2, 0.5) * TALL), x + (end - x) // 3
        rise, high = round(rng.uniform(0.2, 0.4) * TALL), round(rng.uniform(0.7, 1.1) * TALL)
        strokes = [[(x, foot - rise), (turn, foot), (end, foot - high)]]
    for points in strokes:
        cv2.polylines(canvas, [np.array(points, np.int32)], False, *ink, cv2.LINE_AA)
    return end


def surround(
    canvas: Uint8, digits: tuple[NDArray[np.uint8], ...], beside: Hand, ends: tuple[int, int],
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Draw the surroundings of a line: signs and letters at its ends, and parts of the lines above and below.

    `digits` are stamps of each digit, `beside` is the hand of the letters; `ends` are the line's first and last column.
    """
    start, end = ends
    pen = int(rng.integers(2, 7))
    for side in (-1, 1):
        what = rng.random()
        x = (start if side < 0 else end) + side * round(rng.uniform(0.1 if what > 0.12 else -0.1, 0.5) * TALL)
        if what < 0.12:  # the long stroke that fills the space beside an amount
            y = BAND // 2 + round(rng.normal(0, 0.12) * TALL)
            points = [(x + side * k * TALL // 2, y + round(rng.normal(0, 0.06) * TALL)) for k in range(8)]
            cv2.polylines(canvas, [np.array(points, np.int32)], False, int(rng.integers(150, 256)), pen, cv2.LINE_AA)
        elif what < 0.2:  # = or #
            for dy in (-0.13, 0.13):
                y = BAND // 2 + round((dy + rng.normal(0, 0.03)) * TALL)
                far = x + side * round(rng.uniform(0.4, 1.2) * TALL)
                cv2.line(canvas, (x, y), (far, y), int(rng.integers(170, 256)), pen, cv2.LINE_AA)
        elif what < 0.32:
            word(canvas, x, side, beside, rng)
        elif what < 0.37:  # the edge of a box
            cv2.line(canvas, (x, 0), (x + int(rng.integers(-3, 4)), BAND), int(rng.integers(100, 256)), pen)
    if rng.random() < 0.15:
        for _ in range(rng.integers(1, 5)):
            own = digits[rng.integers(10)]
            ink = stamped(own[rng.integers(len(own))], float(TALL), 0.0, 1.0, 0.0)
            y = BAND - int(rng.integers(3, 10)) if rng.random() < 0.5 else int(rng.integers(3, 10)) - ink.shape[0]
            paste(canvas, ink, int(rng.integers(start, end + 1)), y)


def word(canvas: Uint8, x: int, side: int, hand: Hand, rng: np.random.Generator) -> None:
    """Draw a letter that resembles no digit, or a word, after column `x`, or before it if `side` is -1."""
    size, dark = TALL * rng.uniform(0.7, 1.1), rng.uniform(0.6, 1.0)
    count = int(rng.choice([1, 3, 4, 5, 6], p=[0.5, 0.15, 0.15, 0.1, 0.1]))
    stamps = hand.others if count == 1 else hand.letters
    for _ in range(count):
        ink = stamped(stamps[rng.integers(len(stamps))], size, 0.1, 1.0, 0.0)
        paste(canvas, np.asarray(ink * dark, np.uint8), x if side > 0 else x - ink.shape[1], (BAND - ink.shape[0]) // 2)
        x += side * (ink.shape[1] + round(rng.uniform(0.02, 0.12) * TALL))


def cells(canvas: Uint8, start: int, step: float, count: int, rng: np.random.Generator) -> None:
    """Draw the borders of `count` cells, each `step` columns wide, as in a table or a sudoku."""
    dark, pen = int(rng.integers(80, 256)), int(rng.integers(1, 6))
    for number in range(count + 1):
        x = round(start + number * step)
        thick = 2 * pen if number % 3 == 0 and pen < 4 else pen  # as around the blocks of a sudoku
        cv2.line(canvas, (x, 0), (x, BAND), dark, thick, cv2.LINE_AA)
    if rng.random() < 0.5:
        y = round(BAND / 2 - step / 2)
        for edge in (y, round(y + step)):
            cv2.line(canvas, (start, edge), (round(start + count * step), edge), dark, pen, cv2.LINE_AA)


def rule(canvas: Uint8, ends: tuple[int, int], rng: np.random.Generator) -> None:
    """Draw a rule under, through or over a line, or the borders of boxes around its digits."""
    start, end = ends
    dark, pen = int(rng.integers(60, 256)), int(rng.integers(1, 5))
    if rng.random() < 0.75:
        at = rng.choice([-0.6, 0.0, 0.55, 0.65], p=[0.2, 0.08, 0.36, 0.36])
        y = BAND // 2 + round(at * TALL + rng.normal(0, 0.05) * TALL)
        cv2.line(canvas, (0, y), (canvas.shape[1], y + int(rng.integers(-4, 5))), dark, pen, cv2.LINE_AA)
    else:
        step = round(rng.uniform(0.9, 1.4) * TALL)
        for x in range(start - step // 2, end + step, step):
            cv2.line(canvas, (x, 0), (x, BAND), dark // 2, pen, cv2.LINE_AA)
