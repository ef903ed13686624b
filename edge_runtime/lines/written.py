"""The final reading of a line: its digits by word, its probability, and the line network's reading."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Digit, Uint8
from edge_runtime.vision.line_check import Text

TOP = 3  # how many of a digit's labels and of a line's texts are reported, likeliest first
Float64 = NDArray[np.float64]
Words = list[list[Digit]]  # the digits of a line, by word, left to right
Other = tuple[str, float]  # another text of a line, and the probability that it is right, 0-1


class WholeLine(NamedTuple):
    """The line network's reading of a line: for each of N digits a label, and a box in the picture's pixels.

    `confidences`, float64 (N, 10), are the probabilities of each digit. `likely`, 0-1, is the network's own probability
    that the labels are exactly the line's digits; `texts` are all texts that the line may have, and `strips` is the
    number of strips read for them. `strip`, uint8 (32, 256), is the strip that the labels come from, and `columns` are
    the columns of each digit on it.
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
    """A reread line: the `text` read digit by digit, how `likely` it was, and the line network's reading `whole`."""

    text: str
    likely: float
    whole: WholeLine


class Written(NamedTuple):
    """A line: its `words`, and how `likely` they are exactly right, 0-1.

    `other` is the other reader's text, and `check` the comparison of both; each is None where there is none.
    """

    words: Words
    likely: float
    other: Other | None = None
    check: Recheck | None = None


def digits_of(words: Words) -> list[Digit]:
    """Return the digits of a line, left to right."""
    return [digit for word in words for digit in word]


def digit_of(confidences: Sequence[float], box: Box, line: int, labels: Sequence[str]) -> Digit:
    """Return a digit with its likeliest labels; `confidences` are in the order of `labels`."""
    likeliest = sorted(range(len(confidences)), key=lambda k: -confidences[k])[:TOP]
    top = tuple((labels[k], confidences[k]) for k in likeliest)
    return Digit(*top[0], box, line, top)


def text_of(words: Words) -> str:
    """Return the labels of a line's digits, with a space between words."""
    return " ".join("".join(digit.label for digit in word) for word in words)
