"""The report on speed: digits, batches, starts and frames."""

import re
from collections.abc import Mapping
from functools import partial

from markupsafe import Markup

from benchmarks.charts import batches, distributions
from benchmarks.charts import stages as charts_stages
from benchmarks.charts.scales import duration
from benchmarks.charts.svg import chart
from benchmarks.report.models import BESIDE, ONE, multiple
from benchmarks.report.page import Parts, details, figure, heading, marked, paragraph, table
from benchmarks.report.results import RECIPES, Absent, Result, Results
from benchmarks.report.sections import written
from benchmarks.speed.single_digit import BATCHES, FEW, MANY, THREADS
from benchmarks.speed.starts import READ
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, Ratio

# Groups of times with their own chart, and its heading.
STRIPS = {
    ONE: "One digit, one thread",
    BESIDE: "One digit beside the full Keras network",
    "load/": "Loading a model",
    "first inference/": "The first digit after that",
    "cold start/": "Start of a process to its first label",
}
STAGES = re.compile(r"(stages|hard frame) (.+)/([^/]+)")
TOTAL = "total"


def latency(results: Results) -> Parts:
    """Return the section on the times of digits, value by value."""
    run = results.by_benchmark["latency"]
    return [
        paragraph("Every line is one measured value; the bar is the median, which is written to the right; < is the "
                  "99th percentile. The measurements of one chart took turns, so that their ratios hold despite other "
                  "load."),
        *(part for i, prefix in enumerate(STRIPS)
          for part in _strips(f"latency-{i}", STRIPS[prefix], _times(run, prefix))),
        *_starts(run),
        *_batches(run),
        details(f"All {len(run.measures)} figures of this run", figures(run.measures)),
    ]  # fmt: skip


def _times(run: Result, prefix: str) -> dict[str, Measure]:
    """Return a group's times that have samples."""
    return {name: each for name, each in run.group(prefix).items() if each.unit == "ns" and each.samples}


def _strips(name: str, title: str, some: Mapping[str, Measure]) -> Parts:
    """Return a chart of a group with its heading, or nothing without measurements."""
    if not some:
        return []
    label = f"{title}: a strip of measured times for each of {', '.join(some)}"
    return [heading(title), figure(chart(name, label, partial(distributions.draw, some)), "")]


def _starts(run: Result) -> Parts:
    """Return a table of start times and peak memory, as multiples of the command's."""
    started = run.group("cold start/")
    lines = [
        [
            name,
            *(cell for group in ("cold start/", "peak memory/") for cell in _beside(run, group + name, group + READ)),
        ]
        for name in started
    ]
    head = ["", "start to first label", "times as long", "most memory", "times as much"]
    return [table("Starts", head, lines)] if READ in started else []


def _beside(run: Result, name: str, ours: str) -> tuple[str, str]:
    """Return an amount, and its ratio to ours."""
    if name not in run.measures:
        return "", ""
    ratio = Ratio(1, 1, 1) if name == ours else run.ratio(name, ours) if ours in run.measures else None
    return written(run.measures[name]), multiple(ratio)


def _batches(run: Result) -> Parts:
    """Return a chart of the time of a digit in batches, and a table of threads."""
    times = run.group("batches/")
    models = {
        name: {count: times[f"{name} {count}"] for count in BATCHES if f"{name} {count}" in times} for name in RECIPES
    }
    models = {name: of_model for name, of_model in models.items() if of_model}
    if not models:
        return []
    label = "Lines: time of a digit over the number of digits in a batch, a line for each model"
    parts = [heading("Batches"), figure(chart("batches", label, partial(batches.draw, models)),
             "Classifier.scores, one thread. Lines are medians; nine of ten values lie in the bands.")]  # fmt: skip
    threads = run.group("threads/")
    columns = [(count, some) for count in (FEW, MANY) for some in THREADS]
    lines = [
        [name, *(duration(each.value / count) if (each := threads.get(f"{name} {count} with {some}")) else ""
                 for count, some in columns)]
        for name in models
    ]  # fmt: skip
    if threads:
        head = [f"{some} threads" if some > 1 else f"{count} digit{'s' * (count > 1)}, 1 thread"
                for count, some in columns]  # fmt: skip
        parts += [heading("Threads"), table("Median time of a digit with several threads", ["a digit", *head], lines)]
    return parts


def figures(measures: Mapping[str, Measure]) -> Markup:
    """Return a table of all measures with their quantiles; unstable ones are marked."""
    head = ["", "median", "p90", "p95", "p99", "mean", "deviation", "values"]
    lines: list[list[str]] = []
    for name, each in measures.items():
        stats = result.statistics(each)
        first = marked(name, result.is_unstable(each))
        if stats is None:
            lines.append([first, written(each)] + [""] * (len(head) - 2))
            continue
        amounts = [written(Measure("", each.unit, None, stats[key])) for key in
                   ("p50", "p90", "p95", "p99", "mean", "deviation")]  # fmt: skip
        processes = each.samples or []
        counted = f"{len(processes)} process{'es' * (len(processes) > 1)}"
        lines.append([first, *amounts, f"{sum(map(len, processes))} of {counted}"])
    return table("All figures", head, lines)


def stages(results: Results) -> Parts:
    """Return the section on the time of a frame by stage."""
    plain, hard = _stages(results.by_benchmark["latency"])
    if not plain:
        raise Absent("the stages of frames")
    parts = [
        paragraph("Color frames through the whole reader, one thread: from pixels to ink, regions, crops "
                  "of 28x28, the network, and the choice among candidates. Above each strip is the median of the whole "
                  "frame."),
        _strip("stages", plain),
    ]  # fmt: skip
    if hard:
        parts += [heading("The hardest frames"),
                  paragraph("640x480 each, and drawn to keep a reader busy; these took longest of all in "
                            "benchmarks/common/frames.py."),
                  _strip("hard-stages", hard)]  # fmt: skip
    lines = []
    for name, of_frame in (plain | hard).items():
        total = of_frame[TOTAL]
        stats = result.statistics(total) or {}
        longest = max(max(block) for block in total.samples or [[total.value]])
        late = duration(stats["p99"]) if stats else ""
        lines.append([name, duration(total.value), late, duration(longest), f"{1e9 / total.value:,.0f}"])
    return [*parts, table("Whole frames", ["frame", "median", "p99", "longest", "frames a second"], lines)]


def _strip(name: str, frames: Mapping[str, Mapping[str, Measure]]) -> Markup:
    """Return a chart of the stages of these frames."""
    medians = {
        frame: {stage: each.value for stage, each in of_frame.items() if stage != TOTAL}
        for frame, of_frame in frames.items()
    }
    totals = {frame: of_frame[TOTAL].value for frame, of_frame in frames.items()}
    label = "Stacked strips: the share of each stage in the time of a frame, a strip for each frame"
    return figure(chart(name, label, partial(charts_stages.draw, medians, totals)),
                  "Strips are equally long; the times are written in them and above them.")  # fmt: skip


def _stages(run: Result) -> tuple[dict[str, dict[str, Measure]], dict[str, dict[str, Measure]]]:
    """Return the stages of plain frames by size, and those of hard frames by name, slowest first."""
    frames: dict[str, dict[str, dict[str, Measure]]] = {"stages": {}, "hard frame": {}}
    for name, each in run.measures.items():
        parsed = STAGES.fullmatch(name)
        if parsed and each.unit == "ns":
            frames[parsed[1]].setdefault(parsed[2], {})[parsed[3]] = each
    hard = sorted(frames["hard frame"].items(), key=lambda item: -item[1][TOTAL].value)
    return frames["stages"], dict(hard)
