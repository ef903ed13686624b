"""The record of `edge-digits bench` as lines of text."""

from collections.abc import Iterator
from typing import Any

from edge_runtime.bench import result
from edge_runtime.bench.process import STAGES
from edge_runtime.bench.result import Measure
from edge_runtime.inference import golden

Measures = dict[str, Measure]
WIDTH = 34  # of the label at the start of a line
TURNS = ("one digit/bare LiteRT", "one digit/Classifier.scores", "one digit/Classifier.confidences")


def lines(record: dict[str, Any]) -> Iterator[str]:
    """Yield the lines."""
    measures = result.measures(record)
    yield from _machine(record["environment"])
    yield from _golden(record["details"]["golden_vectors"])
    yield from _digit(measures)
    yield from _threads(measures)
    yield from _frames(measures)
    yield from _command(measures)
    yield from _reference(measures)


def _machine(environment: dict[str, Any]) -> Iterator[str]:
    machine, system, state, versions = (environment[key] for key in ("machine", "system", "state", "versions"))
    memory = f", {machine['memory_bytes'] / 2**30:.1f} GB" if machine["memory_bytes"] else ""
    board = f"{machine['board']}: " if machine["board"] else ""
    yield f"{board}{machine['processor']}, {machine['cores']} cores{memory}"
    yield f"{system['os']}, {machine['architecture']}, Python {system['python']}, " + ", ".join(
        f"{name} {versions[name]}" for name in ("numpy", "opencv", "litert") if versions[name]
    )
    known = [
        None if state["governor"] is None else f"governor {state['governor']}",
        None if state["frequency_hz"] is None else f"{state['frequency_hz'] / 1e6:.0f} MHz",
        None if state["temperature_celsius"] is None else f"{state['temperature_celsius']:.0f} degrees Celsius",
        None if state["throttled"] is None else f"throttled: {', '.join(state['throttled']) or 'no'}",
    ]
    if any(known):
        yield ", ".join(filter(None, known))
    yield f"edge-digits {versions['edge-digits']}, model {environment['model']}"


def _golden(replay: dict[str, Any] | None) -> Iterator[str]:
    if replay is None:
        yield f"Golden vectors: {golden.NO_VECTORS}"
    else:
        yield f"Golden vectors: {golden.Replay(**replay)}"


def _digit(measures: Measures) -> Iterator[str]:
    yield ""
    yield f"{'The model':<{WIDTH}}{'p50':>12}{'p95':>12}"
    for name in ("model/load", "model/first inference"):
        yield _times(name, measures[name])
    yield f"{'One digit, in turns':<{WIDTH}}{'p50':>12}{'p95':>12}   ratio to the first, and its 95 % interval"
    for name in TURNS:
        against = result.ratio(measures[name], measures[TURNS[0]])
        beside = "" if name == TURNS[0] else f"{against.value:>8.2f} ({against.low:.2f}-{against.high:.2f})"
        yield _times(name, measures[name]) + beside
    yield f"{'Several digits, Classifier.scores':<{WIDTH}}{'p50':>12}{'p95':>12}   per digit"
    for name, measure in measures.items():
        group, _, count = name.partition("/")
        if group == "batches":
            yield _times(f"/{count} at once", measure) + _duration(measure.value / int(count))


def _threads(measures: Measures) -> Iterator[str]:
    named = {name.partition("/")[2]: measure for name, measure in measures.items() if name.startswith("threads/")}
    sizes = list(dict.fromkeys(name.split(", ")[1] for name in named))
    yield f"{'Threads for the network':<{WIDTH}}" + "".join(f"{size:>12}" for size in sizes)
    for count in dict.fromkeys(name.split(", ")[0] for name in named):
        yield f"  {count:<{WIDTH - 2}}" + "".join(_duration(named[f"{count}, {size}"].value) for size in sizes)


def _frames(measures: Measures) -> Iterator[str]:
    yield ""
    yield f"{'Whole frames of ten digits, ms':<{WIDTH}}" + "".join(f"{stage:>11}" for stage in STAGES)
    for size in dict.fromkeys(name.split("/")[0] for name in measures if name.startswith("stages ")):
        of_stages = [measures[f"{size}/{stage}"].value / 1e6 for stage in STAGES]
        yield f"  {size.removeprefix('stages '):<{WIDTH - 2}}" + "".join(f"{value:>11.2f}" for value in of_stages)
    decode = measures["frames/decode 12 megapixels"].value / 1e6
    yield f"  {'decoding 12 megapixels of JPEG':<{WIDTH - 2}}{decode:>{11 * len(STAGES)}.2f}"


def _command(measures: Measures) -> Iterator[str]:
    yield ""
    imports, read = (measures[f"command/{name}"] for name in ("import numpy, cv2", "edge-digits read PNG"))
    against = result.ratio(read, imports)
    yield f"{'Start of the command to first label':<{WIDTH}}{'p50':>11}{'p95':>12}"
    yield _times("command/import numpy, cv2", imports)
    yield _times("command/edge-digits read PNG", read) + f"{against.value:>8.2f} ({against.low:.2f}-{against.high:.2f})"
    peak = measures.get("memory/edge-digits read PNG, peak")
    if peak is not None:
        yield f"  {'its peak memory':<{WIDTH - 2}}{peak.value / 1e6:>9.1f} MB"


def _reference(measures: Measures) -> Iterator[str]:
    yield f"{'This machine, see docs/boards.md':<{WIDTH}}{'p50':>10}{'p95':>12}"
    said = {"copy": "copy of 32 MiB", "loop": "100,000 rounds in Python", "chain": "cvtColor, adaptiveThreshold"}
    for name, words in said.items():
        yield _times(f"/{words}", measures[f"machine/{name}"])


def _times(name: str, measure: Measure) -> str:
    statistics = result.statistics(measure) or {}
    return f"  {name.partition('/')[2]:<{WIDTH - 2}}{_duration(measure.value)}{_duration(statistics['p95'])}"


def _duration(nanoseconds: float) -> str:
    """Return a time, 12 wide, in the unit that gives one to three digits before the point."""
    for unit, size in (("ns", 1.0), ("us", 1e3), ("ms", 1e6)):
        if nanoseconds < 1000 * size:
            return f"{nanoseconds / size:>9.2f} {unit}"
    return f"{nanoseconds / 1e9:>9.2f} s "
