"""From counted work, one machine's measured times and published figures of another to a range of times there."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.speed.cost_work import STAGES, FrameWork, Network
from edge_runtime.bench.process import COPIED
from edge_runtime.bench.result import Measure
from edge_runtime.errors import EdgeError

MACHINES = Path(__file__).with_name("cost_machines.toml")
# ASSUMED: by how much further behind than in 7-zip a small core may be. 7-zip waits for memory and for branches, where
# a large core gains least. n-body in Python, five million steps, takes 158 s on a Pi 4 at 1.5 GHz (C. Mehta,
# "Performance Analysis of Languages on Raspberry Pi", which does not name its Python) and 18 s on the reference with
# Python 3.11: 8.8 times. If that was a Python before 3.11, some 1.4 times are its, and 6.3 are left; 7-zip says 3.4.
SPREAD = 2.0
FITTED = ("320x240", "640x480", "1280x720")  # larger pictures are reduced first, which is other work


class Range(NamedTuple):
    """From the least to the most."""

    low: float
    high: float

    def __add__(self, other: object) -> "Range":
        """Return the range of a sum."""
        if not isinstance(other, Range):
            return NotImplemented
        return Range(self.low + other.low, self.high + other.high)

    def times(self, value: float) -> "Range":
        """Return both ends so many times as high."""
        return Range(value * self.low, value * self.high)


NOTHING = Range(0.0, 0.0)


class Machine(NamedTuple):
    """What is published of a board, see cost_machines.toml; `copy` is in bytes a second."""

    boards: tuple[str, ...]
    core: str
    hertz: float
    score: Range
    copy: Range
    multiply_adds: Range
    cache: int


class Costs(NamedTuple):
    """What was measured on one machine, taken apart.

    `score` is its score in 7-zip's MIPS, `copy` the bytes that it copies a second; `stages` has nanoseconds for a call
    and for a byte of OpenCV, `around` nanoseconds of the classifier that are not the network's, `digit` those of one
    digit through bare LiteRT and through the classifier.
    """

    score: float
    copy: float
    stages: dict[str, tuple[float, float]]
    around: float
    digit: tuple[float, float]


def machines(path: Path = MACHINES) -> dict[str, Machine]:
    """Return the boards, by name."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["machine"]
    return {name: _machine(**of_one) for name, of_one in tables.items()}


def _machine(
    *, boards: list[str], core: str, hertz: float, score: list[float], copy: list[float], multiply_adds: list[float],
    cache: int,
) -> Machine:  # fmt: skip
    return Machine(tuple(boards), core, hertz, Range(*score), Range(*copy), Range(*multiply_adds), cache)


def calibrate(measured: Mapping[str, Measure], work: Mapping[str, FrameWork], processor: str) -> Costs:
    """Take apart what `edge-digits bench` measured on this processor. Raises EdgeError where it lacks something.

    A stage's time is fitted as so much for each call of OpenCV, which stands for what is done in Python around it, and
    so much for each byte: neither is less than 0.
    """
    reference = tomllib.loads(MACHINES.read_text(encoding="utf-8"))["reference"]
    try:
        value = {name: measured[name].value for name in _needed()}
    except KeyError as error:
        raise EdgeError(f"the result lacks {error}: is it of `edge-digits bench`?") from error
    bad = [name for name, of_one in value.items() if not 0 < of_one < 1e15]
    if bad:
        raise EdgeError(f"the result has a time that cannot be: {bad[0]} of {value[bad[0]]:g} ns")
    score = reference["score"]
    if processor != reference["processor"]:
        score *= reference["loop"] / value["machine/loop"]
    stages = {}
    for stage in STAGES:
        counted = [work[size].stages[stage] for size in FITTED]
        times = [value[f"stages {size}/{stage}"] for size in FITTED]
        stages[stage] = _fitted([each.calls for each in counted], [each.bytes for each in counted], times)
    batch, alone = value["batches/64"] / 4, value["one digit/Classifier.scores"]
    around = [value[f"stages {size}/classify"] - _network_here(work[size], batch, alone) for size in FITTED]
    return Costs(
        score,
        COPIED / value["machine/copy"] * 1e9,
        stages,
        max(0.0, float(np.mean(around))),
        (value["one digit/bare LiteRT"], alone),
    )


