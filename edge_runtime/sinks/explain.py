"""Trace -> one picture of every stage, in which a person sees why a digit was missed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

import cv2
import numpy as np

from edge_runtime.marks import calm
from edge_runtime.reader import Trace
from edge_runtime.vision.lines import order
from edge_runtime.records import Box, Candidate, Frame, Timings, Uint8
from edge_runtime.sinks.canvas import MARGIN, PALE, PAPER, ROW, TEXT, WIDTH, blank, cell, grid, scaled, write
from edge_runtime.sinks.draw import ON_LIGHT, Caption, Color, annotate

HIGHEST = 1000  # pixels that the picture of one stage is high at most
LARGEST = 8  # a small picture is enlarged so many times at most
LINES = 12  # of what was read that are shown at most
MOST_READ, MOST_REJECTED, MOST_OTHERS = 80, 80, 40  # crops that are shown
READ, REJECTED, OTHER = ON_LIGHT.read, ON_LIGHT.rejected, (165, 165, 165)
FAINT: Color = (40, 140, 255)  # ink that does not count
NO_MARK: Color = (215, 215, 215)

GUIDE = (
    ("Find the digit in picture 1, then look for it in the others:", TEXT),
    ("gone or gray in 2: too little contrast", TEXT),
    ("orange in 3: its ink is too faint to count", TEXT),
    ("gray in 4: too pale, or no digit's shape; the network never saw it", TEXT),
    ("of one color with its neighbor in 4: they touch", TEXT),
    ("of several colors in 4: a broken stroke, or a cut where there might be two digits", TEXT),
    ("in a red frame below: the network saw it, and it was rejected", REJECTED),
    ("in a green frame below: read; if the label is wrong, look what the network saw", READ),
    ("in a gray frame below: the same ink taken in another way, which fitted less", PALE),
)


def explain(trace: Trace, labels: Sequence[str] = "0123456789") -> Uint8:
    """Return a picture, uint8 (H, 1600, 3) blue-green-red, of what every stage made of a page.

    From top to bottom: what was read, and how many marks were rejected for which reason; the page, its ink, the ink
    that counts, and the marks; the 28x28 crops that the network saw. `labels` names the network's classes.
    """
    return np.vstack([_summary(trace), _stages(trace), *_crops(trace, labels)])


def _summary(trace: Trace) -> Uint8:
    """Return in words what was read and rejected, the time it took, and how to look at the rest."""
    reading, (height, width) = trace.reading, trace.ink.shape
    title = f"{PurePath(reading.source).name or 'picture'}, {reading.width} x {reading.height} pixels"
    if (width, height) != (reading.width, reading.height):
        title += f", read at {width} x {height}"
    reasons = Counter(rejection.reason for rejection in reading.rejected).most_common()
    seen = sum(rejection.confidence is not None for rejection in reading.rejected)
    rejected = [(f"{count:4}  {reason}", TEXT) for reason, count in reasons]
    rejected += [(f"the network saw {seen} of them", PALE)] if reasons else []
    columns = (
        (f"Read: {len(reading.digits)}", READ, 310, [(line, TEXT) for line in reading.text]),
        (f"Rejected: {len(reading.rejected)}", REJECTED, 260, rejected),
        (f"Time: {reading.ms.total:.1f} ms", TEXT, 260, [*_times(reading.ms), (f"model {reading.model}", PALE)]),
        ("Why was a digit missed?", TEXT, 740, list(GUIDE)),
    )
    rows = max(min(len(lines), LINES) for _, _, _, lines in columns)
    block = blank(50 + (rows + 2) * ROW)
    write(block, title, (MARGIN, 34), 0.8)
    x = MARGIN
    for heading, color, room, lines in columns:
        write(block, heading, (x, 70), 0.6, color)
        if len(lines) > rows:
            lines = [*lines[: rows - 1], (f"and {len(lines) - rows + 1} more lines", PALE)]
        for i, (line, paint) in enumerate(lines):
            write(block, line, (x, 74 + (i + 1) * ROW), 0.45, paint, room - MARGIN)
        x += room
    return block


def _times(ms: Timings) -> list[tuple[str, Color]]:
    rest = ms.total - ms.ink - ms.locate - ms.normalize - ms.classify
    stages = (("ink", ms.ink), ("marks", ms.locate), ("crops", ms.normalize), ("network", ms.classify), ("rest", rest))
    return [(f"{time:6.1f}  {stage}", TEXT) for stage, time in stages]


def _stages(trace: Trace) -> Uint8:
    """Return the pictures of the page, its ink, the ink that counts, and the marks, with their titles."""
    plane, threshold = calm(trace.ink)
    height, width = trace.ink.shape
    slender = height > 2 * width or max(width, height) * LARGEST < WIDTH / 4
    across = 1 if width > 4 * height else 4 if slender else 2
    step = (WIDTH - MARGIN) // across
    scale = min((step - MARGIN) / width, HIGHEST / height, LARGEST)
    scale = int(scale) if scale >= 2 else scale  # whole pixels, where they can be seen
    size = max(1, round(width * scale)), max(1, round(height * scale))
    found = f"4. The marks: {len(trace.located.marks)}"
    panels = (
        ("1. The page", "green: what was read; red: what was rejected, and why", _page(trace, size)),
        ("2. The ink", "how much each pixel differs from the paper around it", _color(scaled(trace.ink, size))),
        (
            "3. The ink that counts",
            f"white: from {threshold} of 255; orange: fainter",
            _counting(plane, threshold, size),
        ),
        (
            found,
            "connected ink, each in a color; gray: the network never saw it",
            _marks(trace, plane, threshold, size),
        ),
    )
    down = size[1] + 2 * ROW + MARGIN
    block = blank(4 // across * down)
    for i, (title, subtitle, picture) in enumerate(panels):
        x, y = MARGIN + i % across * step, i // across * down
        write(block, title, (x, y + 16), 0.55, room=step - MARGIN)
        write(block, subtitle, (x, y + 34), 0.4, PALE, room=step - MARGIN)
        y += 2 * ROW
        block[y : y + size[1], x : x + size[0]] = picture
        cv2.rectangle(block, (x - 1, y - 1), (x + size[0], y + size[1]), NO_MARK)
    return block


def _page(trace: Trace, size: tuple[int, int]) -> Uint8:
    """Return the page at this size, (width, height), with the reading drawn over it."""
    reading = trace.reading
    before = reading.width, reading.height
    digits = tuple(replace(digit, box=_moved(digit.box, before, size)) for digit in reading.digits)
    rejected = tuple(replace(mark, box=_moved(mark.box, before, size)) for mark in reading.rejected)
    return annotate(Frame(scaled(trace.pixels, size)), replace(reading, digits=digits, rejected=rejected))


def _moved(box: Box, before: tuple[int, int], after: tuple[int, int]) -> Box:
    """Return where a box lies once its picture, which was (width, height), is of another size."""
    across, down = after[0] / before[0], after[1] / before[1]
    x, y = int(box.x * across), int(box.y * down)
    return Box(x, y, max(1, round(box.right * across) - x), max(1, round(box.bottom * down) - y))


def _counting(plane: Uint8, threshold: int, size: tuple[int, int]) -> Uint8:
    """Return the ink, uint8 (H, W), at this size: white where it counts, of another color where it is fainter."""
    colors = np.outer(np.arange(256) / threshold, FAINT)
    colors[threshold:] = 255
    return scaled(colors.astype(np.uint8)[plane], size)


def _marks(trace: Trace, plane: Uint8, threshold: int, size: tuple[int, int]) -> Uint8:
    """Return the marks at this size, each in its color and, where there is room, with its number from 1."""
    boxes = trace.located.marks
    alone = {min(found.marks): found.ink for found in trace.located.candidates if len(found.marks) == 1}
    picture = np.full((*plane.shape, 3), PAPER, np.uint8)
    picture[plane >= threshold] = NO_MARK
    hues = np.array([[[i * 0.618034 % 1 * 180, 255, 190] for i in range(len(boxes) or 1)]])
    colors = cv2.cvtColor(hues.astype(np.uint8), cv2.COLOR_HSV2BGR)[0]
    for i, box in enumerate(boxes):
        ink = alone[i] if i in alone else plane[box.y : box.bottom, box.x : box.right]
        # A candidate's ink has a rim of a pixel around its box, except at the edges of the picture.
        x = max(0, box.x - (ink.shape[1] - box.width + 1) // 2)
        y = max(0, box.y - (ink.shape[0] - box.height + 1) // 2)
        part = picture[y : y + ink.shape[0], x : x + ink.shape[1]]
        part[ink[: part.shape[0], : part.shape[1]] >= threshold] = colors[i]
    picture = scaled(picture, size)
    taken = np.zeros(picture.shape[:2], np.bool_)
    for i, box in enumerate(boxes):
        number = Caption(str(i + 1), 0.4, 1)
        if place := number.claim(taken, _moved(box, plane.shape[::-1], size)):
            number.write(picture, place, tuple(colors[i].tolist()), PAPER)
    return picture


def _crops(trace: Trace, labels: Sequence[str]) -> list[Uint8]:
    """Return what the network saw in three groups: read, rejected, and not chosen."""
    why = dict(zip(trace.chosen, trace.reasons, strict=True))
    sure = np.argsort(-trace.confidences.max(axis=1, initial=0.0), kind="stable").tolist()
    read = [i for i in reversed(sure) if i in why and why[i] is None]
    rejected = [i for i in sure if why.get(i) is not None]
    others = [i for i in sure if i not in why]
    groups = (
        ("5. Read", "least sure", read[:MOST_READ], len(read), READ),
        ("6. Seen by the network, and rejected", "surest", rejected[:MOST_REJECTED], len(rejected), REJECTED),
        ("7. Not chosen: the same ink in other cuts and joins", "surest", others[:MOST_OTHERS], len(others), OTHER),
    )
    candidates, blocks = trace.located.candidates, []
    for title, kind, shown, count, color in groups:
        lines = order([candidates[i].box for i in shown])
        cells = [
            cell(trace.images[i], _caption(trace, labels, i, why.get(i)), color)
            for i in (shown[k] for line in lines for word in line for k in word)
        ]
        left_out = count - len(shown)
        note = f"; here are the {len(shown)} {kind}, {left_out} are left out" if left_out else ""
        blocks.append(grid(f"{title}: {count}{note}", cells, color))
    return blocks


def _caption(trace: Trace, labels: Sequence[str], i: int, reason: str | None) -> list[str]:
    """Return what there is to say of a candidate: label and confidence, why it was rejected, and its marks."""
    best = int(trace.confidences[i].argmax())
    label = labels[best] if best < len(labels) else str(best)
    first = f"{label}  {trace.confidences[i, best]:.0%}"
    return [line for line in (first, reason, _numbers(trace.located.candidates[i])) if line]


def _numbers(candidate: Candidate) -> str:
    numbers = [str(number + 1) for number in sorted(candidate.marks)]
    text = f"mark{'s' * (len(numbers) > 1)} {'+'.join(numbers)}"
    return text if len(text) <= 13 else f"{len(numbers)} marks"


def _color(gray: Uint8) -> Uint8:
    return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
