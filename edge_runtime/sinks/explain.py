"""Draws a trace as one picture of all stages, which shows why a digit was missed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

import cv2
import numpy as np

from edge_runtime.lines.written import Recheck
from edge_runtime.records import Box, Frame, Rejection, Timings, Uint8
from edge_runtime.sinks.canvas import MARGIN, PALE, PAPER, ROW, TEXT, WIDTH, blank, cell, grid, scaled, write
from edge_runtime.sinks.draw import ON_LIGHT, Caption, Color, annotate, outline
from edge_runtime.trace import Trace
from edge_runtime.vision.candidates import READ_PLANE, Candidate
from edge_runtime.vision.lines import group_into_lines
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.regions import THRESHOLDS
from edge_runtime.vision.rejection import READ_ELSEWHERE

HIGHEST = 950  # pixels, greatest height of one stage's picture; boxes in larger ones have broad lines
LARGEST = 8  # greatest enlargement of a small picture
LINES = 12  # most lines of text shown per column
MOST_READ, MOST_REJECTED, MOST_OTHERS = 80, 80, 40  # most crops shown
MOST_CHECKS, MOST_TEXTS = 12, 3  # most reread lines shown, and most other texts of each
READ, REJECTED, OTHER = ON_LIGHT.read, ON_LIGHT.rejected, (165, 165, 165)
GAVE_WAY: Color = (150, 150, 150)
NEVER_SEEN: Color = (215, 215, 215)

GUIDE = (
    ("Find the digit in picture 1, then look for it in the others:", TEXT),
    ("not in 2: too little contrast, strokes too broad, or the ink of another plane", TEXT),
    ("in 2, without a box in 3: too faint, too small for this plane, or in a texture", TEXT),
    ("pale in 3: no digit's size or shape; the network never saw it", TEXT),
    ("only gray in 3: its parts, or what it is a part of, looked more like a digit", TEXT),
    ("one box with a neighbor in 3: they touch; look for a piece of it below", TEXT),
    ("red in 4, and below: rejected; the reason is the strongest evidence against it", REJECTED),
    ("green below, but wrong: look at what the network saw; all planes that show it count", READ),
    ("gray below: the same ink, split, merged or on another plane, which fitted less", PALE),
)


def explain(trace: Trace, labels: Sequence[str] = "0123456789") -> Uint8:
    """Return a picture, uint8 (H, 1600, 3) blue-green-red, of the results of all stages for a page.

    From top to bottom: what was read, how many candidates were rejected for which reason, and the page model; the page,
    the ink of its best plane, the regions there, and the candidates chosen; the 28x28 inputs of the classifier; the
    input strips of the line network. `labels` names the classifier's classes.
    """
    return np.vstack([_summary(trace), _stages(trace, labels), *_crops(trace, labels), *_strips(trace, labels)])


def _summary(trace: Trace) -> Uint8:
    """Return text: what was read and rejected, the page model, the times, and a guide to the rest."""
    reading, (height, width) = trace.reading, trace.planes[0].ink.shape
    title = f"{PurePath(reading.source).name or 'picture'}, {reading.width} x {reading.height} pixels"
    if (width, height) != (reading.width, reading.height):
        title += f", read at {width} x {height}"
    reasons = Counter(rejection.reason for rejection in reading.rejected).most_common()
    columns = (
        (f"Read: {len(reading.digits)}", READ, 260, [(line, TEXT) for line in reading.text]),
        (f"Rejected: {len(reading.rejected)}", REJECTED, 200, [(f"{count:4}  {why}", TEXT) for why, count in reasons]),
        ("Digits on this page", TEXT, 260, _page_model(trace)),
        (f"Time: {reading.ms.total:.1f} ms", TEXT, 190, [*_times(reading.ms), (f"model {reading.model}", PALE)]),
        ("Why was a digit missed?", TEXT, 680, list(GUIDE)),
    )
    rows = max(min(len(lines), LINES) for _, _, _, lines in columns)
    block = blank(50 + (rows + 2) * ROW)
    write(block, title, (MARGIN, 34), 0.8)
    x = MARGIN
    for heading, color, space, lines in columns:
        write(block, heading, (x, 70), 0.6, color)
        if len(lines) > rows:
            lines = [*lines[: rows - 1], (f"and {len(lines) - rows + 1} more lines", PALE)]
        for i, (line, paint) in enumerate(lines):
            write(block, line, (x, 74 + (i + 1) * ROW), 0.45, paint, space - MARGIN)
        x += space
    return block


def _page_model(trace: Trace) -> list[tuple[str, Color]]:
    """Return text about the digits on this page, and the score of each plane; planes not read are pale."""
    page, best = trace.page, trace.page.scores.max()
    if page.plane is None:
        return [("no digits on any plane", PALE)]
    pen = "unknown" if page.stroke_width is None else f"{page.stroke_width:.1f} pixels"
    darkness = page.darkness[page.plane]
    dark = "unknown" if np.isnan(darkness) else f"{darkness:.0f} of 255"
    lines = [(f"height {page.height:.0f} pixels", TEXT), (f"pen {pen}", TEXT), (f"darkness {dark}", TEXT)]
    lines.append(("score of each plane:", PALE))
    for i in np.argsort(-page.scores, kind="stable").tolist():
        if (share := page.scores[i] / best) >= 0.005:
            lines.append((f"{share:5.0%}  {_name(trace.planes[i])}", TEXT if share >= READ_PLANE else PALE))
    return lines


def _name(plane: Plane) -> str:
    return f"{'light' if plane.light else 'dark'} ink, level {plane.level}"


def _times(ms: Timings) -> list[tuple[str, Color]]:
    rest = ms.total - ms.ink - ms.locate - ms.normalize - ms.classify
    times = ms.ink, ms.locate, ms.normalize, ms.classify, rest
    stages = "ink", "regions", "crops", "network", "rest"
    return [(f"{time:6.1f}  {stage}", TEXT) for time, stage in zip(times, stages, strict=True)]


def _stages(trace: Trace, labels: Sequence[str]) -> Uint8:
    """Return the pictures of the page, its best plane's ink and regions, and the candidates, with their titles."""
    height, width = trace.planes[0].ink.shape
    slender = height > 2 * width or max(width, height) * LARGEST < WIDTH / 4
    across = 1 if width > 4 * height else 4 if slender else 2
    step = (WIDTH - MARGIN) // across
    scale = min((step - MARGIN) / width, HIGHEST / height, LARGEST)
    scale = int(scale) if scale >= 2 else scale  # a whole number, where pixels are visible
    size = max(1, round(width * scale)), max(1, round(height * scale))
    best = trace.page.plane or 0
    plane = trace.planes[best]
    ink = np.asarray(
        cv2.convertScaleAbs(plane.ink, alpha=255 / np.nan_to_num(trace.page.darkness[best], nan=255)), np.uint8
    )
    kind = "light" if plane.light else "dark"
    count = sum(region.plane == best for region in trace.regions)
    page = _annotated(trace, trace.frame.pixels, trace.reading.rejected, size)
    panels = (
        ("1. The page", "green: what was read; red: what was rejected, and why", page),
        (
            f"2. The best plane: {_name(plane)}",
            f"white: as {kind} as the digits; a pixel is {plane.scale:.3g} of the page's",
            np.dstack([scaled(ink, size)] * 3),
        ),
        (
            f"3. Its regions: {count}",
            "in color: how likely a digit; gray: its parts or its whole count instead; pale: the network never saw it",
            _regions(trace, best, size, len(labels) > trace.confidences.shape[1]),
        ),
        (
            f"4. The candidates chosen, of all planes: {len(trace.chosen)}",
            "green: read; red: rejected, and why (its ink may be read in another way); over the ink of 2",
            _chosen(trace, ink, size),
        ),
    )
    down = size[1] + 2 * ROW + MARGIN
    block = blank(4 // across * down)
    for i, (title, subtitle, picture) in enumerate(panels):
        x, y = MARGIN + i % across * step, i // across * down
        write(block, title, (x, y + 16), 0.55, space=step - MARGIN)
        write(block, subtitle, (x, y + 34), 0.4, PALE, space=step - MARGIN)
        y += 2 * ROW
        block[y : y + size[1], x : x + size[0]] = picture
        cv2.rectangle(block, (x - 1, y - 1), (x + size[0], y + size[1]), NEVER_SEEN)
    return block


def _chosen(trace: Trace, ink: Uint8, size: tuple[int, int]) -> Uint8:
    """Return ink at this size, pale on white, with the digits read and all candidates rejected drawn over it."""
    rejected = [
        Rejection(_box(trace, trace.candidates[i]), reason, float(trace.confidences[i].max()))
        for i, reason in zip(trace.chosen, trace.reasons, strict=True)
        if reason is not None and reason != READ_ELSEWHERE
    ]
    return _annotated(trace, 255 - ink // 2, rejected, size)


def _annotated(trace: Trace, pixels: Uint8, rejected: Sequence[Rejection], size: tuple[int, int]) -> Uint8:
    reading, before = trace.reading, trace.frame.size
    across, down = size[0] / before[0], size[1] / before[1]
    digits = tuple(replace(digit, box=digit.box.scaled(size, across, down)) for digit in reading.digits)
    moved = tuple(replace(rejection, box=rejection.box.scaled(size, across, down)) for rejection in rejected)
    return annotate(Frame(scaled(pixels, size)), replace(reading, digits=digits, rejected=moved))


def _regions(trace: Trace, plane: int, size: tuple[int, int], knows_others: bool) -> Uint8:
    """Return a picture of a plane's regions at this size: the standing ones as network inputs, the rest as boxes."""
    ink = trace.planes[plane].ink
    standing = set(trace.standing)
    regions = {i: region for i, region in enumerate(trace.regions) if region.plane == plane}
    shown = [i for i, region in regions.items() if region.ink is not None and i in standing]
    hues = np.array([[[i * 0.618034 % 1 * 180, 255, 190] for i in range(len(shown) or 1)]])
    colors = dict(zip(shown, cv2.cvtColor(hues.astype(np.uint8), cv2.COLOR_HSV2BGR)[0].tolist(), strict=False))
    picture = np.full((*ink.shape, 3), PAPER, np.uint8)
    picture[ink >= THRESHOLDS[0]] = NEVER_SEEN
    for i in shown:
        seen = regions[i].ink
        picture[regions[i].place.slices][np.asarray(seen) >= THRESHOLDS[0]] = colors[i]
    picture = scaled(picture, size)
    across, down = size[0] / ink.shape[1], size[1] / ink.shape[0]
    boxes = {i: region.box.scaled(size, across, down) for i, region in regions.items()}
    kinds = {i: 2 if i in colors else region.ink is not None for i, region in regions.items()}
    for i in sorted(regions, key=kinds.__getitem__):
        outline(picture, boxes[i], colors.get(i, GAVE_WAY if kinds[i] else NEVER_SEEN), 1)
    taken = np.zeros(picture.shape[:2], np.bool_)
    for row, candidate in enumerate(trace.candidates):
        if candidate.region is not None and candidate.region in colors:
            values = trace.confidences[row]
            likely = Caption(f"{values.sum() if knows_others else values.max():.0%}", 0.35, 1)
            if place := likely.claim(taken, boxes[candidate.region]):
                likely.write(picture, place, colors[candidate.region], PAPER)
    return picture


def _crops(trace: Trace, labels: Sequence[str]) -> list[Uint8]:
    """Return the classifier's inputs in three groups: read, rejected, and the same ink in other candidates."""
    why = dict(zip(trace.chosen, trace.reasons, strict=True))
    sure = np.argsort(-trace.confidences.max(axis=1, initial=0.0), kind="stable").tolist()
    read = [i for i in reversed(sure) if i in why and why[i] is None]
    others = [i for i in sure if why.get(i, READ_ELSEWHERE) == READ_ELSEWHERE]
    rejected = [i for i in sure if why.get(i) not in (None, READ_ELSEWHERE)]
    groups = (
        ("5. Read", "least sure", read[:MOST_READ], len(read), READ),
        ("6. Rejected", "surest", rejected[:MOST_REJECTED], len(rejected), REJECTED),
        ("7. The same ink, split, merged or on other planes", "surest", others[:MOST_OTHERS], len(others), OTHER),
    )
    blocks = []
    for title, kind, shown, count, color in groups:
        lines = group_into_lines([_box(trace, trace.candidates[i]) for i in shown])
        cells = [
            cell(trace.images[i], _caption(trace, labels, i, why.get(i)), color)
            for i in (shown[k] for line in lines for word in line for k in word)
        ]
        left_out = count - len(shown)
        suffix = f"; shown: the {len(shown)} {kind}; left out: {left_out}" if left_out else ""
        blocks.append(grid(f"{title}: {count}{suffix}", cells, color))
    return blocks


def _strips(trace: Trace, labels: Sequence[str]) -> list[Uint8]:
    """Return the line network's input strips, each beside both readings, the reported one green, and other texts.

    Return an empty list where there are none.
    """
    checks = [check for check in trace.checks if check is not None]
    if not checks:
        return []
    shown, reported = checks[:MOST_CHECKS], {text.replace(" ", "") for text in trace.reading.text}
    rows, columns = checks[0].whole.strip.shape
    block = blank(ROW + len(shown) * (2 * rows + MARGIN) + MARGIN)
    left_out = f"; shown: the first {len(shown)}" if len(checks) > len(shown) else ""
    title = f"8. Lines reread as a whole: {len(checks)}{left_out}. The two probabilities are of different networks"
    write(block, title, (MARGIN, 16), 0.55)
    for i, check in enumerate(shown):
        y = ROW + MARGIN + i * (2 * rows + MARGIN)
        strip = cv2.bitwise_not(cv2.resize(check.whole.strip, (2 * columns, 2 * rows)))
        block[y : y + 2 * rows, MARGIN : MARGIN + 2 * columns] = strip[..., None]
        said = "".join(_label(labels, k) for k in check.whole.labels)
        own = f"digit by digit: {check.text or 'nothing'}, {check.likely:.0%} likely"
        network = f"by the line network: {said or 'nothing'}, {check.whole.likely:.0%} likely"
        others = _others(check, labels, said)
        for k, (words, text) in enumerate(((own, check.text), (network, said), (others, None))):
            color = READ if text in reported else PALE
            write(block, words, (3 * MARGIN + 2 * columns, y + 16 + k * ROW), 0.5, color)
    return [block]


def _others(check: Recheck, labels: Sequence[str], said: str) -> str:
    """Return the other texts that a line may have, the likeliest by the line network first."""
    texts = sorted(check.whole.texts, key=lambda text: -text.line)
    known = ["".join(_label(labels, k) for k in text.labels) for text in texts]
    others = [text for text in known if text not in (check.text, said)][:MOST_TEXTS]
    return f"other texts: {', '.join(others)}" if others else ""


def _caption(trace: Trace, labels: Sequence[str], i: int, reason: str | None) -> list[str]:
    """Return a candidate's caption: label and confidence, why it was rejected, its place and its kind."""
    candidate, best = trace.candidates[i], int(trace.confidences[i].argmax())
    first = f"{_label(labels, best)}  {trace.confidences[i, best]:.0%}"
    kind = ""
    if candidate.region is None:
        kind = " piece" if any(candidate.parts < whole.parts for whole in trace.candidates) else " joined"
    box = _box(trace, candidate)
    reason = "another plane" if reason == READ_ELSEWHERE else reason
    return [line for line in (first, reason, f"{box.x},{box.y}{kind}") if line]


def _label(labels: Sequence[str], k: int) -> str:
    """Return the name of a class of the classifier, or its number where it has none."""
    return labels[k] if k < len(labels) else str(k)


def _box(trace: Trace, candidate: Candidate) -> Box:
    return candidate.box.scaled((trace.pixels.shape[1], trace.pixels.shape[0]), trace.planes[candidate.plane].scale)