def frame(work: FrameWork, network: Network, costs: Costs, machine: Machine) -> dict[str, Range]:
    """Return the nanoseconds of each stage there, and "total"."""
    python, pixels = ratios(costs, machine)
    estimates = {}
    for stage in STAGES:
        of_call, of_byte = costs.stages[stage]
        counted = work.stages[stage]
        if stage == "classify":
            computing = passes(network, work.rows, work.passes, machine)
            estimates[stage] = computing + python.times(costs.around)
        elif stage == "rest":  # hardly calls OpenCV: as here, so many times as slow
            estimates[stage] = python.times(of_call * counted.calls + of_byte * counted.bytes)
        else:
            estimates[stage] = python.times(of_call * counted.calls) + pixels.times(of_byte * counted.bytes)
    return {**estimates, "total": sum(estimates.values(), NOTHING)}


def digit(network: Network, costs: Costs, machine: Machine) -> Range:
    """Return the nanoseconds of one digit through the classifier there.

    What is around the network is between what the classifier adds to LiteRT, and all that both take here.
    """
    python, _ = ratios(costs, machine)
    bare, whole = costs.digit
    around = Range(python.low * max(0.0, whole - bare), python.high * whole)
    return passes(network, 1, 1, machine) + around


def passes(network: Network, rows: float, count: float, machine: Machine) -> Range:
    """Return the nanoseconds that the network itself takes: its products, or reading its weights, whichever is more.

    Copying a byte is reading and writing one, so a core reads at least what it copies, and at most twice that. Weights
    that fit into the cache may be there, and need not.
    """
    products = Range(
        *(1e9 * rows * network.multiply_adds / (machine.hertz * each) for each in machine.multiply_adds[::-1])
    )
    cached = network.bytes <= machine.cache
    fastest = 0.0 if cached else 1e9 * count * network.bytes / (2 * machine.copy.high)
    slowest = 1e9 * count * network.bytes / machine.copy.low
    return Range(max(products.low, fastest), max(products.high, slowest))


def ratios(costs: Costs, machine: Machine) -> tuple[Range, Range]:
    """Return how many times as long Python takes there, and what is done to pixels: by score, and by memory, too."""
    python = Range(costs.score / machine.score.high, SPREAD * costs.score / machine.score.low)
    copying = Range(costs.copy / machine.copy.high, costs.copy / machine.copy.low)
    return python, Range(min(python.low, copying.low), max(python.high, copying.high))


def _needed() -> list[str]:
    stages = [f"stages {size}/{stage}" for size in FITTED for stage in STAGES]
    return [
        *stages,
        "batches/64",
        "one digit/bare LiteRT",
        "one digit/Classifier.scores",
        "machine/copy",
        "machine/loop",
    ]


def _network_here(work: FrameWork, batch: float, alone: float) -> float:
    """Return the nanoseconds of a frame's network here, given those of a batch and of one digit."""
    # Of p passes with r rows, b are batches: r = 16 b + (p - b).
    batches = (work.rows - work.passes) / 15
    return batches * batch + (work.passes - batches) * alone


def _fitted(calls: list[float], moved: list[float], times: list[float]) -> tuple[float, float]:
    """Return the nanoseconds of a call and of a byte, neither below 0, that fit the times best (least squares)."""
    of_call, of_byte = np.linalg.lstsq(np.array([calls, moved]).T, np.array(times), rcond=None)[0]
    if of_byte < 0 or not any(moved):
        return float(np.dot(calls, times) / max(1.0, np.dot(calls, calls))), 0.0
    if of_call < 0:
        return 0.0, float(np.dot(moved, times) / np.dot(moved, moved))
    return float(of_call), float(of_byte)


def named(environment: Mapping[str, Any]) -> str | None:
    """Return the name of the board that a result's environment tells of, among `machines`; None for another machine."""
    board, frequency = environment["machine"]["board"] or "", environment["state"]["frequency_hz"]
    known = machines()
    names = [name for name, machine in known.items() if board.startswith(machine.boards)]
    if frequency:
        names.sort(key=lambda name: abs(known[name].hertz - frequency))
    return names[0] if names else None
