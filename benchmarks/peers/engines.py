"""The same network, digits and thread in other runtimes: time, accuracy, and distance from this core's limit.

build/peers/peers.json holds, in the format of all results:

    one digit/NAME                       a call, in turns with all others
    NAME/accuracy, NAME/agreement        of the test digits: read right; read as by the full network
    NAME/file                            bytes of the model file
    NAME/limit                           percent: this core's minimum time for it, of the time taken
    limit/reading, limit/products        the minimum for one digit's weights, and for its products; in the same turns
    limit/...                            the parts of these: roofline.py
    footprint/RUNTIME size, import, memory    of an environment with that alone: footprint.py
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import full, turns
from benchmarks.common.limits import read_limits
from benchmarks.common.progress import Tick, progress
from benchmarks.peers import calls as peer_calls
from benchmarks.peers import footprint, limits, roofline
from benchmarks.peers import networks as peer_networks
from benchmarks.peers.calls import NUMPY, OPENCV
from benchmarks.peers.footprint import Footprints
from benchmarks.peers.limits import GROUP
from benchmarks.peers.turns import KERAS, NAMES
from benchmarks.speed.single_digit import BARE, CONFIDENCES, SCORES
from convert.fold import fold
from convert.recipes import CONVERSIONS
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure
from edge_runtime.inference.model_file import DIGITS
from train import dataset, int8_file
from train.int8_file import Whole

PROCESSES, PROCESSES_FAST = 8, 2
TURNS, TURNS_FAST = 30, 15
STEP = 500  # digits


class Measured(NamedTuple):
    """The results: all measures, each runtime's footprint, and the limits by their names in thresholds.toml."""

    measures: list[Measure]
    footprints: Footprints
    verdicts: dict[str, limits.Verdict]


