"""The report on long runs: a camera read for minutes, and the web server under load."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from benchmarks.charts import serve as serve_chart
from benchmarks.charts import soak as soak_chart
from benchmarks.charts import updates as updates_chart
from benchmarks.charts.svg import chart
from benchmarks.common.limits import beyond, read_limits
from benchmarks.report.page import Parts, figure, notice, paragraph, table
from benchmarks.report.results import Results
from benchmarks.report.sections import written
from benchmarks.service.serve import Cell, Long, Measured
from benchmarks.service.serve import Second as ServerSecond
from benchmarks.service.soak import Second
from benchmarks.service.updates import Change, Line
from benchmarks.service.viewers import Stay


def soak(results: Results) -> Parts:
    """Return the section on reading a camera for a long time."""
    result = results.by_benchmark["soak"]
    limits: dict[str, float] = read_limits()["soak"]
    seconds = [Second(**row) for row in result.details["seconds"]]
    return [
        _missed(result.details, limits),
        paragraph(f"A camera on the network, 640x480 at 30 frames a second, read for {result.details['minutes']} "
                  "minutes. The age of a frame comes from the camera's own clock, which is drawn into it."),
        figure(chart("soak", "Ages of frames, memory, processor time, threads and open files over the minutes",
                     lambda wide: soak_chart.draw(seconds, limits, wide=wide)),
               "Dotted: the limits of thresholds.toml."),
        _limits(result.details, limits),
    ]  # fmt: skip


def updates(results: Results) -> Parts:
    """Return the section on model updates at run time."""
    details = results.by_benchmark["updates"].details
    limits: dict[str, float] = read_limits()["updates"]
    lines, changes = [Line(*row) for row in details["lines"]], [Change(**row) for row in details["changed"]]
    return [
        _missed(details, limits),
        paragraph("A camera at 30 frames a second is read while models are installed one after the other, "
                  f"{len(changes)} in all. Each swap happens between two frames."),
        figure(chart("updates", "Milliseconds since the reading before, over time, with the installations",
                     lambda wide: updates_chart.draw(lines, changes, limits["gap_ms"], wide=wide)),
               "Dotted: the limit of thresholds.toml."),
        _limits(details, limits),
    ]  # fmt: skip


def serve(results: Results) -> Parts:
    """Return the section on the web server under load."""
    result = results.by_benchmark["serve"]
    limits: dict[str, float] = read_limits()["serve"]
    seen = _measured(result.details)
    figures: dict[str, float] = result.details["figures"]
    rows = []
    for cell in seen.cells:
        name = f"{cell.picture}, {cell.connections} connection{'s' * (cell.connections > 1)}"
        rows.append([name + (", waiting as Retry-After says" if cell.patient else ""), f"{cell.answers.rate():,.0f}",
                     f"{cell.answers.quantile(0.5):.2f}", f"{cell.answers.quantile(0.99):.2f}",
                     "" if cell.empty is None else f"{cell.empty.rate():,.0f}"])  # fmt: skip
    return [
        _missed(figures, limits),
        paragraph("`edge-digits serve` over loopback: pictures posted over ever more connections, beside an empty "
                  "answer of the same server; how old live frames are with viewers that come and go, half of them "
                  "stuck; and memory under load."),
        figure(chart("serve", "Milliseconds to an answer by connections, age of live frames by viewers, memory under "
                              "load",
                     lambda wide: serve_chart.draw(seen, wide=wide)),
               "Solid: the median. Dashed: the 99th percentile."),
        *([table("Answers", ["POST /api/read", "answers a second", "median ms", "99 % ms", "empty answers a second"],
                 rows)] if rows else []),
        _limits(figures, limits),
    ]  # fmt: skip


def videos(results: Results) -> Parts:
    """Return the section on videos."""
    measures = results.by_benchmark["videos"].measures
    lines = [[name.replace("/", ": "), written(each)] for name, each in measures.items()]
    how = "Generated videos of pages that are shown, hidden, swapped and shaken: is all of it reported, and no more?"
    return [paragraph(how), table("Moving pictures", ["", "found"], lines)]


def _missed(figures: Mapping[str, Any], limits: Mapping[str, float]) -> Markup:
    known = {name: most for name, most in limits.items() if name in figures}
    return notice([f"Limit missed: {name} is {figures[name]:g} (allowed: {known[name]:g})"
                   for name in beyond(figures, known)])  # fmt: skip


def _limits(figures: Mapping[str, Any], limits: Mapping[str, float]) -> Markup:
    rows = [[name, f"{value:g}", f"{limits[name]:g}" if name in limits else ""]
            for name, value in figures.items() if isinstance(value, int | float)]  # fmt: skip
    return table("Figures and limits", ["", "measured", "at most"], rows)


def _measured(details: Mapping[str, Any]) -> Measured:
    """Return the content of serve.json in the form that `serve` had; of single answers there are only quantiles."""
    long = details["long"]
    return Measured(
        [Cell(cell["picture"], cell["connections"], cell["patient"], _answers(cell["answers"]),
              cell["empty"] and _answers(cell["empty"])) for cell in details["read"]],
        [Stay(**stay) for stay in details["viewers"]],
        long and Long(64, _answers(long["answers"]), [ServerSecond(**second) for second in long["seconds"]]),
        details["messages"],
    )  # fmt: skip


def _answers(record: Mapping[str, Any]) -> Any:
    times = {
        float(name[1:-3]) / 100: float("nan") if value is None else value for name, value in record["times"].items()
    }
    counts = {int(status): count for status, count in record["statuses"].items()}
    return SimpleNamespace(
        seconds=record["seconds"], quantile=times.__getitem__,
        rate=lambda status=200: counts.get(status, 0) / record["seconds"],
    )  # fmt: skip
