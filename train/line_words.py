"""Draw lines that hold more than a number: words, words with numbers, codes and equations, for the line network.

The digits are the text of such a line, and all else is blank. A canvas and its rows are those of `line_signs`.
"""

from typing import NamedTuple

import cv2
import numpy as np

from edge_runtime.records import Box, Uint8
from train import fonts, letters
from train.line_signs import BAND, TALL, Hand, paste, sign, stamped
from train.line_texts import KINDS, Text, any_word, text

LONG = 13 * TALL  # columns: a line stops growing there; a strip is 13 digits' heights wide
MARGIN = 8 * TALL  # columns on each side of a line
TYPESET = 0.25  # share of lines that are set in one typeface, digits included
STROKES = 0.6  # of the other lines, the share whose words are drawn as strokes
JOINED = 0.5  # share of those whose letters are joined
SIGNS = {
    "+": "plus", "×": "times", "-": "dash", "/": "slash", "=": "equals", "(": "(", ")": ")", "[": "[", "]": "]",
    ".": "dot", ",": "comma", ":": "colon", "→": "arrow", "✓": "tick",
}  # fmt: skip


def draw(hand: Hand, face: Hand, rng: np.random.Generator) -> tuple[Uint8, tuple[int, ...], tuple[int, int]]:
    """Return a canvas, uint8 (BAND, columns), the digits on it, and its line's first and last column.

    `hand` writes the digits, and `face` is a typeface.
    """
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    said = text(kind, face.words, rng)
    canvas = np.zeros((BAND, 4 * LONG), np.uint8)
    scale = _scale(rng) if kind == "words" else None
    if rng.random() < TYPESET:
        by, wide = rng.uniform(0.8, 1.25), rng.uniform(0.8, 1.25)
        word = _sized(letters.typeset(face.typeface, str(said)), scale, by, wide)
        while word.ink.shape[1] > LONG and len(said.tokens) > 1:
            said = said.first(len(said.tokens) - 1)
            word = _sized(letters.typeset(face.typeface, str(said)), scale, by, wide)
        end = _put(canvas, word, MARGIN, scale, 0.0)
    else:
        end, count, _ = compose(canvas, said, hand, face, scale, rng)
        said = said.first(count)
    for row in (-1, 1):
        if rng.random() < 0.2:
            _beside(canvas, face, row, end, rng)
    return canvas, said.digits, (MARGIN, end)


class Scale(NamedTuple):
    """How large words are: a `part` of them, x, capital or full, is `height` pixels high, and centered."""

    part: str
    height: float


def _scale(rng: np.random.Generator) -> Scale:
    """Return a size of words without numbers: any part of a word may have been taken for a digit."""
    part = str(rng.choice(["x", "capital", "full"], p=[0.45, 0.35, 0.2]))
    return Scale(part, TALL * rng.uniform(0.55, 1.5))


def _sized(word: letters.Word, scale: Scale | None, by: float, wide: float) -> letters.Word:
    """Return a word at a scale, or with capitals `by` times as tall as digits; `wide` times as wide for its height."""
    parts = {"x": word.x_height, "capital": word.cap_height, "full": word.ink.shape[0]}
    times = by * TALL / word.cap_height if scale is None else scale.height / parts[scale.part]
    size = max(1, round(word.ink.shape[1] * times * wide)), max(1, round(word.ink.shape[0] * times))
    ink = np.asarray(cv2.resize(word.ink, size, interpolation=cv2.INTER_AREA), np.uint8)
    return letters.Word(ink, *(round(value * times) for value in word[1:]))


def _put(canvas: Uint8, word: letters.Word, x: float, scale: Scale | None, drop: float) -> int:
    """Paste a sized word at column `x` and `drop` pixels lower than centered; return the column after it."""
    if scale is None:
        baseline = _baseline(canvas)
    elif scale.part == "full":
        baseline = (len(canvas) - word.ink.shape[0]) // 2 + word.baseline
    else:
        baseline = round((len(canvas) + scale.height) / 2)
    return paste(canvas, word.ink, round(x), baseline - word.baseline + round(drop))


def compose(
    canvas: Uint8, said: Text, hand: Hand, face: Hand, scale: Scale | None, rng: np.random.Generator
) -> tuple[int, int, list[Box]]:  # fmt: skip
    """Write the tokens from column MARGIN on, up to LONG; `scale` is that of words without numbers.

    Return the column after the last token, the number of tokens, and the box of each digit.
    """
    strokes, joined = rng.random() < STROKES, rng.random() < JOINED
    own = np.random.default_rng(rng.integers(1 << 32))
    size, by = TALL * rng.uniform(0.8, 1.2), rng.uniform(0.75, 1.25)
    slant, wide, gap = rng.normal(0.08, 0.2), rng.uniform(0.7, 1.3), TALL * rng.choice([0.0, 0.08, 0.25])
    space = (size if scale is None else scale.height) * rng.uniform(0.3, 1.0)
    x, boxes = float(MARGIN), list[Box]()
    for number, (token, spaced) in enumerate(zip(said.tokens, said.spaced, strict=True)):
        if x > MARGIN + LONG:
            return round(x), number, boxes
        drop = rng.normal(0, 0.05) * TALL
        if token in SIGNS:
            x = sign(canvas, x, rng, SIGNS[token])
        elif token[0] in fonts.DIGITS:
            for label in map(int, token):
                stamps = hand.digits[label]
                ink = stamped(stamps[rng.integers(len(stamps))], size * rng.lognormal(0, 0.06), slant, wide, 0.0)
                top = round(_baseline(canvas) - ink.shape[0] + drop)
                boxes.append(Box(round(x), top, ink.shape[1], ink.shape[0]))
                x = paste(canvas, ink, round(x), top) + gap + rng.normal(0, 2)
        else:
            word = letters.write(token, joined, own) if strokes else letters.typeset(face.typeface, token)
            x = _put(canvas, _sized(word, scale, by * size / TALL, wide), x, scale, drop) + gap
        x += space if spaced else 0.05 * TALL
    return round(x), len(said.tokens), boxes


def _baseline(canvas: Uint8) -> int:
    """Return the row under the digits of a line, which are TALL and in the middle of a canvas."""
    return (len(canvas) + TALL) // 2


def _beside(canvas: Uint8, face: Hand, row: int, end: int, rng: np.random.Generator) -> None:
    """Draw the edge of a word of the line above (-1) or below (1)."""
    word = _sized(letters.typeset(face.typeface, any_word(face.words, rng)), None, rng.uniform(0.6, 1.2), 1.0)
    seen = int(rng.integers(3, 12))
    y = seen - word.ink.shape[0] if row < 0 else BAND - seen
    paste(canvas, word.ink, int(rng.integers(MARGIN - TALL, end)), y)
