"""How well does the reader read under hard conditions? Generated pages of known digits, one condition at a time."""

import statistics
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.accuracy import letters
from benchmarks.accuracy.matching import match
from benchmarks.accuracy.score import characters_right, common_length, compact, score
from benchmarks.common.limits import read_limits
from edge_runtime import DigitReader
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, figure, share
from edge_runtime.pages.draw import Page, draw_page
from edge_runtime.records import Reading
from train import dataset
from train.conditions import CONDITIONS, SEVERITIES, style
from train.conditions import digits as digits_on


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The results on the pages of one condition and severity: counts of digits and lines, and milliseconds."""

    condition: str
    severity: int
    pages: int
    digits: int  # drawn
    reported: int
    matched: int  # drawn digits that a reported one covers
    right: int  # of those, the ones with the right label
    clean: int  # drawn digits that the classifier reads right from MNIST's own 28x28 bytes
    edits: int  # edit distance between a page's joined lines, without spaces
    lines: int
    exact_lines: int  # spaces between words included
    ms: float  # median, for reading a page

    @property
    def located(self) -> float:
        """Percent of the drawn digits that a reported one covers."""
        return 100 * self.matched / self.digits

    @property
    def read(self) -> float:
        """Percent of the drawn digits that are reported with the right label."""
        return 100 * self.right / self.digits

    @property
    def precision(self) -> float | None:
        """Percent of the reported digits that match a drawn one; None if none is reported."""
        return 100 * self.matched / self.reported if self.reported else None

    @property
    def baseline(self) -> float:
        """Percent of the drawn digits that the classifier reads right from MNIST's own bytes."""
        return 100 * self.clean / self.digits

    @property
    def drop(self) -> float:
        """The points by which `read` is below the baseline."""
        return self.baseline - self.read

    @property
    def error_rate(self) -> float:
        """Character error rate in percent: edits for each drawn digit."""
        return 100 * self.edits / self.digits


def run(
    out: Path, conditions: Sequence[str], severities: Sequence[int], pages: int, seed: int, split: str
) -> list[Cell]:
    """Measure, write robustness.json to `out`, and return a cell for each condition and severity."""
    digits = dataset.load("test" if split == "test" else "held_out")
    out.mkdir(parents=True, exist_ok=True)  # fails early if the folder is not writable
    with DigitReader() as reader:
        cells = measure(reader, digits, conditions or tuple(CONDITIONS), severities or SEVERITIES, pages, seed, split)
        settings = {"split": split, "seed": seed, "pages": pages, "min_confidence": reader.min_confidence}
    missed = misses(cells, read_limits()["robustness"])
    result.write(
        out / "robustness.json", "robustness", measures(cells), settings=settings, details=details(cells, missed)
    )
    return cells


def measure(
    reader: DigitReader, digits: dataset.Digits, conditions: Sequence[str], severities: Sequence[int], pages: int,
    seed: int, split: str,
) -> list[Cell]:  # fmt: skip
    """Return a cell for each condition and severity; reports progress on standard error."""
    cells = []
    total = len(conditions) * len(severities)
    with tqdm(total=total * pages, unit="page", disable=not sys.stderr.isatty()) as bar:
        for condition in conditions:
            for severity in severities:
                drawn = draw(digits, condition, severity, pages, seed, split)
                cells.append(_measure(reader, condition, severity, ((bar.update(), one)[1] for one in drawn)))
                if bar.disable:
                    print(f"{condition} {severity}: {len(cells)}/{total}", file=sys.stderr, flush=True)
    return cells


def draw(
    digits: dataset.Digits, condition: str, severity: int, pages: int, seed: int, split: str
) -> Iterator[tuple[Page, dataset.Digits]]:
    """Draw pages with the condition's number of digits, and yield each with its digits.

    Every severity of a condition has the same digits at the same places, as far as the severity allows.
    """
    look, count = style(condition, severity), digits_on(condition, severity)
    for number in range(pages):
        rng = np.random.default_rng([seed, zlib.crc32(split.encode()), zlib.crc32(condition.encode()), number])
        chosen = rng.choice(len(digits.images), count, replace=False)
        on_page = dataset.Digits(digits.images[chosen], digits.labels[chosen])
        typeface = letters.TYPEFACES[number % len(letters.TYPEFACES)]
        yield draw_page(on_page.images, on_page.labels, rng, look, letters.stamps(typeface)), on_page


