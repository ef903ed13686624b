"""The report's accuracy against speed: every model and peer as a point and as a table row."""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.charts import models as charts_models
from benchmarks.charts.models import Model
from benchmarks.charts.ratios import interval
from benchmarks.charts.scales import duration, percent, size
from benchmarks.charts.svg import chart
from benchmarks.report.page import Parts, figure, marked, paragraph, table
from benchmarks.report.results import RECIPES, Absent, Result, Results
from benchmarks.speed.single_digit import BARE, CONFIDENCES, SCORES
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, Ratio

ONE, BESIDE, KERAS, LITERT = "one digit/", "one digit beside Keras/", "Keras ", "LiteRT "
INT8 = RECIPES[-1]
HEAD = ["", "read right", "as the full network", "file", "one digit", "times as long"]
KNOWN = ("accuracy", "agreement", "file")
OF_INT8 = (SCORES, CONFIDENCES, BARE)  # three ways to call the same file
AGAIN = "run()"  # ends the name of a second call of the same network, whose point coincides with the first


class Row(NamedTuple):
    """One way to read a digit: percents of test digits, bytes, nanoseconds, ratio to ours."""

    name: str
    accuracy: float | None
    agreement: float | None
    bytes: float | None
    nanoseconds: float | None
    ratio: Ratio | None
    unstable: bool
    ours: bool

    @property
    def is_point(self) -> bool:
        """Whether the chart shows it; a second call of the same network in the same runtime has no point."""
        again = any(self.name.endswith(end) for end in (CONFIDENCES, BARE, AGAIN))
        return not again and self.accuracy is not None and bool(self.nanoseconds or self.bytes)


def models(results: Results) -> Parts:
    """Return the section on accuracy against time and size, of all models and peers."""
    every = rows(results)
    points = [Model(row.name, row.accuracy or 0, row.nanoseconds, row.bytes, row.ours) for row in every if row.is_point]
    if not points:
        raise Absent("accuracies and times of the same models")
    lines = [
        [marked(row.name, row.unstable), "" if row.accuracy is None else percent(row.accuracy),
         "" if row.agreement is None else percent(row.agreement), "" if row.bytes is None else size(row.bytes),
         "" if row.nanoseconds is None else duration(row.nanoseconds), multiple(row.ratio)]
        for row in every
    ]  # fmt: skip
    return [
        paragraph("All are measured on the same 10,000 test digits, so that speed does not hide errors; one digit is "
                  "0.01 %. The upper left is best."),
        figure(chart("models", "Scatter: percent of test digits read right over time of one digit, and over file size",
                     lambda wide: charts_models.draw(points, wide)), ""),
        table("Models and peers", HEAD, lines),
    ]  # fmt: skip


def multiple(ratio: Ratio | None) -> str:
    """Return a ratio with its interval, 1 for the reference itself, or nothing without a ratio."""
    return "" if ratio is None else "1" if ratio == Ratio(1, 1, 1) else interval(ratio)


def rows(results: Results) -> list[Row]:
    """Return the rows of all models and peers, the model that ships first.

    All values come from one run of `peers`, if there is one, otherwise from `parity` and `latency`.
    """
    peers = results.by_benchmark.get("peers")
    return _of_parity(results) if peers is None else _of_peers(peers)


def _of_peers(peers: Result) -> list[Row]:
    return [
        _row(f"{INT8} {name}" if name in OF_INT8 else name,
             [peers.measures.get(f"{name}/{what}") for what in KNOWN], peers, ONE + name, ONE + SCORES,
             ours=name in OF_INT8 or name.startswith(LITERT))
        for name in peers.group(ONE)
    ]  # fmt: skip


def _of_parity(results: Results) -> list[Row]:
    parity, latency = (results.by_benchmark.get(name) for name in ("parity", "latency"))
    measured = {} if parity is None else parity.measures
    rows = []
    for name in reversed(RECIPES):
        known = [measured.get(f"{name}/{what}") for what in KNOWN]
        row = _row(name, known, latency, f"{ONE}{name} {SCORES}", f"{ONE}{INT8} {SCORES}", ours=True)
        if row.nanoseconds is not None or any(known):
            rows.append(row)
    of_full = [measured.get("full/accuracy"), None, None]
    return rows + [
        _row(name, of_full, latency, BESIDE + name, f"{BESIDE}{INT8} {SCORES}", ours=False)
        for name in (() if latency is None else latency.group(BESIDE))
        if name.startswith(KERAS)
    ]


def _row(
    name: str, known: Sequence[Measure | None], timed: Result | None, time: str, reference: str, *, ours: bool
) -> Row:
    """Return a row: `known` are the measures KNOWN, `time` names a measure of `timed`, a multiple of `reference`."""
    took = None if timed is None else timed.measures.get(time)
    ratio = None
    if timed is not None and took is not None and reference in timed.measures:
        ratio = Ratio(1, 1, 1) if time == reference else timed.ratio(time, reference)
    accuracy, agreement, file, nanoseconds = (None if each is None else each.value for each in (*known, took))
    unstable = took is not None and result.is_unstable(took)
    return Row(name, accuracy, agreement, file, nanoseconds, ratio, unstable, ours)