def run(build: Path, out: Path, *, fast: bool = False, measure_footprint: bool = False) -> Measured:
    """Measure, and write peers.json to `out`.

    `build` is a folder with digits.keras and the four model files. With `measure_footprint`, environments are made for
    unknown figures, which needs the internet; without, only earlier figures are used. Raises ModelError for an unusable
    file.
    """
    digits = dataset.load("test")
    network = full.load(build / "digits.keras")
    int8 = build / CONVERSIONS["int8"].file_name
    layers = int8_file.read(int8)
    networks = peer_networks.Networks(out / "networks")
    peer_networks.write(fold(network), layers, networks)
    calls = peer_calls.opened(build, networks)
    with progress("accuracy", len(calls) * -(-len(digits.images) // STEP)) as tick:
        measures = judged(calls, full.probabilities(network, digits.images), digits, tick)
    measures += sizes(build, networks)
    processes, count = (PROCESSES_FAST, TURNS_FAST) if fast else (PROCESSES, TURNS)
    records = []
    arguments = [str(build.resolve()), str(networks.folder.resolve()), str(count)]
    with progress(f"{len(NAMES)} ways to one digit, in turns", processes) as tick:
        for _ in range(processes):
            records.append(turns.run_module("peers.turns", *arguments, env=turns.ONE_THREAD))
            tick()
    measures += taken(records, layers)
    footprints = footprint.measure(build, networks, out, make=measure_footprint)
    measures += footprint.measures(footprints.figures)
    verdicts = limits.judge(measures, read_limits()["peers"])
    result.write(
        out / "peers.json", "peers", measures, model=int8,
        settings={"build": build.name, "processes": processes, "turns": count, "threads": 1,
                  "digits": len(digits.images)},
        details={"loops": loops(records), "footprint": footprints.figures},
    )  # fmt: skip
    return Measured(measures, footprints, verdicts)


def judged(
    calls: Mapping[str, peer_calls.Call], reference: NDArray[np.float64], digits: dataset.Digits, tick: Tick
) -> list[Measure]:
    """Return accuracy and agreement of every runtime, by the timed calls, one digit at a time.

    `reference` is the full network's probabilities, (N, classes); its accuracy applies to all Keras calls.
    """
    wanted = reference[:, : len(DIGITS)].argmax(axis=1)
    labels = {}
    for name, call in calls.items():
        read = []
        for i in range(len(digits.images)):
            if i % STEP == 0:
                tick()
            read.append(int(call(digits.images[i : i + 1])[0, : len(DIGITS)].argmax()))
        labels[name] = np.array(read)
    labels |= dict.fromkeys(KERAS.values(), wanted)
    return [
        each
        for name, read in labels.items()
        for each in (
            result.share(f"{name}/accuracy", int((read == digits.labels).sum()), len(read)),
            result.share(f"{name}/agreement", int((read == wanted).sum()), len(read)),
        )
    ]


def sizes(build: Path, networks: peer_networks.Networks) -> list[Measure]:
    """Return the bytes of the file that each runtime loads."""
    litert = {name: build / conversion.file_name for name, conversion in CONVERSIONS.items()}
    files = {
        **dict.fromkeys((SCORES, CONFIDENCES, BARE), litert["int8"]),
        peer_calls.FLOAT32: litert["float32"],
        peer_calls.FLOAT16: litert["float16"],
        peer_calls.DYNAMIC: litert["dynamic"],
        **dict.fromkeys((peer_calls.ONNX_FLOAT32, OPENCV), networks.float32),
        **dict.fromkeys((peer_calls.ONNX_STATIC, peer_calls.ONNX_RUN), networks.static),
        peer_calls.ONNX_DYNAMIC: networks.dynamic,
        NUMPY: networks.layers,
        **dict.fromkeys(KERAS.values(), build / "digits.keras"),
    }
    return [result.figure(f"{name}/file", path.stat().st_size, "B", better="lower") for name, path in files.items()]


def taken(records: Iterable[Mapping[str, Any]], layers: list[Whole]) -> list[Measure]:
    """Return the times of every runtime and of the limits, and each runtime's distance from its limit."""
    records = list(records)
    by_name = turns.gather(process["turns"] for process in records)
    raw = {each.name: each for each in turns.measures(by_name, paired=GROUP)}
    times = [result.timed(f"{GROUP}/{name}", raw[name].samples or (), paired=GROUP) for name in NAMES]
    limit = roofline.limit(raw, roofline.multiply_adds(layers))
    memory = max(float(process["memory"]) for process in records)
    return [
        *times,
        *[
            result.figure(f"{name}/limit", 100 * result.ratio(limit.time, time).value, "%", better="higher")
            for name, time in zip(NAMES, times, strict=True)
        ],
        *roofline.measures(raw, limit, layers, memory),
    ]


def loops(records: Iterable[Mapping[str, Any]]) -> dict[str, list[int]]:
    """Return the number of calls in a turn of each, in each process."""
    by_name = turns.gather(process["turns"] for process in records)
    return {name: [each.loops for each in of_one] for name, of_one in by_name.items()}


def table(measures: Iterable[Measure]) -> list[str]:
    """Return a line for each runtime."""
    by_name = {each.name: each for each in measures}
    head = f"{'One digit, one thread':<33}{'p50':>12}{'times ours (95 %)':>24}{'read right':>12}{'as Keras':>10}"
    lines = [head + f"{'of the limit':>14}"]
    ours = by_name[f"{GROUP}/{SCORES}"]
    for name in NAMES:
        time = by_name[f"{GROUP}/{name}"]
        ratio = result.ratio(time, ours)
        interval = "" if name == SCORES else f"({limits.interval(ratio)})"
        lines.append(
            f"  {name:<31}{time.value / 1e3:>9,.2f} us{limits.plain(ratio.value):>9} {interval:<14}"
            f"{by_name[f'{name}/accuracy'].value:>10.2f} %{by_name[f'{name}/agreement'].value:>8.2f} %"
            f"{by_name[f'{name}/limit'].value:>12.1f} %"
        )
    return lines


def of_limit(measures: Iterable[Measure]) -> list[str]:
    """Return lines that describe the limit."""
    value = {each.name: each.value for each in measures}
    size = f"{value[roofline.BYTES] / 1e3:,.0f} kB of weights and biases"
    products = f"{value[roofline.MULTIPLY_ADDS] / 1e3:,.0f} thousand multiply-adds"
    cache, memory = (f"{value[name] / 1e9:,.1f}" for name in (roofline.CACHE_RATE, roofline.MEMORY_RATE))
    rate = f"{value[roofline.PRODUCT_RATE] / 1e9:,.0f}"
    return [
        "The limit on this core",
        f"  {size:<31}{value[roofline.READING] / 1e3:>9,.2f} us  at {cache} GB/s from the cache ({memory} from memory)",
        f"  {products:<31}{value[roofline.COMPUTING] / 1e3:>9,.2f} us  at {rate} billion of int8 a second",
    ]
