"""A line of a picture -> its digits, by the line network, which reads several strips of it; these vote.

What the network reads depends on how high the digits are on a strip, and this is known only roughly: parts of digits
are among what was found, and signs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge_runtime.constraint import Constraint
from edge_runtime.ctc import LineText, decode, likelihood
from edge_runtime.line_network import LineNetwork
from edge_runtime.records import Box
from edge_runtime.vision.candidates import in_frame
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.strips import HIGH, Strip, strip_of
from edge_runtime.written import Float64, WholeLine

# A strip grows by the digits that the network reads beside those that it was found by, so many times.
GROWTHS = 3
# A line that is so likely right is called sure: it is not read again, and not on more strips than one that agrees.
SURE = 0.95
# How high else the digits of a line may be, of what they seem to be: there is a strip for each. With 0.8 and 1.3 as
# well, no more amounts and numbers are read.
HEIGHTS = 0.88, 1.13
# A picture of one line has it where its rows hold these parts of the most ink, without and with the signs above and
# below, or in so much of its height, in the middle: of 180 amounts all three read 122, any one of them 112 to 114.
INKED, MIDDLE = (0.25, 0.12), 0.76


class View(NamedTuple):
    """A strip of a line on a plane, what the network says of each of its steps, and the text that makes."""

    plane: Plane
    strip: Strip
    probabilities: Float64
    text: LineText


class Found(NamedTuple):
    """What was found of a line before: the boxes of its digits on a plane, and their `labels`, 0-9."""

    plane: Plane
    boxes: list[Box]
    labels: list[int]


def read_line(
    network: LineNetwork, found: Found, heights: Sequence[float], size: tuple[int, int], constraint: Constraint | None
) -> WholeLine:
    """Read a line of which some digits were found, and whatever digits the network sees beside them.

    There is a strip as high as the digits seem, and one for each of `heights`, some of HEIGHTS; `size` is the
    picture's, (width, height).
    """
    return voted(_views_of_line(network, found, heights, constraint), found.labels, size)


def read_picture(
    network: LineNetwork, planes: Sequence[Plane], found: Found | None, size: tuple[int, int],
    constraint: Constraint | None,
) -> WholeLine | None:  # fmt: skip
    """Read a picture, of this `size`, as a single line: where digits were found, and where its rows hold most ink.

    Returns None where no digit was found and none is seen at a glance.
    """
    views: list[View] = []
    grounds = list(planes[:2])
    if found is not None:
        views = _views_of_line(network, found, HEIGHTS, constraint)
        if len(views) == 1:
            return voted(views, found.labels, size)
        grounds = [plane for plane in grounds if plane.light == found.plane.light]
    elif not any(
        view.text.labels for plane in grounds for view in _views_of_picture(network, plane, HEIGHTS[:1], constraint)
    ):
        return None
    labels = found.labels if found else []
    read = [voted(views + _views_of_picture(network, plane, HEIGHTS, constraint), labels, size) for plane in grounds]
    return max(read, key=lambda whole: whole.likely if whole.labels else 0.0)


def _views_of_line(
    network: LineNetwork, found: Found, heights: Sequence[float], constraint: Constraint | None
) -> list[View]:
    """Return a view as high as the digits seem, and one for each height, unless the first surely agrees."""
    plane, boxes = found.plane, found.boxes
    view = _view(network, plane, boxes, 1.0, None)
    for _ in range(GROWTHS):
        left, right = min(box.x for box in boxes), max(box.right for box in boxes)
        read = [view.strip.box(*columns) for columns in view.text.columns]
        beside = [box for box in read if not left <= box.x + box.width / 2 <= right]
        if not beside:
            break
        boxes = boxes + beside
        view = _view(network, plane, boxes, 1.0, None)
    accepted = constraint is None or constraint.accepts(found.labels)
    if accepted and view.text.labels == tuple(found.labels) and view.text.likely >= SURE:
        return [view]
    if constraint is not None:
        view = view._replace(text=decode(view.probabilities, network.step, constraint))
    return [view, *(_view(network, plane, boxes, height, constraint) for height in heights)]


def _views_of_picture(
    network: LineNetwork, plane: Plane, heights: Sequence[float], constraint: Constraint | None
) -> list[View]:
    """Return views of a picture as a single line, of this plane, for each place that it may have and each height."""
    rows, columns = plane.ink.shape
    amounts = plane.ink.sum(axis=1, dtype=np.float64)
    inked = [np.flatnonzero(amounts >= part * amounts.max()) for part in INKED]
    ends = [(int(held[0]), int(held[-1]) + 1) for held in inked]
    ends.append((round(rows * (1 - MIDDLE) / 2), max(1, round(rows * (1 + MIDDLE) / 2))))
    bands = [Box(0, top, columns, max(1, bottom - top)) for top, bottom in ends]
    return [_view(network, plane, [band], height, constraint) for band in bands for height in heights]


def _view(
    network: LineNetwork, plane: Plane, boxes: Sequence[Box], height: float, constraint: Constraint | None
) -> View:  # fmt: skip
    strip = strip_of(plane.ink, boxes, height)
    probabilities = network.probabilities(strip.image)
    return View(plane, strip, probabilities, decode(probabilities, network.step, constraint))


def voted(views: Sequence[View], labels: Sequence[int], size: tuple[int, int]) -> WholeLine:
    """Return the digits that are likeliest by all views together, with the places of the view that is surest of them.

    `labels` are what was read one by one; `size` is the picture's, (width, height).
    """
    votes: dict[tuple[int, ...], float] = {}
    for view in views:
        votes[view.text.labels] = votes.get(view.text.labels, 0.0) + view.text.likely
    told = {text: vote for text, vote in votes.items() if text} or votes
    said = max(told, key=lambda text: told[text])
    best = max((view for view in views if view.text.labels == said), key=lambda view: view.text.likely)
    ends = _between(best.text.columns, best.strip.width)
    boxes = tuple(in_frame(best.strip.box(*columns), best.plane.scale, size) for columns in ends)
    own = tuple(labels)
    others = sum(
        view.text.likely if own == view.text.labels else likelihood(view.probabilities, own, view.text.accepted)
        for view in views
    )
    count = len(views)
    return WholeLine(
        said, boxes, best.text.confidences, votes[said] / count, others / count, best.strip.image, tuple(ends)
    )  # fmt: skip


def _between(columns: Sequence[tuple[float, float]], width: int) -> list[tuple[float, float]]:
    """Return the columns that each digit may cover: half of the way to the next, and at most HIGH in all."""
    middles = [sum(each) / 2 for each in columns]
    ends = []
    for i, middle in enumerate(middles):
        before = middle - middles[i - 1] if i else HIGH
        after = middles[i + 1] - middle if i + 1 < len(middles) else HIGH
        half = min(before, after, HIGH) / 2
        ends.append((max(0.0, middle - half), min(float(width), middle + half)))
    return ends
