"""Reads several strips of a line with the line network, and the digits on them with the classifier.

The network's output depends on the digits' height on a strip, which is known only roughly: the boxes found include
parts of digits and signs. The classifier then runs on each digit, cut out where the network read it.
"""

from collections.abc import Collection, Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.contract import BLANK
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.lines.constraint import Constraint
from edge_runtime.lines.ctc import LineText, decode
from edge_runtime.lines.written import Float64
from edge_runtime.records import Box
from edge_runtime.vision.normalize import normalize_all
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.strips import HIGH, Strip, cut_out, strip_of

# How many times a strip grows to include digits that the network reads beside those found before. With 1, 275 of 1,080
# amounts are sure, not 280, and 233 of 285 lines of photographs are right, not 234.
GROWTHS = 3
# A line with at least this probability counts as sure: it is not reread, and one strip that agrees is enough.
SURE = 0.95
# The digits of a line may be LOWER, or 1 / LOWER, times as high as estimated: one strip for each. Adding 0.8 and 1.3
# reads no more amounts and numbers.
LOWER = 0.88
HEIGHT_FACTORS = LOWER, 1 / LOWER
# A picture of one line may have it in three places: in the rows with at least INKED of the fullest row's ink, once
# without and once with the signs above and below, or in the middle part MIDDLE of its height. Of 180 amounts, all three
# read 122, any one of them 112 to 114.
INKED, MIDDLE = (0.25, 0.12), 0.76
# The places that a line's strip may have: along the digits found, as wide as fits or only as wide as these, or in the
# rows of ink of a picture, numbered from ROWS_OF_INK on.
WIDE, NARROW, ROWS_OF_INK = 0, 1, 2


class Readers(NamedTuple):
    """The line network, which reads a line as a whole, and the classifier, which reads its digits."""

    network: LineNetwork
    classifier: Classifier


class View(NamedTuple):
    """A strip of a line on a plane, the network's probabilities for each step, and the decoded text.

    Strips with the same `place` differ only in the height of digits. `digits`, float64 (N, 10), are the classifier's
    confidences for each digit of the text, (0, 10) where it did not run.
    """

    place: int
    plane: Plane
    strip: Strip
    probabilities: Float64
    text: LineText
    digits: Float64


class Located(NamedTuple):
    """The digits found on a line before: their boxes on a plane and their `labels`, 0-9.

    `log_confidence` is the sum of the logarithms of the digits' confidences.
    """

    plane: Plane
    boxes: list[Box]
    labels: list[int]
    log_confidence: float


def read_line(
    readers: Readers, located: Located, factors: Sequence[float], constraint: Constraint | None
) -> list[View]:
    """Read a line on which some digits were found, and any digits that the network reads beside them.

    There is one view at the estimated digit height, and one for each of `factors`, a subset of HEIGHT_FACTORS. Where
    all views agree with the digits found, the classifier does not run.
    """
    view, boxes = _grown(readers.network, located)
    if _agrees(view, located, constraint):
        return [view]
    views = _at_heights(readers.network, view, boxes, factors, constraint)
    if all(view.text.labels == tuple(located.labels) for view in views):
        return views
    return _with_digits(views, readers.classifier, range(len(views)))


def read_picture(
    readers: Readers, planes: Sequence[Plane], located: Located | None, constraint: Constraint | None
) -> list[View]:
    """Read a picture as a single line: where digits were found, and where its rows have most ink.

    There are ten views, six where no digit was found, or one of the whole width that agrees with the digits found. The
    classifier sees the digits of each text once, in the view where the text is likeliest. Returns no view where neither
    digits were found nor the first views show any.
    """
    network = readers.network
    if located is not None:
        view = _view(network, WIDE, located.plane, located.boxes, 1.0, None)
        if _agrees(view, located, constraint):
            return _with_digits([view], readers.classifier, [0])
        whole = _at_heights(network, view, located.boxes, (), constraint)
        views = whole + _at_heights(network, *_grown(network, located), HEIGHT_FACTORS, constraint)
        grounds = [plane for plane in planes[:2] if plane.light == located.plane.light]
        read = [views + _views_of_picture(network, plane, HEIGHT_FACTORS, constraint) for plane in grounds]
    else:
        read = [_views_of_picture(network, plane, HEIGHT_FACTORS[:1], constraint) for plane in planes[:2]]
        if not any(view.text.labels for views in read for view in views):
            return []
        read = [views + _views_of_picture(network, plane, HEIGHT_FACTORS[1:], constraint)
                for views, plane in zip(read, planes[:2], strict=True)]  # fmt: skip
    views = max(read, key=_most_votes)
    return _with_digits(views, readers.classifier, _surest_of_each_text(views))


