"""Measurements as one JSON file: every benchmark writes it, and `edge-digits bench`, on any machine.

edge_runtime/schemas/result.schema.json describes it. The file keeps every raw value, so that readers can recompute each
figure.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bench import environment
from edge_runtime.errors import EdgeError, OutputError
from edge_runtime.system.atomic_files import write_text

FORMAT = 1
UNITS = ("ns", "B", "%", "1/s", "J", "1")  # a time is always in nanoseconds
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
UNSTABLE = 0.1  # of the mean; pyperf warns at the same deviation
RESAMPLED = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Measure:
    """One figure, and the values behind it.

    `value` is the median of `samples`, 100 * `count` / `of`, or a single figure. `samples` are all raw values in
    `unit`, a list for each process or other independent block, without warm-ups. Measures with the same `paired` took
    turns: sample i of process p of one was taken beside that of the other.
    """

    name: str
    unit: str
    better: str | None
    value: float
    samples: list[list[float]] | None = None
    count: int | None = None
    of: int | None = None
    paired: str | None = None


FIELDS = tuple(field.name for field in fields(Measure))


class Ratio(NamedTuple):
    """A ratio, and its interval with CONFIDENCE; NaN if undefined."""

    value: float
    low: float
    high: float


def timed(
    name: str, samples: Iterable[Iterable[float]], *, paired: str | None = None, better: str | None = "lower"
) -> Measure:
    """Return a measure of times: `samples` in nanoseconds, a list for each process."""
    kept = [[float(value) for value in block] for block in samples]
    return Measure(name, "ns", better, float(np.median(_flat(kept))), kept, paired=paired)


def share(name: str, count: int, of: int, *, better: str | None = "higher") -> Measure:
    """Return a measure of a share, in percent. Raises ValueError if `of` is 0."""
    if of < 1:
        raise ValueError(f"{name}: a share needs a count above 0")
    return Measure(name, "%", better, 100 * count / of, count=int(count), of=int(of))


def figure(name: str, value: float, unit: str, *, better: str | None = None) -> Measure:
    """Return a measure of a single figure, in a unit of UNITS."""
    if unit not in UNITS:
        raise ValueError(f"{name}: unknown unit: {unit}")
    return Measure(name, unit, better, float(value))


def statistics(measure: Measure) -> dict[str, float] | None:
    """Return quantiles, mean and standard deviation of all samples; None if there are none."""
    if not measure.samples:
        return None
    values = _flat(measure.samples)
    quantiles = {name: float(np.quantile(values, at)) for name, at in QUANTILES.items()}
    return {**quantiles, "mean": float(values.mean()), "deviation": float(values.std())}


def is_unstable(measure: Measure) -> bool:
    """Whether samples scatter, or medians of processes differ, so much that another run may give another result."""
    if not measure.samples:
        return False
    values = _flat(measure.samples)
    medians = [float(np.median(block)) for block in measure.samples]
    return max(float(values.std()), max(medians) - min(medians)) > UNSTABLE * float(values.mean())


def ratio(measure: Measure, to: Measure, *, seed: int = 1) -> Ratio:
    """Return the ratio of one measure to another.

    If both took turns, it is the median of the ratios turn by turn; else the ratio of the medians. The interval is a
    bootstrap (Efron 1979) in two steps: it draws processes with replacement, then samples of each. It draws shares from
    binomial distributions. The interval of a single figure is the figure itself.
    """
    rng = np.random.default_rng(seed)
    if measure.samples and to.samples:
        if measure.paired is not None and measure.paired == to.paired:
            blocks = [np.divide(one, other) for one, other in zip(measure.samples, to.samples, strict=True)]
            drawn = [float(np.median(_drawn(blocks, rng))) for _ in range(RESAMPLED)]
            return Ratio(float(np.median(np.concatenate(blocks))), *_interval(drawn))
        ones, others = ([np.array(block) for block in each.samples or ()] for each in (measure, to))
        drawn = [float(np.median(_drawn(ones, rng)) / np.median(_drawn(others, rng))) for _ in range(RESAMPLED)]
        return Ratio(measure.value / to.value, *_interval(drawn))
    if not to.value:
        return Ratio(*3 * (float("nan"),)) if measure.value else Ratio(1, 1, 1)
    value = measure.value / to.value
    if measure.of and to.of:
        one = rng.binomial(measure.of, measure.value / 100, RESAMPLED) / measure.of
        other = rng.binomial(to.of, to.value / 100, RESAMPLED) / to.of
        return Ratio(value, *_interval((one / np.maximum(other, 1e-12)).tolist()))
    return Ratio(value, value, value)


def record(
    benchmark: str,
    measures: Sequence[Measure],
    *,
    settings: dict[str, Any],
    details: dict[str, Any] | None = None,
    model: Path | None = None,
) -> dict[str, Any]:
    """Return the content of the file.

    `settings` are the options that figures depend on, `details` is specific to this benchmark, and `model` is the
    measured model file, by default the shipped one.
    """
    return {
        "format": FORMAT,
        "benchmark": benchmark,
        "measured_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "settings": settings,
        "environment": environment.describe(model),
        "warnings": [f"{each.name} is unstable: measure again on an idle machine" for each in measures
                     if is_unstable(each)],
        "measures": [{**asdict(each), "statistics": statistics(each), "unstable": is_unstable(each)}
                     for each in measures],
        "details": details or {},
    }  # fmt: skip


def write(
    path: Path,
    benchmark: str,
    measures: Sequence[Measure],
    *,
    settings: dict[str, Any],
    details: dict[str, Any] | None = None,
    model: Path | None = None,
) -> dict[str, Any]:
    """Write the file atomically, and return its content. Raises OutputError if it cannot be written."""
    made = record(benchmark, measures, settings=settings, details=details, model=model)
    try:
        write_text(path, json.dumps(made) + "\n")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return made


def read(path: Path) -> dict[str, Any]:
    """Return the content of such a file. Raises EdgeError if it is missing or not such a file."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EdgeError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise EdgeError(f"{path} is not a benchmark result: {error}") from error
    if not isinstance(record, dict) or not {"format", "benchmark", "environment", "measures"} <= record.keys():
        raise EdgeError(f"{path} is not a benchmark result: required fields are missing")
    if record["format"] != FORMAT:
        raise EdgeError(f"{path} has format {record['format']}, expected format {FORMAT}: measure again")
    try:
        measures(record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EdgeError(f"{path} is not a benchmark result: a measure is malformed ({error})") from error
    return record


def measures(record: dict[str, Any]) -> dict[str, Measure]:
    """Return the measures of a record, by name."""
    return {each["name"]: Measure(*(each[field] for field in FIELDS)) for each in record["measures"]}


def _flat(samples: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    return np.concatenate([np.asarray(block, np.float64) for block in samples])


def _drawn(blocks: Sequence[NDArray[Any]], rng: np.random.Generator) -> NDArray[Any]:
    """Return values of blocks drawn with replacement, from each as many as it has, with replacement, too."""
    chosen = [blocks[i] for i in rng.integers(len(blocks), size=len(blocks))]
    return np.concatenate([rng.choice(block, len(block)) for block in chosen])


def _interval(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
