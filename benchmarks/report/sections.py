"""The report on accuracy: parity and flipped digits, hard conditions, confidences, pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import score
from benchmarks.accuracy.robustness import Cell
from benchmarks.charts import reliability as reliability_chart
from benchmarks.charts import robustness as robustness_chart
from benchmarks.charts.scales import duration, percent, size
from benchmarks.charts.svg import chart
from benchmarks.common.limits import read_limits
from benchmarks.report.page import Parts, absent, details, figure, heading, notice, paragraph, pictures, short, table
from benchmarks.report.results import Result, Results
from edge_runtime.bench.result import Measure
from train import dataset

DRAWN = 60  # flipped digits
CELL = [field.name for field in fields(Cell)]


def environment(results: Results) -> Parts:
    """Return the section on the machine, its installed versions, and its state during each run."""
    if not list(results):
        return [absent("There is no result yet.", "python -m benchmarks all --fast")]
    facts: dict[str, dict[str, None]] = {}  # the facts of all results, each once
    for each in results:
        record = each.record["environment"]
        said = {"Machine": each.machine, "System": f"{record['system']['os']}, kernel {record['system']['kernel']}",
                "Python": record["system"]["python"], "Model": record["model"] or "",
                "Commit": short(record["commit"] or "")}  # fmt: skip
        versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items() if version)
        for name, value in (said | {"Versions": versions}).items():
            if value:
                facts.setdefault(name, {})[value] = None
    rows = [[name, "; ".join(values)] for name, values in facts.items()]
    states = [_state(each) for each in results]
    kept = [k for k in range(len(states[0])) if k == 0 or any(row[k] for row in states)]
    head = ["result", "measured at (UTC)", "load average", "MHz", "governor", "°C", "throttled"]
    lines = [f"Not from one commit: {', '.join(facts['Commit'])}"] if len(facts.get("Commit", {})) > 1 else []
    return [
        notice(lines),
        table("The machine", [], rows, kind="facts"),
        table("Each result", [head[k] for k in kept], [[row[k] for k in kept] for row in states]),
    ]


def _state(each: Result) -> list[str]:
    state = each.record["environment"]["state"]
    load, hertz, degrees, held = (
        state[name] for name in ("load_average", "frequency_hz", "temperature_celsius", "throttled")
    )
    return [
        each.record["benchmark"],
        each.record["measured_at"][:19].replace("T", " "),
        "" if load is None else f"{load[0]:.2f}",
        "" if hertz is None else f"{hertz / 1e6:.0f}",
        state["governor"] or "",
        "" if degrees is None else f"{degrees:.1f}",
        "" if held is None else ", ".join(held) or "no",
    ]  # fmt: skip


def of_parity(results: Results) -> Parts:
    """Return the section on the small models against the full one, and the digits whose labels flipped."""
    result = results.by_benchmark["parity"]
    models: dict[str, dict[str, Any]] = result.details["models"]
    first = next(iter(models.values()))
    head = ["model", "file", "read right", "drop", "agreement", "only full / small right",
            "McNemar p", "NLL rise", "rejects alike", "flipped"]  # fmt: skip
    rows = [["full Keras", "", percent(first["full_accuracy"])] + [""] * (len(head) - 3)]
    for name, row in models.items():
        alike = row["rejection_agreement"]
        rows.append([
            name, size(row["bytes"]), percent(row["accuracy"]), f"{row['drop']:+.2f}", percent(row["agreement"]),
            f"{row['only_full_right']} / {row['only_small_right']}", f"{row['mcnemar_p']:.3f}",
            f"{row['nll_rise']:+.5f}", "" if alike is None else percent(alike), str(len(row["flipped"])),
        ])  # fmt: skip
    kept = [k for k in range(len(head)) if any(row[k] for row in rows)]
    missed = [f"Limit missed: {line}" for line in result.details["missed"]]
    return [
        notice(missed),
        paragraph("Each small model against the full Keras network, digit by digit, on MNIST's 10,000 test digits. "
                  "Drop: loss of accuracy in percentage points. McNemar's exact test: how likely such a difference is "
                  "if both are equally good; a small p indicates a real difference. NLL: how much worse "
                  "calibrated, in nats."),
        table("Parity", [head[k] for k in kept], [[row[k] for k in kept] for row in rows]),
        *_flipped(models),
    ]  # fmt: skip


def _flipped(models: Mapping[str, Mapping[str, Any]]) -> Parts:
    """Return the flipped digits of all models as pictures, with the true label and each model's label."""
    by: dict[int, list[str]] = {}
    for name, row in models.items():
        labels = row.get("flipped_read") or [None] * len(row["flipped"])
        for index, read in zip(row["flipped"], labels, strict=True):
            by.setdefault(int(index), []).append(name if read is None else f"{name}: {read[0]} → {read[1]}")
    if not by:
        return [paragraph("No digit's label flipped, in any of the models.")]
    few = f": the first {DRAWN} of {len(by)}" if len(by) > DRAWN else ""
    head = heading(f"Every digit whose label flipped{few}")
    try:
        test = dataset.load("test")
    except dataset.DataError as error:
        shown = ", ".join(f"{index} ({'; '.join(names)})" for index, names in sorted(by.items())[:DRAWN])
        return [head, paragraph(f"Without pictures, as MNIST is not here: {error}"), paragraph(shown)]
    items: list[tuple[bytes, str, Sequence[str]]] = [
        (png(255 - test.images[index]), f"test digit {index}, a {test.labels[index]}",
         [f"#{index} is a {test.labels[index]}", *names])
        for index, names in sorted(by.items())[:DRAWN]
        if 0 <= index < len(test.images)
    ]  # fmt: skip
    how = "Test digits that a small model and the full network label differently (full → small)."
    return [head, paragraph(how), pictures(items)]


