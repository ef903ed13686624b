"""One HTML file with the pages read, pictures included: expected lines, read lines, differences."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.accuracy.score import Summary, align, compact, grid
from benchmarks.accuracy.truth import printable
from edge_runtime.records import Frame, Reading
from edge_runtime.sinks.draw import annotate
from train import template

LONG_SIDE = 900  # of a picture, in pixels
JPEG_QUALITY = 80
TEMPLATE = Path(__file__).with_suffix(".html.j2")
Runs = list[tuple[str, bool]]  # the parts of a line, and whether each is right


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One page of the gallery. Texts may hold anything; the gallery escapes them."""

    name: str
    verdict: str
    exact: bool
    expected: Sequence[str]  # lines of digits
    read: Sequence[str]  # lines of labels; spaces are shown but not compared
    facts: Mapping[str, str]  # further facts by name; empty ones are left out
    preview: bytes  # a JPEG file


@dataclass(frozen=True)
class Chart:
    """A PNG picture below the table, and its caption."""

    caption: str
    picture: bytes


def preview(frame: Frame, reading: Reading) -> bytes:
    """Return a JPEG file: the frame with its reading drawn over it, at most LONG_SIDE pixels wide and high."""
    annotated = annotate(frame, reading)
    scale = LONG_SIDE / max(frame.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in frame.size)
        annotated = np.asarray(cv2.resize(annotated, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", annotated, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def render(
    title: str, facts: str, summaries: Mapping[str, Summary], entries: Sequence[Entry], unreadable: Sequence[str],
    chart: Chart | None = None,
) -> str:  # fmt: skip
    """Return a whole HTML file: the table of `summaries`, a line for each unreadable picture, then the entries.

    Inexact entries come first; otherwise the order is kept. `facts` is a line on the measurement.
    """
    head, *rows = grid(summaries)
    return template.load(TEMPLATE, printable).render(
        title=title, facts=facts, head=head, rows=rows, entries=entries, unreadable=unreadable, chart=chart,
        size=_size, compared=_compared,
    )  # fmt: skip


def _size(picture: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(picture)) as opened:
        return opened.size


def _compared(entry: Entry) -> list[tuple[Runs, Runs]]:
    """Return the pairs of a true line and the line read for it, with missed and wrongly read digits apart."""
    pairs = align(entry.expected, [compact(line) for line in entry.read])
    return [_differences("" if i is None else entry.expected[i], "" if j is None else entry.read[j]) for i, j in pairs]


def _differences(expected: str, read: str) -> tuple[Runs, Runs]:
    compared = compact(read)
    same = [(i, j) for i, j in align(expected, compared) if i is not None and j is not None]
    same = [(i, j) for i, j in same if expected[i] == compared[j]]
    gaps = [k for k, character in enumerate(read) if character.isspace()]
    inked = [k for k, character in enumerate(read) if not character.isspace()]
    return _runs(expected, {i for i, _ in same}), _runs(read, {inked[j] for _, j in same}.union(gaps))


def _runs(line: str, right: set[int]) -> Runs:
    """Return the line as texts that are right, or not, in turn."""
    runs = groupby(range(len(line)), key=lambda k: k in right)
    return [("".join(line[k] for k in run), is_right) for is_right, run in runs]
