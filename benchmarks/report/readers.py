"""The report on whole readers: errors against time, and a table for each set of pictures."""

from typing import Any

from benchmarks.accuracy.score import Summary
from benchmarks.charts import readers as readers_chart
from benchmarks.charts.readers import Point
from benchmarks.charts.scales import duration, size
from benchmarks.charts.svg import chart
from benchmarks.report.page import Parts, figure, heading, notice, paragraph, table
from benchmarks.report.results import Result, Results
from edge_runtime.bench.result import Measure, statistics

HEAD = ["", "errors", "exact", "false digits a picture", "a picture, median", "p99", "processor time", "memory",
        "on disk, beyond edge-digits"]  # fmt: skip


def readers(results: Results) -> Parts:
    """Return the section on edge-digits beside other readers."""
    result = results.by_benchmark["readers"]
    sets = result.details["sets"]
    points = {each["name"]: some for each in sets if (some := _points(result, each))}
    parts: Parts = [
        notice([f"{name}: {reason}" for name, reason in result.details["missing"].items()]),
        paragraph("The same pictures, one thread each, in turns, each reader in a process of its own. Only digits "
                  "count: other characters that a reader returns are left out. The lower left is best."),
    ]  # fmt: skip
    if points:
        said = (
            f"Scatter: character errors over the processor time of a picture, a panel for each of {', '.join(points)}"
        )
        parts.append(figure(chart("readers", said, lambda wide: readers_chart.draw(points, wide)), ""))
    for each in sets:
        rows = [_row(result, each["name"], reader, of_one) for reader, of_one in each["readers"].items()]
        title = f"{each['name']}, {len(each['pictures'])} pictures"
        parts += [heading(title), table(title, HEAD, rows)]
    return parts


def _points(result: Result, of_set: dict[str, Any]) -> list[Point]:
    return [
        Point(reader, rate, result.measures[f"{of_set['name']}/{reader}/processor time"].value)
        for reader, of_one in of_set["readers"].items()
        if (rate := Summary(**of_one["summary"]).error_rate) is not None
    ]


def _row(result: Result, name: str, reader: str, of_one: dict[str, Any]) -> list[str]:
    summary = Summary(**of_one["summary"])
    false, rate = summary.false_digits_a_page, summary.error_rate
    times = result.measures[f"{name}/{reader}/a picture"]
    processor = result.measures[f"{name}/{reader}/processor time"]
    return [
        reader, "" if rate is None else f"{rate:.1f} %", f"{summary.exact_pages:,} of {summary.pages:,}",
        "" if false is None else f"{false:.2f}", duration(times.value), duration((statistics(times) or {})["p99"]),
        duration(processor.value), _bytes(result.measures.get(f"{name}/{reader}/memory")),
        _bytes(result.measures.get(f"size/{reader}")),
    ]  # fmt: skip


def _bytes(measure: Measure | None) -> str:
    return "" if measure is None else size(measure.value)
