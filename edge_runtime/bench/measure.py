"""`edge-digits bench`: the speed of the runtime on this machine, measured with the wheel's content alone.

It first replays the model's golden vectors: the speed of a network that answers wrong is of no interest. Then it
measures the parts, each in separate processes (`process`), and the command as users start it. The result is a
record as every benchmark writes it (`result`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import Any, NamedTuple

from edge_runtime.bench import environment, result
from edge_runtime.bench.process import Taken
from edge_runtime.bench.result import Measure
from edge_runtime.errors import EdgeError, OutputError
from edge_runtime.inference import golden
from edge_runtime.inference.classifier import Classifier
from edge_runtime.pages import timing
from edge_runtime.system import board, signals

PROCESSES, PROCESSES_FAST = 3, 2
STARTS, STARTS_FAST = 7, 3
HOT = 80.0  # degrees Celsius: a Raspberry Pi runs slower from here (its documentation, "Frequency management")
BUSY = 0.5  # of its cores, on average over the last minute: above this, other programs use the machine
PARTS = {
    "digit": "one digit",
    "batches": "batches",
    "threads": "threads",
    "frames": "whole frames",
    "machine": "the machine",
}
STARTING, MEMORY = "start of the command", "peak memory"
# The command, which prints the kernel's counters at exit. A child's rusage would count its parent's memory as well.
READ_AND_PRINT = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(open("/proc/self/status").read()))
from edge_runtime.cli.main import main
main()
"""
Runs = list[Taken]  # the results of each process


class Settings(NamedTuple):
    """What to measure: a model file and its labels, None for the shipped ones, and the number of threads."""

    model: Path | None = None
    labels: Path | None = None
    threads: int = 1
    fast: bool = False

    def options(self) -> list[str]:
        """Return the settings as options of `edge-digits read`."""
        model = [] if self.model is None else ["--model", str(self.model)]
        labels = [] if self.labels is None else ["--labels", str(self.labels)]
        return [*model, *labels, "--threads", str(self.threads)]


def steps(settings: Settings) -> list[str]:
    """Return the names of the steps in order, as `run` reports them."""
    processes = PROCESSES_FAST if settings.fast else PROCESSES
    return [name for name in PARTS.values() for _ in range(processes)] + [STARTING, MEMORY]


def run(settings: Settings, begins: Callable[[str], object]) -> dict[str, Any]:
    """Measure, and return the record; `begins` receives the name of each of `steps` as it begins.

    Raises CheckFailed if the golden vectors do not match, and what Classifier raises.
    """
    with Classifier(settings.model, labels=settings.labels, threads=settings.threads) as classifier:
        replay = golden.check(classifier)
    before = environment.state()
    results: dict[str, Runs] = {part: [] for part in PARTS}
    warmest = [before["temperature_celsius"]]
    for part, name in PARTS.items():
        for _ in range(PROCESSES_FAST if settings.fast else PROCESSES):
            begins(name)
            results[part].append(_measured(part, settings))
            warmest.append(board.temperature())
    begins(STARTING)
    imports, reads = starts(settings, STARTS_FAST if settings.fast else STARTS)
    begins(MEMORY)
    peak = peak_memory(settings)
    measures = [
        *_of_replay(replay),
        *(measure for part, runs in results.items() for measure in _measures(part, runs)),
        result.timed("command/import numpy, cv2", [imports], paired="command", better=None),
        result.timed("command/edge-digits read PNG", [reads], paired="command"),
        *([] if peak is None else [result.figure("memory/edge-digits read PNG, peak", peak, "B", better="lower")]),
    ]
    after = environment.state()
    record = result.record(
        "bench",
        measures,
        settings={"fast": settings.fast, "threads": settings.threads, "opencv_threads": 1},
        details={
            "before": before,
            "golden_vectors": None if replay is None else replay._asdict(),
            "warm_up_ms": {name: times for part, runs in results.items() for name, times in _warm_ups(part, runs)},
        },
        model=settings.model,
    )
    degrees = max((each for each in [*warmest, after["temperature_celsius"]] if each is not None), default=None)
    record["warnings"] = [*concerns(before, after, degrees), *record["warnings"]]
    return record


