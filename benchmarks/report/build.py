"""One page of all results, and a table for the README, from the available result files."""

import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup
from tqdm import tqdm

from benchmarks.report import models as report_models
from benchmarks.report import peers, readers, running, speed, table
from benchmarks.report import sections as report_sections
from benchmarks.report.page import Parts, Section, absent, notice, page, paragraph, source
from benchmarks.report.results import Absent, Results, collect
from edge_runtime.errors import EdgeError
from edge_runtime.system.atomic_files import write_text

TITLE = "edge-digits: what was measured"
# The exceptions that a file of another version may cause.
ODD = (KeyError, TypeError, ValueError, IndexError, AttributeError)


class Kind(NamedTuple):
    """A section: its inputs, the function that makes it, and the command that measures it.

    `needs` are alternatives: the first with at least one benchmark run counts.
    """

    name: str
    title: str
    needs: tuple[tuple[str, ...], ...]
    make: Callable[[Results], Parts]
    command: str


SECTIONS = (
    Kind("parity", "Parity with the full network", (("parity",),), report_sections.of_parity, "parity build/standard"),
    Kind("latency", "Latency", (("latency",),), speed.latency, "latency"),
    Kind("models", "Accuracy against time and size", (("peers",), ("parity", "latency")), report_models.models,
         "peers"),
    Kind("robustness", "Hard conditions", (("robustness",),), report_sections.robustness, "robustness"),
    Kind("stages", "Where the time of a frame goes", (("latency",),), speed.stages, "latency"),
    Kind("reliability", "Is it right when it is confident?", (("digits",),), report_sections.reliability, "digits"),
    Kind("peers", "Peers", (("peers",),), peers.peers, "peers"),
    Kind("roofline", "Distance from the limit", (("peers",),), peers.roofline, "peers"),
    Kind("footprint", "Footprint", (("peers",),), peers.footprint, "peers --footprint"),
    Kind("readers", "Other readers", (("readers",),), readers.readers, "readers"),
    Kind("pages", "Pictures", (("pages",),), report_sections.of_pages, "pages edge_runtime/samples"),
    Kind("videos", "Moving pictures", (("videos",),), running.videos, "videos"),
    Kind("soak", "A camera over a long time", (("soak",),), running.soak, "soak"),
    Kind("updates", "A new model, while a camera is read", (("updates",),), running.updates, "updates"),
    Kind("serve", "The web server under load", (("serve",),), running.serve, "serve"),
)  # fmt: skip


class ResultsDamaged(EdgeError):
    """Some results cannot be shown; the written page names them."""


class Written(NamedTuple):
    """The number of results shown, and a line for each that cannot be shown."""

    shown: int
    damaged: list[str]


def run(folder: Path, out: Path, recipe: str | None = None, *, mixed: bool = False) -> Written:
    """Write index.html and README.md to `out` from the results in `folder`.

    Raises MixedMachines for results of several machines, unless `mixed`, and OptionError without a parity.json of
    `recipe`.
    """
    results = collect(folder, recipe, mixed=mixed)
    damaged = dict(results.damaged)
    sections = [Section("environment", "Environment", report_sections.environment(results))]
    terminal = sys.stderr.isatty()
    if not terminal:
        print(f"drawing {len(SECTIONS)} sections", file=sys.stderr, flush=True)
    for kind in tqdm(SECTIONS, "drawing", disable=not terminal):
        sections.append(Section(kind.name, kind.title, _parts(kind, results, damaged)))
    write_text(out / "index.html", page(TITLE, _lead(results), _notices(results), sections))
    try:
        write_text(out / "README.md", table.markdown(results))
    except ODD:
        damaged.setdefault("models", "the table of models")  # the section with the same figures gives the reason
    return Written(len(list(results)), list(damaged.values()))


def _parts(kind: Kind, results: Results, damaged: dict[str, str]) -> Parts:
    """Return a section's parts, or the reason for its absence and the command to run; adds bad files to `damaged`."""
    there = next(filter(None, map(results.of, kind.needs)), [])
    command = f"python -m benchmarks {kind.command}"
    if not there:
        lines = [results.damaged[name] for name in chain(*kind.needs) if name in results.damaged]
        return [notice(lines), absent("Not measured yet.", command)]
    try:
        parts = kind.make(results)
    except Absent as error:
        return [absent(f"Not measured: {error}.", command)]
    except ODD as error:
        what = f"{there[0].path} does not have the form that this version writes ({type(error).__name__}: {error})"
        damaged[kind.name] = what
        return [notice([what]), absent("To measure again:", command)]
    return [*parts, *(part for each in there for part in source(each.record, str(each.path)))]


def _lead(results: Results) -> Markup:
    dates = sorted(each.record["measured_at"][:10] for each in results)
    when = f"Measured {dates[0]}{f' to {dates[-1]}' if dates[-1] != dates[0] else ''}. " if dates else ""
    return paragraph(f"{when}Every figure comes from a result file with all raw values, which its section names. "
                     "`python -m benchmarks all --fast` makes this page on your machine.")  # fmt: skip


def _notices(results: Results) -> list[str]:
    """Return the notices at the top of the page."""
    machines = results.machines
    lines = []
    if len(machines) > 1:
        of_each = "; ".join(f"{', '.join(dict.fromkeys(names))} on {name}" for name, names in machines.items())
        lines.append(f"These results are of {len(machines)} machines, whose times cannot be compared: "
                     f"{of_each}")  # fmt: skip
    models = {str(each.record["environment"]["model"]): None for each in results if each.record["environment"]["model"]}
    if len(models) > 1:
        lines.append(
            f"These results are of {len(models)} models: {', '.join(_of_model(results, name) for name in models)}"
        )
    return lines


def _of_model(results: Results, model: str) -> str:
    names = [each.record["benchmark"] for each in results if each.record["environment"]["model"] == model]
    return f"{model} ({', '.join(dict.fromkeys(names))})"
