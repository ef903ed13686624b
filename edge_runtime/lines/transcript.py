"""Converts kept and rejected glyphs to the digits, lines and rejections of a Reading."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from edge_runtime.lines.written import TOP, Other, Words, Written, digit_of, digits_of, text_of
from edge_runtime.records import Box, Digit, Line, Rejection
from edge_runtime.vision.boxes import overlap
from edge_runtime.vision.glyphs import PROBABILITY_FLOOR, Glyphs
from edge_runtime.vision.rejection import READ_ELSEWHERE, SHARED

Float64 = NDArray[np.float64]


def words_of(
    lines: list[list[list[int]]], boxes: Sequence[Box], confidences: Float64, labels: Sequence[str]
) -> list[Words]:
    """Return the digits of each line, by word; row i of `confidences`, float64 (N, digits), belongs to `boxes[i]`.

    `lines` come from `vision.lines.group_into_lines`, as indices into `boxes`.
    """
    values = confidences.tolist()
    return [
        [[digit_of(values[i], boxes[i], number, labels) for i in word] for word in line]
        for number, line in enumerate(lines)
    ]


def numbered(lines: Sequence[Written]) -> tuple[Digit, ...]:
    """Return the digits in reading order, each with the number of its line."""
    return tuple(replace(digit, line=number) for number, line in enumerate(lines) for digit in digits_of(line.words))


def lines_of(written: Sequence[Written]) -> tuple[Line, ...]:
    """Return the lines of a reading."""
    lines = []
    for line in written:
        digits, text = digits_of(line.words), text_of(line.words)
        box = reduce(Box.union, (digit.box for digit in digits))
        lines.append(Line(text, line.likely, box, _alternatives(text, digits, line.likely, line.other)))
    return tuple(lines)


def _alternatives(text: str, digits: Sequence[Digit], sure: float, read: Other | None) -> tuple[Other, ...]:
    """Return other texts, likeliest first: the other reader's text `read`, and texts with one digit changed."""
    places = [i for i, character in enumerate(text) if character != " "]
    others: list[Other] = []
    for place, digit in zip(places, digits, strict=True):
        for label, confidence in digit.top[1:]:
            other = min(1 - sure, sure * confidence / max(digit.confidence, PROBABILITY_FLOOR))
            others.append((text[:place] + label + text[place + 1 :], other))
    others.sort(key=lambda other: -other[1])
    if read is not None:
        others = [other for other in others if other[0] != read[0]][: TOP - 1]
        others.append((read[0], min(1 - sure, read[1])))
    return tuple(sorted(others, key=lambda other: -other[1])[:TOP])


def rejections_of(
    glyphs: Glyphs, boxes: Sequence[Box], reasons: Sequence[str | None], confidences: Float64
) -> tuple[Rejection, ...]:
    """Return the rejected glyphs and their reasons, except ink that was read as part of another glyph."""
    kept = [row for row, reason in enumerate(reasons) if reason is None]
    shared = overlap(glyphs.boxes, glyphs.boxes[kept], np.minimum)
    read = np.any(shared > SHARED, axis=1)
    best = confidences.max(axis=1, initial=0.0).tolist()
    return tuple(
        Rejection(boxes[row], reason, best[row])
        for row, reason in enumerate(reasons)
        if reason is not None and reason != READ_ELSEWHERE and not read[row]
    )
