"""The texts that a line may have by its views, and the line network's reading of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge_runtime.lines.constraint import Constraint
from edge_runtime.lines.ctc import likelihoods
from edge_runtime.lines.views import Located, View, digit_columns
from edge_runtime.lines.written import Float64, WholeLine
from edge_runtime.vision.glyphs import PROBABILITY_FLOOR
from edge_runtime.vision.line_check import Text
from edge_runtime.vision.strips import HIGH

# The least probability of a text in a place, so that one place where a digit is missed does not exclude the text. With
# 0.0001, 853 of 1,080 amounts are right, not 855, and 82 of 194 numbers are sure, not 87; 0.01 reads 1 % fewer amounts.
PLACE_FLOOR = 1e-3


class Shown(NamedTuple):
    """A text that a view shows: the `labels` of N digits, 0-9.

    `confidences`, float64 (N, 10), are the probabilities of the ten digits for each of them.
    """

    view: View
    labels: tuple[int, ...]
    confidences: Float64


def texts_of(
    views: Sequence[View], shown: Sequence[Shown], located: Located | None, constraint: Constraint | None
) -> list[Text]:
    """Return the texts `shown` by the views and the text read digit by digit, where the constraint accepts them."""
    own = tuple(located.labels) if located is not None else ()
    different = dict.fromkeys([*(each.labels for each in shown), own])
    texts = [text for text in different if text and (constraint is None or constraint.accepts(text))]
    accepted = np.array([view.text.accepted for view in views])
    likely = (
        likelihoods([view.probabilities for view in views], texts) / np.maximum(accepted, PROBABILITY_FLOOR)[:, None]
    )
    likely = likely.clip(0.0, 1.0)
    by_line = likely.mean(axis=0).tolist()
    places = np.array([view.place for view in views])
    by_place = np.array([likely[places == place].mean(axis=0) for place in np.unique(places)])
    log_line = np.log(np.maximum(by_place, PLACE_FLOOR)).mean(axis=0).tolist()
    known = located.log_confidence if located is not None else 0.0
    return [Text(text, line, log, max(_by_digits(views, text), known if text == own else -np.inf), text == own)
            for text, line, log in zip(texts, by_line, log_line, strict=True)]  # fmt: skip


def shown_in(views: Sequence[View]) -> list[Shown]:
    """Return the texts that each view shows: by the line network, by the classifier, and by both together.

    Both together give the product of their probabilities, with a sum of 1 for each digit.
    """
    shown = []
    for view in views:
        network = view.text.confidences
        shown.append(Shown(view, view.text.labels, network))
        if len(view.digits):
            both = np.maximum(network * view.digits, PROBABILITY_FLOOR)
            both /= both.sum(axis=1, keepdims=True)
            shown += [Shown(view, tuple(rows.argmax(axis=1).tolist()), rows) for rows in (both, view.digits)]
    return shown


def _by_digits(views: Sequence[View], text: tuple[int, ...]) -> float:
    """Return the classifier's log probability of a text: the highest over the views with as many digits."""
    logs = [
        np.log(np.maximum(view.digits[range(len(text)), text], PROBABILITY_FLOOR)).sum()
        for view in views
        if len(view.digits) == len(text)
    ]
    return max(map(float, logs), default=len(text) * float(np.log(PROBABILITY_FLOOR)))


def whole_line(
    views: Sequence[View], shown: Sequence[Shown], texts: Sequence[Text], text: Text | None, size: tuple[int, int]
) -> WholeLine:
    """Return a text with its boxes, from the likeliest view that shows it; None is the empty text.

    Where the line network itself reads the text, only these views count. `texts` are all texts that the line may have;
    `size` is the picture's, (width, height).
    """
    labels = text.labels if text is not None else ()
    alike = (each for each in shown if each.labels == labels)
    best = max(alike, key=lambda each: (each.view.text.labels == labels, each.view.text.likely))
    view = best.view
    halves = [(x, min(x - left, right - x, HIGH / 2)) for left, x, right in digit_columns(view)]
    ends = [(x - half, x + half) for x, half in halves]
    boxes = tuple(view.strip.box(*columns).scaled(size, view.plane.scale) for columns in ends)
    likely = text.line if text is not None else 0.0
    return WholeLine(labels, boxes, best.confidences, likely, tuple(texts), len(views), view.strip.image, tuple(ends))