def _measure(reader: DigitReader, condition: str, severity: int, drawn: Iterator[tuple[Page, dataset.Digits]]) -> Cell:
    counts = dict.fromkeys(("digits", "reported", "matched", "right", "clean", "edits", "lines", "exact_lines"), 0)
    ms = []
    for page, digits in drawn:
        started = perf_counter_ns()
        reading = reader.read(page.pixels)
        ms.append((perf_counter_ns() - started) / 1e6)
        best = reader.classifier.scores(digits.images).argmax(axis=1)
        clean = sum(reader.classifier.labels[i] == str(label) for i, label in zip(best, digits.labels, strict=True))
        for name, count in (compare(page, reading) | {"clean": clean}).items():
            counts[name] += count
    return Cell(condition=condition, severity=severity, pages=len(ms), ms=statistics.median(ms), **counts)


def compare(page: Page, reading: Reading) -> dict[str, int]:
    """Return the counts of a Cell for one page, all but `clean`."""
    pairs = match([digit.box for digit in reading.digits], [digit.box for digit in page.digits])
    return {
        "digits": len(page.digits),
        "reported": len(reading.digits),
        "matched": len(pairs),
        "right": sum(reading.digits[i].label == page.digits[j].label for i, j in pairs),
        "edits": score([compact(line) for line in page.text], reading.text).edits,
        "lines": len(page.text),
        "exact_lines": common_length(page.text, reading.text),
    }


def misses(cells: Sequence[Cell], limits: dict[str, Any]) -> list[str]:
    """Return a line for every missed limit, with its place and the margin.

    `limits` is the table [robustness] of thresholds.toml.
    """
    missed = []
    for cell in cells:
        bounds = limits.get(f"severity-{cell.severity}")
        if bounds is None:
            continue
        where = f"{cell.condition} {cell.severity}"
        for name in ("located", "precision"):
            value, least = getattr(cell, name), bounds[name]
            if value is not None and not value >= least - 1e-9:
                missed.append(f"{where}: {name} {value:.1f} %, {least - value:.1f} below the limit of {least:.1f} %")
        drop, most = cell.drop, bounds["max_drop"]
        if not drop <= most + 1e-9:
            missed.append(
                f"{where}: read {cell.read:.1f} %, {drop:.1f} points below the classifier's {cell.baseline:.1f} %, "
                f"where {most:.1f} are allowed"
            )
    return missed


def table(cells: Sequence[Cell]) -> str:
    """Return the cells as lines of text, one for each condition and severity."""
    wide = max(len(cell.condition) for cell in cells)
    lines = [
        f"{'':<{wide}}  severity  located  precision     read  baseline  error rate  exact lines  ms/page",
        *(
            f"{cell.condition if i == 0 or cells[i - 1].condition != cell.condition else '':<{wide}}"
            f"{cell.severity:>10}{cell.located:>7.1f} %{_percent(cell.precision):>11}{cell.read:>7.1f} %"
            f"{cell.baseline:>8.1f} %{cell.error_rate:>10.1f} %"
            f"{f'{cell.exact_lines} of {cell.lines}':>13}{cell.ms:>9.1f}"
            for i, cell in enumerate(cells)
        ),
    ]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} %"


def summary(cells: Sequence[Cell], missed: Sequence[str], limits: dict[str, Any]) -> str:
    """Return a line for each severity with limits, and a line for each missed limit."""
    lines = []
    for severity in SEVERITIES:
        conditions = [cell.condition for cell in cells if cell.severity == severity]
        if conditions and f"severity-{severity}" in limits:
            hold = sum(not any(line.startswith(f"{name} {severity}: ") for line in missed) for name in conditions)
            lines.append(f"severity {severity}: all limits hold under {hold} of {len(conditions)} conditions")
    return "\n".join([*lines, *(f"  {line}" for line in missed)])


def measures(cells: Sequence[Cell]) -> list[Measure]:
    """Return the measures that compare with another run, for each condition and severity.

    The time of a single reading has no interval and no better direction; `latency` times pages in turns.
    """
    measured = []
    for cell in cells:
        where = f"{cell.condition} {cell.severity}"
        measured.append(share(f"{where}/located", cell.matched, cell.digits))
        if cell.reported:
            measured.append(share(f"{where}/precision", cell.matched, cell.reported))
        measured += [
            share(f"{where}/read", cell.right, cell.digits),
            share(f"{where}/classifier alone", cell.clean, cell.digits),
            characters_right(where, cell.edits, cell.digits),
            share(f"{where}/exact lines", cell.exact_lines, cell.lines),
            figure(f"{where}/a page", 1e6 * cell.ms, "ns"),
        ]
    return measured


def details(cells: Sequence[Cell], missed: Sequence[str]) -> dict[str, Any]:
    """Return the details of robustness.json: every count, and the missed limits."""
    derived = ("located", "precision", "read", "baseline", "error_rate")
    return {
        "passed": not missed,
        "missed": list(missed),
        "cells": [asdict(cell) | {name: _rounded(getattr(cell, name)) for name in derived} for cell in cells],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
