"""A line as it is written: its digits by words, how likely it is right, and what the line network read there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Digit, Uint8
from edge_runtime.vision.line_check import Text

TOP = 3  # of a digit's labels and of a line's texts, the likeliest that are reported
Float64 = NDArray[np.float64]
Words = list[list[Digit]]  # the digits of a line, by words, left to right
Other = tuple[str, float]  # another text of a line, and how likely it is right, 0-1


class WholeLine(NamedTuple):
    """What the line network reads on a line: of each of N digits a label, and a box in the picture's pixels.

    `confidences`, float64 (N, 10), are how likely each digit is there. `likely`, 0-1, is how likely the labels are all
    of the line's digits, by the network alone; `texts` are all that the line may have, and `strips` is how many strips
    were read for them. `strip`, uint8 (32, 256), is the one that the labels come from, and `columns` where on it each
    digit is.
    """

    labels: tuple[int, ...]
    boxes: tuple[Box, ...]
    confidences: Float64
    likely: float
    texts: tuple[Text, ...]
    strips: int
    strip: Uint8
    columns: tuple[tuple[float, float], ...]


class Recheck(NamedTuple):
    """A line that was read again: the `text` that was read digit by digit, how `likely` that was, and the other."""

    text: str
    likely: float
    whole: WholeLine


class Written(NamedTuple):
    """A line: its `words`, and how `likely` they are exactly right, 0-1.

    `other` is what another reader read in their place, `check` the comparison, where there was one.
    """

    words: Words
    likely: float
    other: Other | None = None
    check: Recheck | None = None


def digits_of(words: Words) -> list[Digit]:
    """Return the digits of a line, left to right."""
    return [digit for word in words for digit in word]


def digit_of(confidences: Sequence[float], box: Box, line: int, labels: Sequence[str]) -> Digit:
    """Return a digit with its likeliest labels, of the confidences in each."""
    likeliest = sorted(range(len(confidences)), key=lambda k: -confidences[k])[:TOP]
    top = tuple((labels[k], confidences[k]) for k in likeliest)
    return Digit(*top[0], box, line, top)


def text_of(words: Words) -> str:
    """Return the labels of a line's digits, with a space between words."""
    return " ".join("".join(digit.label for digit in word) for word in words)
