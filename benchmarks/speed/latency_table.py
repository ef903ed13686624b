"""The output of `benchmarks.speed.latency`: medians, and ratios with their intervals."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.speed import starts, whole_frame
from benchmarks.speed.energy import Energy
from benchmarks.speed.single_digit import BARE, BATCHES, CONFIDENCES, FEW, MANY, SCORES, THREADS, beside_keras
from edge_runtime.bench.process import STAGES
from edge_runtime.bench.result import Measure, Ratio, is_unstable, ratio, statistics
from edge_runtime.pages import timing

WAYS = ("Keras model(x)", "Keras tf.function", "Keras predict")
MOST_NAMED = 6  # of unstable measures
Measures = Mapping[str, Measure]


def ratios(measures: Measures) -> dict[str, Ratio]:
    """Return the ratios of Keras to ours on the same reading, by the name of the limit, if measured."""
    ratios = {}
    for name, group in (("start_ratio", "cold start"), ("memory_ratio", "peak memory")):
        keras, ours = measures.get(f"{group}/{starts.KERAS}"), measures.get(f"{group}/{starts.READ}")
        if keras and ours:
            ratios[name] = ratio(keras, ours)
    return ratios


def table(
    measures: Measures, energy: Energy | None, limits: Mapping[str, Any], ratios: Mapping[str, Ratio]
) -> Iterator[str]:
    """Yield the lines; `limits` are those of thresholds.toml for the `ratios`."""
    models = [name.removeprefix("load/") for name in measures if name.startswith("load/") and "Keras" not in name]
    yield from _digit(measures, models)
    yield from _keras(measures)
    yield from _many(measures, models)
    yield from _starts(measures, models)
    yield from _frames(measures)
    yield from _energy(measures, energy)
    yield from _asked(measures, limits, ratios)


def warning(measures: Measures) -> str | None:
    """Return a line that names unstable measures, which another run may contradict; None without any."""
    names = [name for name, measure in measures.items() if is_unstable(measure)]
    if not names:
        return None
    named = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    return f"warning: {len(names)} of {len(measures)} measures are unstable, is the machine idle? {named}"


def _digit(measures: Measures, models: Sequence[str]) -> Iterator[str]:
    yield (
        f"{'One digit, one thread: us':<34}{'median':>9}{'p90':>9}{'p95':>9}{'p99':>9}{'mean':>9}{'dev.':>8}"
        "   ratio to bare LiteRT"
    )
    for model in models:
        bare = measures[f"one digit/{model} {BARE}"]
        for way in (BARE, SCORES, CONFIDENCES):
            measure = measures[f"one digit/{model} {way}"]
            stats = statistics(measure) or {}
            values = "".join(f"{stats[name] / 1e3:>9.2f}" for name in ("p50", "p90", "p95", "p99", "mean"))
            times = "" if way == BARE else _ratio(ratio(measure, bare))
            yield f"  {model:<10}{way:<22}{values}{stats['deviation'] / 1e3:>8.2f}{times and '   ' + times}"


def _keras(measures: Measures) -> Iterator[str]:
    if f"{beside_keras(FEW)}/{WAYS[0]}" not in measures:
        return
    yield f"{'Beside Keras, one thread: us':<34}{'one digit':>11}   {'ratio':<24}{f'{MANY} digits':>11}   ratio"
    for way in (f"int8 {SCORES}", *WAYS):
        line = f"  {way:<32}"
        for count in (FEW, MANY):
            group = beside_keras(count)
            measure, ours = measures[f"{group}/{way}"], measures[f"{group}/int8 {SCORES}"]
            times = "1" if measure is ours else _ratio(ratio(measure, ours))
            line += f"{measure.value / 1e3:>11,.1f}   {times:<24}"
        yield line.rstrip()


def _many(measures: Measures, models: Sequence[str]) -> Iterator[str]:
    yield f"{'Batches: us a digit':<22}" + "".join(f"{size:>8}" for size in BATCHES)
    for model in models:
        values = (measures[f"batches/{model} {size}"].value / size / 1e3 for size in BATCHES)
        yield f"  {model:<20}" + "".join(f"{value:>8.2f}" for value in values)
    columns = [(size, count) for size in (FEW, MANY) for count in THREADS]
    heads = "".join(f"{f'{size} with {count}':>12}" for size, count in columns)
    yield f"{'Threads: us a digit':<22}{heads}"
    for model in models:
        values = (measures[f"threads/{model} {size} with {count}"].value / size / 1e3 for size, count in columns)
        yield f"  {model:<20}" + "".join(f"{value:>12.2f}" for value in values)


def _starts(measures: Measures, models: Sequence[str]) -> Iterator[str]:
    yield f"{'Load, then the first digit: ms':<34}{'load':>9}{'first':>9}"
    for model in models:
        yield _milliseconds(model, measures[f"load/{model}"], measures[f"first inference/{model}"])
    for way in WAYS:
        if f"first inference/{way}" in measures:
            yield _milliseconds(way, measures["load/Keras"], measures[f"first inference/{way}"])
    yield f"{'Start to first label':<34}{'ms':>9}   {'ratio to the imports':<24}{'peak memory, MB':>15}"
    imports = measures[f"cold start/{starts.IMPORTS}"]
    for name, measure in _group(measures, "cold start/").items():
        times = "" if measure is imports else _ratio(ratio(measure, imports))
        peak = measures.get(f"peak memory/{name}")
        most = f"{peak.value / 1e6:.1f}" if peak else ""
        yield f"  {name:<32}{measure.value / 1e6:>9.1f}   {times:<24}{most:>15}".rstrip()


def _frames(measures: Measures) -> Iterator[str]:
    yield f"{'Whole frames, one thread: ms':<40}" + "".join(f"{stage:>11}" for stage in STAGES)
    for name in (*timing.SIZES, timing.PHOTO):
        yield from stage_table(f"{name}, ten digits", _group(measures, f"stages {name}/"))
    decode = measures[f"decode/{timing.PHOTO}"].value / 1e6
    yield f"  {'decoding 12 megapixels of JPEG, apart':<38}{decode:>66.2f}"
    group = f"frame {whole_frame.PLAIN}/"
    chain = measures[group + whole_frame.CHAIN]
    yield f"{'The same 640x480 pages, in turns':<34}{'ms':>9}   ratio to the plain chain"
    for name, measure in _group(measures, group).items():
        label = "cvtColor, adaptiveThreshold" if measure is chain else f"whole frame, {name}"
        times = "1" if measure is chain else _ratio(ratio(measure, chain))
        yield f"  {label:<32}{measure.value / 1e6:>9.2f}   {times}"
    hard = _hard(measures)
    yield f"The {len(hard)} slowest hard frames, {whole_frame.PLAIN}: ms"
    for name, stages in hard.items():
        yield from stage_table(name, stages)


def stage_table(name: str, stages: Measures) -> Iterator[str]:
    """Yield lines with the median, the 95th percentile and the maximum of each stage, in milliseconds."""
    for i, kind in enumerate(("median", "95 %", "worst")):
        values = []
        for measure in stages.values():
            stats = statistics(measure) or {}
            most = max(max(block) for block in measure.samples or [])
            values.append((stats["p50"], stats["p95"], most)[i] / 1e6)
        yield f"  {name if i == 0 else '':<31}{kind:>7}" + "".join(f"{value:>11.2f}" for value in values)


def _energy(measures: Measures, energy: Energy | None) -> Iterator[str]:
    if energy is None:
        yield "Energy is left out: this machine does not report it, as RAPL (to root) or a Raspberry Pi 5 would"
        return
    frame, digit = (measures[f"energy/{name}"].value for name in (f"frame {whole_frame.PLAIN}", "digit"))
    idle, busy = (sum(watts) / len(watts) for watts in (energy.idle_watts, energy.busy_watts))
    yield (
        f"Energy beyond that of the idle machine: {frame * 1e3:.2f} mJ a {whole_frame.PLAIN} frame, "
        f"{digit * 1e3:.3f} mJ a digit ({busy:.2f} W reading, {idle:.2f} W idle; {energy.source})"
    )


def _asked(measures: Measures, limits: Mapping[str, Any], ratios: Mapping[str, Ratio]) -> Iterator[str]:
    yield "Requirements"
    for name, label in (("start_ratio", "start, Keras to ours"), ("memory_ratio", "memory, Keras to ours")):
        if name in ratios:
            yield f"  {label:<32}{_ratio(ratios[name]):<26}at least {limits[name]:g}"
    hard = [stages[STAGES[-1]].value for stages in _hard(measures).values()]
    frame = measures[f"stages {whole_frame.PLAIN}/{STAGES[-1]}"].value
    asked = limits["asked"]
    for label, value, most in (("frame of ten digits, median", frame, asked["frame_ms"]),
                               ("hardest frame, median", max(hard), asked["hardest_frame_ms"])):  # fmt: skip
        yield f"  {label:<32}{f'{value / 1e6:.2f} ms':<26}at most {most:g} ms, though machines differ"


def _hard(measures: Measures) -> dict[str, Measures]:
    """Return the stages of each hard frame, slowest first."""
    last = STAGES[-1]
    names = [name.split(" ", 2)[2].removesuffix(f"/{last}") for name in measures
             if name.startswith("hard frame ") and name.endswith(f"/{last}")]  # fmt: skip
    stages = {name: _group(measures, f"hard frame {name}/") for name in names}
    return dict(sorted(stages.items(), key=lambda item: -item[1][last].value))


def _group(measures: Measures, prefix: str) -> dict[str, Measure]:
    return {name.removeprefix(prefix): measure for name, measure in measures.items() if name.startswith(prefix)}


def _milliseconds(name: str, *columns: Measure) -> str:
    return f"  {name:<32}" + "".join(f"{measure.value / 1e6:>9.2f}" for measure in columns)


def _ratio(measured: Ratio) -> str:
    """Return a ratio and its interval with three significant digits."""
    value, low, high = (f"{number:,.{max(0, 2 - len(f'{number:.0f}') + 1)}f}" for number in measured)
    return f"{value} ({low}-{high})"