def check_folder(path: Path) -> None:
    """Check, before minutes are spent, that a file can be written there. Raises OutputError if it cannot."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"cannot write {path}: no permission to write to its folder")


def concerns(before: dict[str, Any], after: dict[str, Any], warmest: float | None) -> list[str]:
    """Return the reasons to doubt the figures, a line each, from the machine's state before and after."""
    then, now = (frozenset(state["throttled"] or ()) for state in (before, after))
    slowed = sorted({state for state in then | now if state.endswith(" now")} | (now - then))
    warnings = []
    if slowed:
        warnings.append(f"the board was throttled ({', '.join(slowed)}): improve its cooling or its power supply")
    if warmest is not None and warmest >= HOT:
        warnings.append(f"the processor reached {warmest:.0f} degrees Celsius: cool it and measure again")
    load, cores = before["load_average"], environment.machine()["cores"]
    if load is not None and load[0] > BUSY * cores:
        warnings.append(f"the machine was busy: a load average of {load[0]:.1f} on {cores} cores at the start")
    return warnings


def worth_a_word(record: dict[str, Any]) -> list[str]:
    """Return the warnings of a record for people; one line counts all unstable figures."""
    unstable = sum(measure["unstable"] for measure in record["measures"])
    warnings = [warning for warning in record["warnings"] if " is unstable: " not in warning]
    if unstable:
        warnings.append(
            f"{unstable} of {len(record['measures'])} figures are unstable: measure again on an idle machine"
        )
    return warnings


def starts(settings: Settings, count: int) -> tuple[list[float], list[float]]:
    """Run both commands in turn; return the nanoseconds of each run: imports alone, then the reader to its label."""
    read = [sys.executable, "-m", "edge_runtime", "read", str(timing.DIGIT), *settings.options()]
    imports: list[float] = []
    reads: list[float] = []
    for _ in range(count):
        for spent, command in ((imports, [sys.executable, "-c", "import numpy, cv2"]), (reads, read)):
            started = perf_counter_ns()
            _answer(command, STARTING)
            spent.append(float(perf_counter_ns() - started))
    return imports, reads


def peak_memory(settings: Settings) -> int | None:
    """Return the peak memory of the reader in bytes (VmHWM), or None if the system does not report it."""
    if not Path("/proc/self/status").exists():
        return None
    command = [sys.executable, "-c", READ_AND_PRINT, "read", str(timing.DIGIT), *settings.options()]
    words = _answer(command, MEMORY).stderr.partition("VmHWM:")[2].split()
    return 1024 * int(words[0]) if words else None


def _measured(part: str, settings: Settings) -> Taken:
    asked = json.dumps({"part": part, **settings._asdict()}, default=str)
    command = [sys.executable, "-m", "edge_runtime.bench.process", asked]
    return Taken(**json.loads(_answer(command, PARTS[part]).stdout))


def _answer(command: Sequence[str], what: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        code = done.returncode
        ended = f"killed by {signals.name_of(-code)}" if code < 0 else f"exit code {code}"
        why = (done.stderr.strip().splitlines() or [ended])[-1]
        raise EdgeError(f"{what}: not measured: {why}")
    return done


def _of_replay(replay: golden.Replay | None) -> Iterator[Measure]:
    if replay is not None:
        yield result.share("golden vectors/same label", replay.same, replay.vectors)
        yield result.figure("golden vectors/units that a score is off", replay.furthest, "1", better="lower")


def _measures(part: str, runs: Runs) -> Iterator[Measure]:
    """Yield the measures of a part, from the results of each process."""
    for key in runs[0].times:
        name, paired = _named(part, key)
        better = None if part == "machine" else "lower"
        # If other programs slow the processes, one may have had time for more turns than another.
        yield result.timed(name, [run.times[key] for run in runs], paired=paired, better=better)


def _warm_ups(part: str, runs: Runs) -> Iterator[tuple[str, list[list[float]]]]:
    """Yield the milliseconds of each measure's warm-ups in each process."""
    for key in runs[0].warm_ups:
        yield _named(part, key)[0], [[nanoseconds / 1e6 for nanoseconds in run.warm_ups[key]] for run in runs]


def _named(part: str, key: str) -> tuple[str, str | None]:
    """Return the name of a figure, and the group that it took turns with."""
    if part == "digit":
        alone = {"load": "model/load", "first": "model/first inference"}
        return (alone[key], None) if key in alone else (f"one digit/{key}", "one digit")
    if part == "threads":
        threads, digits = key.split(", ")
        many = f"{digits} digit{'s' if digits != '1' else ''}"
        return f"threads/{threads}, {many}", "threads"
    if part == "frames":
        return ("frames/decode 12 megapixels" if key == "decode" else f"stages {key}"), "frames"
    return f"{part}/{key}", part
