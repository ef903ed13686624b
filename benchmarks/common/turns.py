"""Interleaved calls in one process, repeated in several processes one after the other.

Turns are so short that other load on the machine slows all calls alike, and their ratios hold. The number of calls in a
turn is calibrated as in pyperf, and each process's warm-ups are stored separately.
"""

import json
import os
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
COLD = 2  # calls before calibration: the first ones are slow and would fill whole turns
WARM_UPS = 2  # turns after calibration
# Environment variables that OpenMP, OpenBLAS and MKL read once, when they are loaded.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
Call = Callable[[], object]
TurnsByName = dict[str, list["Turns"]]  # by name, one for each process


class Turns(NamedTuple):
    """The measurements of one call in one process.

    `warm_ups` holds (calls, nanoseconds a call) of each uncounted turn, calibration first; `values` holds the
    nanoseconds a call of all other turns, each of `loops` calls.
    """

    loops: int
    warm_ups: list[tuple[int, float]]
    values: list[float]

    def add(self, turn: int, spent: float) -> None:
        """Keep the nanoseconds a call of a turn; turns are numbered from 0, and those before it are warm-ups."""
        if turn < 0:
            self.warm_ups.append((self.loops, spent))
        else:
            self.values.append(spent)


class ProcessFailed(EdgeError):
    """A measuring process ended without a result."""


def take(calls: Mapping[str, Call], turns: int, *, least: float = LEAST) -> dict[str, Turns]:
    """Run calls in the given number of turns, each of a minimum duration in nanoseconds, after WARM_UPS."""
    measured = {name: Turns(*_calibrated(call, least), []) for name, call in calls.items()}
    for turn in range(-WARM_UPS, turns):
        for name, call in calls.items():
            loops = measured[name].loops
            measured[name].add(turn, _nanoseconds(call, loops) / loops)
    return measured


def run_module(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    """Run a module of `benchmarks` in its own process, and return the JSON value that it prints.

    `env` holds further environment variables. Raises ProcessFailed if it fails.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    environment = {**os.environ, **(env or {})}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise ProcessFailed(f"benchmarks.{module} {arguments[0]} ended with exit code {done.returncode}: {said[-1]}")
    return json.loads(done.stdout)


def gather(processes: Iterable[Mapping[str, Iterable[Any]]]) -> TurnsByName:
    """Return the merged results of several processes, each an object of Turns by name."""
    by_name: TurnsByName = {}
    for process in processes:
        for name, (loops, warm_ups, values) in process.items():
            by_name.setdefault(name, []).append(Turns(loops, [(count, spent) for count, spent in warm_ups], values))
    if not by_name:
        raise ValueError("at least one process is required")
    return by_name


def measures(by_name: TurnsByName, paired: str | None = None) -> list[Measure]:
    """Return a measure of each; `paired` names the group that took turns."""
    return [timed(name, [turns.values for turns in of_one], paired=paired) for name, of_one in by_name.items()]


def suite(by_name: TurnsByName) -> pyperf.BenchmarkSuite:
    """Return the measurements as pyperf runs, in seconds, for its own commands."""
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
    """Return the number of calls that takes at least this many nanoseconds, by doubling, and the time of each try."""
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
