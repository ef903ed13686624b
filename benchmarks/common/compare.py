"""Is one result better or worse than another? Ratios with intervals for the same benchmark, against limits.

A time, a rate or a size is worse only if the whole interval of the ratio lies beyond the limit. Shares are of the same
digits and pages in both, so any difference comes from the model or the code, not from chance.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.common.limits import read_limits
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, Ratio
from edge_runtime.errors import EdgeError, OptionError

BASELINES = Path(__file__).parents[1] / "baselines"
MOST_SHOWN = 1000  # times
# The display units of each unit, largest first.
SCALES = {
    "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1, "ns")),
    "B": ((1e6, "MB"), (1e3, "kB"), (1, "B")),
    "J": ((1, "J"), (1e-3, "mJ"), (1e-6, "uJ")),
    "1/s": ((1, "/s"),),
    "%": ((1, "%"),),
}


class Line(NamedTuple):
    """One measure in both results. `change` is the ratio of badness: above 1 is worse for every measure."""

    before: Measure
    after: Measure
    change: Ratio
    is_missed: bool


class Comparison(NamedTuple):
    """Two records of the same benchmark, and a line for each measure in both."""

    before: dict[str, Any]
    after: dict[str, Any]
    lines: list[Line]

    @property
    def missed(self) -> list[str]:
        """The names of the measures that are beyond their limits."""
        return [f"{self.before['benchmark']} {line.after.name}" for line in self.lines if line.is_missed]


def run(before: Path, after: Path | None, across: bool) -> Iterator[Comparison]:
    """Compare two results, files or folders, and yield a comparison for each benchmark in both.

    A single result is compared with the baseline of its machine. Raises OptionError for different machines without
    `across` or if there is nothing to compare.
    """
    limits: dict[str, float] = read_limits()["compare"]
    for old, new in list(_pairs(before, after)):
        alike = old["environment"]["machine"] == new["environment"]["machine"]
        if not alike and not across:
            raise OptionError(
                f"{old['benchmark']}: results of different machines, {_named(old)} and {_named(new)}: "
                "--across compares them anyway"
            )
        if old["settings"] != new["settings"]:
            raise OptionError(
                f"{old['benchmark']}: measured with different settings, {old['settings']} and {new['settings']}: "
                "measure again"
            )
        yield Comparison(old, new, compare(result.measures(old), result.measures(new), limits, alike))


def compare(
    before: dict[str, Measure], after: dict[str, Measure], limits: dict[str, float], alike: bool = True
) -> list[Line]:
    """Return a line for each measure in both results that has a better direction.

    `limits` are those of thresholds.toml; times, rates and energy have none unless the machines are `alike`.
    """
    lines = []
    for name, old in before.items():
        new = after.get(name)
        if new is None or new.better is None or new.unit != old.unit:
            continue
        change = result.ratio(new, old) if new.better == "lower" else result.ratio(old, new)
        lines.append(Line(old, new, change, _is_missed(old, new, change, limits, alike)))
    return lines


def _is_missed(old: Measure, new: Measure, change: Ratio, limits: dict[str, float], alike: bool) -> bool:
    if not math.isfinite(new.value):
        return True
    if new.unit == "%":
        worse = new.value - old.value if new.better == "lower" else old.value - new.value
        return worse > limits["max_points"] + 1e-9
    if new.unit in ("ns", "1/s", "J") and not alike:
        return False
    return change.low > limits["max_growth" if new.unit == "B" else "max_ratio"]


def table(comparison: Comparison) -> list[str]:
    """Return both results as lines of text, worst first."""
    old, new, lines = comparison
    width = max((len(line.after.name) for line in lines), default=0)
    head = [
        f"{old['benchmark']}: {_of(old)} -> {_of(new)}",
        f"  {'':<{width}}{'before':>12}{'after':>12}{'times as bad':>15}{'95 % interval':>17}",
    ]
    return head + [
        f"  {line.after.name:<{width}}{shown(line.before.value, line.after.unit):>12}"
        f"{shown(line.after.value, line.after.unit):>12}{line.change.value:>15.3f}"
        f"{f'{_times(line.change.low)}-{_times(line.change.high)}':>17}"
        f"{'   beyond its limit' if line.is_missed else ''}"
        for line in sorted(lines, key=lambda line: (not line.is_missed, -line.change.value))
    ]


def shown(value: float, unit: str) -> str:
    """Return a value in a readable unit: 1234567 ns is "1.23 ms"."""
    if unit == "1":
        return f"{value:.4g}"
    scale, name = next((each for each in SCALES[unit] if abs(value) >= each[0]), SCALES[unit][-1])
    digits = f"{value / scale:.2f}" if abs(value) < 1000 * scale else f"{value / scale:,.0f}"
    return f"{digits} {name}"


def _pairs(before: Path, after: Path | None) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield pairs of results of the same benchmark."""
    if after is None:
        news = _results(before)
        machines = [record["environment"]["machine"] for record in news.values()]
        olds = _baseline(machines[0]) if machines else {}
        if news and not olds:
            raise OptionError(f"there is no baseline of {_named(next(iter(news.values())))} in {BASELINES}")
    else:
        olds, news = _results(before), _results(after)
    common = [name for name in olds if name in news]
    if not common:
        raise OptionError(f"nothing to compare: {', '.join(olds) or 'no result'} with {', '.join(news) or 'no result'}")
    yield from ((olds[name], news[name]) for name in common)


def _results(path: Path) -> dict[str, dict[str, Any]]:
    """Return the results in a file or folder by benchmark; other JSON files in a folder do not count."""
    if not path.is_dir():
        record = result.read(path)
        return {record["benchmark"]: record}
    results = {}
    for file in sorted(path.rglob("*.json")):
        try:
            record = result.read(file)
        except EdgeError:
            continue
        if record["benchmark"] in results:
            raise OptionError(f"{path} holds more than one result of {record['benchmark']}: name one of them")
        results[record["benchmark"]] = record
    return results


def _times(value: float) -> str:
    """Return a ratio, capped for display."""
    return f"{value:.3f}" if value < MOST_SHOWN else f"over {MOST_SHOWN}"


def _baseline(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    for folder in sorted(path for path in BASELINES.glob("*") if path.is_dir()):
        results = _results(folder)
        if results and all(record["environment"]["machine"] == machine for record in results.values()):
            return results
    return {}


def _named(record: dict[str, Any]) -> str:
    machine = record["environment"]["machine"]
    return f"{machine['board'] or machine['processor']} with {machine['cores']} cores"


def _of(record: dict[str, Any]) -> str:
    return f"{record['measured_at'][:10]}, commit {(record['environment']['commit'] or 'unknown')[:12]}"
