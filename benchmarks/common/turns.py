"""Calls that take turns in one process, and such processes one after the other.

A turn is so short that whatever else the machine does slows all calls alike, and their ratios hold. How often a call is
made in a turn is calibrated as pyperf does it, and each process's warm-ups are kept apart.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from pathlib import Path
from time import perf_counter_ns
from typing import Any, NamedTuple

import pyperf

from edge_runtime.bench.result import Measure, timed
from edge_runtime.errors import EdgeError

ROOT = Path(__file__).parents[2]
LEAST = 20e6  # nanoseconds of a turn
COLD = 2  # calls before calibration: the first ones take long, and would pass for whole turns
WARM_UPS = 2  # turns after calibration
Call = Callable[[], object]
TurnsByName = dict[str, list["Turns"]]  # by name, those of each process


class Turns(NamedTuple):
    """What one process measured of a call.

    `warm_ups` are (calls, nanoseconds a call) of each turn that does not count, calibration first; `values` are the
    nanoseconds a call of all others, each of `loops` calls.
    """

    loops: int
    warm_ups: list[tuple[int, float]]
    values: list[float]


class ProcessFailed(EdgeError):
    """A process that measures ended without an answer."""


def take(calls: Mapping[str, Call], turns: int, *, least: float = LEAST) -> dict[str, Turns]:
    """Have calls take so many turns, each of at least so many nanoseconds, after WARM_UPS."""
    measured = {name: Turns(*_calibrated(call, least), []) for name, call in calls.items()}
    for turn in range(-WARM_UPS, turns):
        for name, call in calls.items():
            loops, warm_ups, values = measured[name]
            spent = _nanoseconds(call, loops) / loops
            if turn < 0:
                warm_ups.append((loops, spent))
            else:
                values.append(spent)
    return measured


def run_module(module: str, *arguments: str) -> Any:
    """Run a module of `benchmarks` in a process of its own, and return the JSON value that it prints.

    Raises ProcessFailed where it fails.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise ProcessFailed(f"benchmarks.{module} {arguments[0]} ended with exit code {done.returncode}: {said[-1]}")
    return json.loads(done.stdout)


def gather(processes: Iterable[Mapping[str, Iterable[Any]]]) -> TurnsByName:
    """Return what several processes told, each an object of Turns by name."""
    by_name: TurnsByName = {}
    for process in processes:
        for name, (loops, warm_ups, values) in process.items():
            by_name.setdefault(name, []).append(Turns(loops, [(count, spent) for count, spent in warm_ups], values))
    if not by_name:
        raise ValueError("at least one process is needed")
    return by_name


def measures(by_name: TurnsByName, paired: str | None = None) -> list[Measure]:
    """Return a measure of each; `paired` where they took turns."""
    return [timed(name, [turns.values for turns in of_one], paired=paired) for name, of_one in by_name.items()]


def suite(by_name: TurnsByName) -> pyperf.BenchmarkSuite:
    """Return the same as pyperf's runs, in seconds, for its own commands to read."""
    return pyperf.BenchmarkSuite(
        [pyperf.Benchmark([_run(name, turns) for turns in of_one if turns.values]) for name, of_one in by_name.items()]
    )


def _run(name: str, turns: Turns) -> pyperf.Run:
    return pyperf.Run(
        [spent / 1e9 for spent in turns.values],
        warmups=[(loops, spent / 1e9) for loops, spent in turns.warm_ups],
        metadata={"name": name, "loops": turns.loops},
        collect_metadata=False,
    )


def _calibrated(call: Call, least: float) -> tuple[int, list[tuple[int, float]]]:
    """Return how many calls take at least so many nanoseconds, doubling them until they do, and what each took."""
    loops, tried = 1, [(1, float(_nanoseconds(call, 1))) for _ in range(COLD)]
    while True:
        spent = _nanoseconds(call, loops)
        tried.append((loops, spent / loops))
        if spent >= least:
            return loops, tried
        loops *= 2


def _nanoseconds(call: Call, loops: int) -> int:
    started = perf_counter_ns()
    for _ in repeat(None, loops):
        call()
    return perf_counter_ns() - started
