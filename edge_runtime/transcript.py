"""What the reading line kept and rejected -> the digits, lines and rejections of a Reading."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Digit, Line, Rejection
from edge_runtime.vision.glyphs import SURER, Glyphs, overlap
from edge_runtime.vision.rejection import READ_ELSEWHERE, SHARED

TOP = 3  # of a digit's labels and of a line's texts, the likeliest that are reported
Float64 = NDArray[np.float64]


def digits_of(
    lines: list[list[list[int]]], boxes: Sequence[Box], confidences: Float64, labels: Sequence[str]
) -> list[Digit]:
    """Return the digits in reading order; row i of `confidences`, float64 (N, digits), belongs to `boxes[i]`.

    `lines` are those of `vision.lines.order`, of indices of `boxes`.
    """
    likeliest = np.argsort(-confidences, axis=1, kind="stable")[:, :TOP].tolist()
    values = confidences.tolist()
    digits = []
    for number, line in enumerate(lines):
        for i in (i for word in line for i in word):
            top = tuple((labels[k], values[i][k]) for k in likeliest[i])
            digits.append(Digit(*top[0], boxes[i], number, top))
    return digits


def text_of(digits: list[Digit], lines: list[list[list[int]]]) -> tuple[str, ...]:
    """Return the labels of digits, which are in reading order, as lines of words."""
    labels = iter(digit.label for digit in digits)
    return tuple(" ".join("".join(next(labels) for _ in word) for word in line) for line in lines)


def lines_of(text: Sequence[str], digits: Sequence[Digit], confidences: Sequence[float]) -> tuple[Line, ...]:
    """Return the lines of a reading, of each of which `confidences` tells how likely it is right."""
    lines = []
    for number, (line, sure) in enumerate(zip(text, confidences, strict=True)):
        own = [digit for digit in digits if digit.line == number]
        box = reduce(Box.union, (digit.box for digit in own))
        lines.append(Line(line, sure, box, _alternatives(line, own, sure)))
    return tuple(lines)


def _alternatives(text: str, digits: Sequence[Digit], sure: float) -> tuple[tuple[str, float], ...]:
    """Return the likeliest other texts of a line's digits, with one of them read otherwise, and how likely each is."""
    places = [i for i, character in enumerate(text) if character != " "]
    others = []
    for place, digit in zip(places, digits, strict=True):
        for label, confidence in digit.top[1:]:
            other = min(1 - sure, sure * confidence / max(digit.confidence, SURER))
            others.append((text[:place] + label + text[place + 1 :], other))
    return tuple(sorted(others, key=lambda other: -other[1])[:TOP])


def rejections_of(
    glyphs: Glyphs, boxes: Sequence[Box], reasons: Sequence[str | None], confidences: Float64
) -> tuple[Rejection, ...]:
    """Return what was not read, and why, but for ink that was read in another way."""
    kept = [row for row, reason in enumerate(reasons) if reason is None]
    shared = overlap(glyphs.boxes, glyphs.boxes[kept], np.minimum)
    read = np.any(shared > SHARED, axis=1)
    best = confidences.max(axis=1, initial=0.0).tolist()
    return tuple(
        Rejection(boxes[row], reason, best[row])
        for row, reason in enumerate(reasons)
        if reason is not None and reason != READ_ELSEWHERE and not read[row]
    )