def _most_votes(views: Sequence[View]) -> float:
    """Return the probability of the likeliest text with digits, averaged over all views."""
    votes: dict[tuple[int, ...], float] = {}
    for view in views:
        votes[view.text.labels] = votes.get(view.text.labels, 0.0) + view.text.likely
    return max((vote for text, vote in votes.items() if text), default=0.0) / len(views)


def _grown(network: LineNetwork, located: Located) -> tuple[View, list[Box]]:
    """Return a view at the estimated digit height, and the boxes of the digits found and of those read beside them."""
    boxes = located.boxes
    view = _view(network, NARROW, located.plane, boxes, 1.0, None)
    for _ in range(GROWTHS):
        whole = reduce(Box.union, boxes)
        read = [view.strip.box(*columns) for columns in view.text.columns]
        beside = [box for box in read if not whole.x <= box.center[0] <= whole.right]
        if not beside:
            break
        boxes = boxes + beside
        view = _view(network, NARROW, located.plane, boxes, 1.0, None)
    return view, boxes


def _agrees(view: View, located: Located, constraint: Constraint | None) -> bool:
    """Return whether a view surely shows the digits found, and the constraint accepts them."""
    accepted = constraint is None or constraint.accepts(located.labels)
    return accepted and view.text.labels == tuple(located.labels) and view.text.likely >= SURE


def _at_heights(
    network: LineNetwork, view: View, boxes: Sequence[Box], factors: Sequence[float], constraint: Constraint | None
) -> list[View]:
    """Return a view of these boxes, decoded under the constraint, and one more for each of `factors`."""
    if constraint is not None:
        view = view._replace(text=decode(view.probabilities, network.step, constraint))
    return [view, *(_view(network, view.place, view.plane, boxes, factor, constraint) for factor in factors)]


def _views_of_picture(
    network: LineNetwork, plane: Plane, factors: Sequence[float], constraint: Constraint | None
) -> list[View]:
    """Return views of a plane as a single line, one for each place that the line may have and each height factor."""
    rows, columns = plane.ink.shape
    amounts = plane.ink.sum(axis=1, dtype=np.float64)
    inked = [np.flatnonzero(amounts >= part * amounts.max()) for part in INKED]
    ends = [(int(held[0]), int(held[-1]) + 1) for held in inked]
    ends.append((round(rows * (1 - MIDDLE) / 2), max(1, round(rows * (1 + MIDDLE) / 2))))
    bands = [Box(0, top, columns, max(1, bottom - top)) for top, bottom in ends]
    return [_view(network, ROWS_OF_INK + number, plane, [band], factor, constraint)
            for number, band in enumerate(bands) for factor in factors]  # fmt: skip


def _view(
    network: LineNetwork, place: int, plane: Plane, boxes: Sequence[Box], factor: float, constraint: Constraint | None
) -> View:
    strip = strip_of(plane.ink, boxes, factor, alone=place == WIDE)
    probabilities = network.probabilities(strip.image)
    text = decode(probabilities, network.step, constraint)
    return View(place, plane, strip, probabilities, text, np.zeros((0, BLANK)))


def _with_digits(views: Sequence[View], classifier: Classifier, shown: Collection[int]) -> list[View]:
    """Return `views`, with the classifier's confidences in those numbered in `shown`; it runs on all digits at once."""
    inks = {
        i: cut_out(views[i].plane.ink, views[i].strip, [(a, b) for a, _, b in digit_columns(views[i])]) for i in shown
    }
    seen = classifier.confidences(normalize_all([ink for own in inks.values() for ink in own]))[:, :BLANK]
    ends = np.cumsum([len(own) for own in inks.values()])[:-1]
    digits = dict(zip(inks, np.split(seen, ends), strict=True))
    return [view._replace(digits=digits.get(i, view.digits)) for i, view in enumerate(views)]


def _surest_of_each_text(views: Sequence[View]) -> list[int]:
    """Return the number of the likeliest view of each text."""
    order = sorted(range(len(views)), key=lambda i: views[i].text.likely)
    return list({views[i].text.labels: i for i in order}.values())


def digit_columns(view: View) -> list[tuple[float, float, float]]:
    """Return the columns of each digit on a view's strip: left limit, middle, right limit.

    The limits are halfway to the neighboring digits, and at most HIGH from the middle.
    """
    middles = [min(sum(each) / 2, view.strip.width - 1) for each in view.text.columns]
    halves = [(a + b) / 2 for a, b in pairwise(middles)]
    lefts, rights = [0.0, *halves], [*halves, float(view.strip.width)]
    return [(max(left, x - HIGH), x, min(right, x + HIGH))
            for left, x, right in zip(lefts, middles, rights, strict=False)]  # fmt: skip
