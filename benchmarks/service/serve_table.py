"""The results of `python -m benchmarks serve` as lines of text, as a record, and as figures with limits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.process_stats import MB
from benchmarks.service import viewers
from benchmarks.service.load import Answers
from benchmarks.service.serve import Cell, Long, Measured
from benchmarks.service.viewers import Stay
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, figure, share

SHARES = (0.5, 0.99)


def write(results: Measured, about: Mapping[str, Any], settings: Mapping[str, Any], out: Path) -> None:
    """Write serve.json to `out`: the measures, `about` on the load generator, and all details."""
    known = figures(results)
    more = {**about, "figures": known, **details(results)}
    result.write(out / "serve.json", "serve", measures(results, known), settings=dict(settings), details=more)


def figures(results: Measured) -> dict[str, float]:
    """Return the figures that may have a limit, of the measured parts."""
    runs = [answers for cell in results.cells for answers in (cell.answers, cell.empty) if answers is not None]
    known: dict[str, float] = {"messages": len(results.messages)}
    if results.long is not None:
        runs.append(results.long.answers)
        known["memory_growth_mb"] = round(results.long.growth / MB, 2)
    if runs:
        known["failures"] = sum(run.failures for run in runs)
    if results.stays:
        some = viewers.VIEWERS[1:]
        known["age_ratio_low"] = round(max(viewers.ratio(results.stays, n, "true", 0.5).low for n in some), 3)
        known["missed_percent"] = round(100 * (1 - min(got(results.stays, n) for n in some)), 1)
    return known


def got(stays: list[Stay], number: int) -> float:
    """Return the average share of the frames read that a reading viewer received."""
    these = [stay for stay in stays if stay.viewers == number]
    return sum(stay.got or 0 for stay in these) / sum(len(stay.claimed) for stay in these)


def ages(stays: list[Stay], number: int, kind: str) -> list[float]:
    """Return the ages, `kind` claimed or true, of all frames with this number of viewers."""
    return [age for stay in stays if stay.viewers == number for age in getattr(stay, kind)]


def measures(results: Measured, known: Mapping[str, float]) -> list[Measure]:
    """Return the measures that compare with another run; `known` are the `figures`.

    Tails and drops depend on other load, and growth is about 0, where a ratio has no meaning, so these have no better
    direction.
    """
    measured: list[Measure] = []
    for cell in results.cells:
        where = f"{cell.picture} x {cell.connections}{', patient' if cell.patient else ''}"
        measured += _measures(where, cell.answers)
        if cell.empty is not None:
            measured += _measures(f"{where}, empty", cell.empty)
    for number in viewers.VIEWERS * bool(results.stays):
        where = f"{number} viewers"
        these = [stay for stay in results.stays if stay.viewers == number]
        read, dropped = sum(len(stay.claimed) for stay in these), sum(stay.dropped for stay in these)
        measured.append(share(f"{where}/dropped", dropped, read + dropped, better=None))
        if number:
            measured.append(figure(f"{where}/sent on", 100 * got(results.stays, number), "%"))
        for kind, name in (("claimed", "taken"), ("true", "sent")):
            of_kind = ages(results.stays, number, kind)
            for quantile in SHARES:
                value = 1e6 * float(np.quantile(of_kind, quantile))
                measured.append(_time(f"{where}/since {name}", quantile, value))
    if results.long is not None:
        measured += _measures("long", results.long.answers)
        measured.append(figure("long/memory", results.long.seconds[-1].memory, "B", better="lower"))
        measured.append(figure("long/memory growth", results.long.growth, "B"))
    counts = [name for name in ("failures", "messages") if name in known]
    return [*measured, *(figure(f"all/{name}", known[name], "1", better="lower") for name in counts)]


def _measures(where: str, answers: Answers) -> list[Measure]:
    rate = figure(f"{where}/answers a second", answers.rate(), "1/s", better="higher")
    times = [_time(f"{where}/answered in", quantile, 1e6 * answers.quantile(quantile)) for quantile in SHARES]
    return [rate, *times] if answers.times else [rate]


def _time(name: str, quantile: float, value: float) -> Measure:
    return figure(f"{name} p{100 * quantile:g}", value, "ns", better="lower" if quantile == 0.5 else None)


def details(results: Measured) -> dict[str, Any]:
    """Return all details, JSON-ready; the times of single answers only as quantiles."""
    long = results.long
    return {
        "messages": results.messages,
        "read": [
            {"picture": cell.picture, "connections": cell.connections, "patient": cell.patient,
             "answers": _record(cell.answers), "empty": cell.empty and _record(cell.empty)}
            for cell in results.cells
        ],
        "viewers": [stay._asdict() for stay in results.stays],
        "ratios": [
            {"viewers": number, "age": kind, "quantile": share,
             **viewers.ratio(results.stays, number, kind, share)._asdict()}
            for number in viewers.VIEWERS[1:] * bool(results.stays)
            for kind in ("claimed", "true")
            for share in SHARES
        ],
        "long": long and {"answers": _record(long.answers), "seconds": [second._asdict() for second in long.seconds]},
    }  # fmt: skip


def _record(answers: Answers) -> dict[str, Any]:
    quantiles = {f"p{100 * share:g}_ms": answers.quantile(share) for share in (0.5, 0.9, 0.99, 1)}
    known = {name: None if value != value else round(value, 3) for name, value in quantiles.items()}
    return {**answers._asdict(), "times": known}


def table(results: Measured, limited: Mapping[str, float], limits: Mapping[str, float]) -> list[str]:
    """Return lines: a table for each part, and the figures with a limit."""
    lines = []
    if results.cells:
        lines += [
            f"{'POST /api/read':<25}{'answers 200':>26}{'429':>10}{'an empty 200':>28}{'ratio':>16}",
            f"{'picture':<14}{'connections':<11}{'a second':>10}{'p50 ms':>8}{'p99 ms':>8}{'a second':>10}"
            f"{'a second':>12}{'p50 ms':>8}{'p99 ms':>8}{'rate':>8}{'p50':>8}",
            *map(_of_cell, results.cells),
        ]
        if any(cell.patient for cell in results.cells):
            lines.append(
                "  * connections that wait as long as Retry-After says; all others send the next request at once"
            )
    if results.stays:
        lines += [
            f"{'Live, 640x480 at 30 a second':<38}{'ms since taken':>16}{'ms since sent':>16}"
            f"{'ratio to no viewer, and its 95 % interval':>52}",
            f"{'viewers':<9}{'frames':>8}{'dropped':>9}{'sent on':>10}  {'p50':>8}{'p99':>8}{'p50':>8}{'p99':>8}"
            f"{'taken, p50':>18}{'sent, p50':>18}{'sent, p99':>18}",
            *(_of_viewers(results.stays, number) for number in viewers.VIEWERS),
        ]
    if results.long is not None:
        lines += _of_long(results.long)
    width = max(map(len, limits))
    return [
        *lines,
        *(f"{name:<{width}}{limited[name]:>10g}   at most {limits[name]:g}" for name in limits if name in limited),
    ]


def _of_cell(cell: Cell) -> str:
    answers, empty = cell.answers, cell.empty
    name = f"{cell.picture:<14}{cell.connections:>9}{' *' if cell.patient else '':<2}"
    line = f"{name}{_of_answers(answers)}{answers.rate(429):>10.0f}"
    if empty is None:
        return line
    rate, time = answers.rate() / (empty.rate() or np.nan), answers.quantile(0.5) / empty.quantile(0.5)
    return f"{line}  {_of_answers(empty)}{rate:>8.3f}{time:>8.1f}"


def _of_answers(answers: Answers) -> str:
    return f"{answers.rate():>10.0f}{answers.quantile(0.5):>8.2f}{answers.quantile(0.99):>8.2f}"


def _of_viewers(stays: list[Stay], number: int) -> str:
    these = [stay for stay in stays if stay.viewers == number]
    count = sum(len(stay.claimed) for stay in these)
    sent_on = f"{100 * got(stays, number):.1f} %" if number > 1 else "-"
    line = f"{number:<9}{count:>8}{sum(stay.dropped for stay in these):>9}{sent_on:>10}  "
    line += "".join(f"{np.quantile(ages(stays, number, kind), share):>8.2f}"
                    for kind in ("claimed", "true") for share in SHARES)  # fmt: skip
    if number != viewers.VIEWERS[0]:
        for kind, share in (("claimed", 0.5), ("true", 0.5), ("true", 0.99)):
            value, low, high = viewers.ratio(stays, number, kind, share)
            line += f"{f'{value:.2f} ({low:.2f}-{high:.2f})':>18}"
    return line


def _of_long(long: Long) -> list[str]:
    answers, last = long.answers, long.seconds[-1]
    counts = ", ".join(f"{count} x {status}" for status, count in sorted(answers.statuses.items()))
    wrong = ", ".join(f"{name} {count}" for name, count in answers.errors.items())
    spans = [
        f"{name} {min(values)}-{max(values)}"
        for name, values in (
            ("threads", [second.threads for second in long.seconds]),
            ("open files", [second.files for second in long.seconds]),
        )
    ]
    return [
        f"Both pictures in turn over {long.connections} connections for {answers.seconds:.0f} s: {counts or 'nothing'}",
        f"  200: p50 {answers.quantile(0.5):.1f} ms, p99 {answers.quantile(0.99):.1f} ms; socket errors: {wrong}",
        f"  memory {last.memory / MB:.1f} MB at the end, {long.growth / MB:+.2f} MB since its first seconds; "
        + ", ".join(spans),
    ]