def png(image: NDArray[np.uint8]) -> bytes:
    """Return a picture, uint8 (H, W), as a PNG file."""
    return cv2.imencode(".png", image)[1].tobytes()


def robustness(results: Results) -> Parts:
    """Return the section on hard conditions: a panel for each."""
    result = results.by_benchmark["robustness"]
    cells = [Cell(**{name: cell[name] for name in CELL}) for cell in result.details["cells"]]
    limits = read_limits()["robustness"]
    missed = list(result.details["missed"])
    count = result.record["settings"].get("pages")
    parts: Parts = [
        paragraph(f"Pages of ten MNIST test digits, with one difficulty at a time, from severity 1 to 5; {count} "
                  "pages of each. What lies between the dashed line and what is read is lost between page and "
                  "network."),
        figure(chart("robustness", "Small multiples: percent of digits located, precise and read over the severity, "
                     "a panel for each condition", lambda wide: robustness_chart.draw(
                         cells, limits, columns=4 if wide else 2, panel=2.6 if wide else 2.1)),
               "Percent, stretched near 100. A short gray line is the least that a build may locate, and its "
               "precision."),
    ]  # fmt: skip
    if missed:
        parts.append(details(f"{len(missed)} limit{'s are' if len(missed) > 1 else ' is'} missed", notice(missed)))
    return parts


def reliability(results: Results) -> Parts:
    """Return the section on confidences: accuracy by the model's confidence."""
    models = {name: [SimpleNamespace(**row) for row in of_model["digits"]]
              for name, of_model in results.by_benchmark["digits"].details["models"].items()}  # fmt: skip
    sets = next(iter(models.values()))
    head = ["set", "model", "digits", "read right", "accepted", "NLL", "Brier", "ECE"]
    rows = [
        [row.name, name, f"{row.count:,}", percent(row.read), percent(row.accepted), f"{row.nll:.4f}",
         f"{row.brier:.4f}", percent(row.ece)]
        for name, of_model in models.items() for row in of_model
    ]  # fmt: skip

    def draw(wide: bool) -> Any:
        return reliability_chart.draw(models, columns=min(3, len(sets)) if wide else 1, stretched=True)

    return [
        paragraph("On the diagonal, digits with a confidence of 90 % are right nine times out of ten. Below it, the "
                  "model is overconfident; ECE is the average deviation."),
        figure(chart("reliability", "Reliability diagram: share of digits read right over the model's "
                                    "confidence", draw),
               "A point is one of 15 bins with equally many digits; on the diagonal, confidence and accuracy agree. "
               "The nearer to 100 %, the wider the scale; a bin without errors is drawn as if it had half of one."),
        table("Confidences", head, rows),
    ]  # fmt: skip


def of_pages(results: Results) -> Parts:
    """Return the section on pictures with known digits."""
    parts: Parts = []
    for each in results.pages:
        summaries = {
            name: score.Summary(
                **{key: value for key, value in row.items() if key in score.Summary.__dataclass_fields__}
            )
            for name, row in each.details["summary"].items()
        }
        grid = score.grid(summaries)
        folder = str(each.record["settings"].get("folder", each.path.parent.name))
        parts += [heading(folder), table(f"Pictures in {folder}", grid[0], grid[1:])]
    return parts


def written(measure: Measure) -> str:
    """Return a measure's value with its unit, and the counts if it is a share."""
    value = measure.value
    if measure.count is not None and measure.of is not None:
        return f"{percent(value)} ({measure.count:,} of {measure.of:,})"
    forms: dict[str, Callable[[float], str]] = {
        "ns": duration, "B": size, "%": percent, "1/s": lambda each: f"{each:,.4g} a second",
        "J": lambda each: f"{each:.3g} J", "1": lambda each: f"{each:,.4g}",
    }  # fmt: skip
    return forms[measure.unit](value)
