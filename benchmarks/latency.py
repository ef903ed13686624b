"""How fast is a digit, how soon the first one, how long a frame? Ratios of one run; what is compared takes turns."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyperf

from benchmarks import single_digit, whole_frame

PROCESSES, PROCESSES_FAST = 6, 2
STARTS, STARTS_FAST = 21, 5
# Processes for whole frames, the turns of each, and how many of the hard frames take part.
FRAMES, FRAMES_FAST = (3, 10, 5), (1, 5, 2)
# The reader, which says at the end what the kernel counted. A child's rusage would count its parent's memory as well.
READ_AND_TELL = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(open("/proc/self/status").read()))
from edge_runtime.cli import main
main()
"""
ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "edge_runtime" / "samples" / "digit.png"


def report(fast: bool) -> str:
    """Measure, and return what was found as lines of text."""
    digit = single_digit_suite(PROCESSES_FAST if fast else PROCESSES)
    bare = digit.get_benchmark(single_digit.BARE)
    lines = ["One digit, one thread (median; ratio to bare LiteRT)"]
    for benchmark in digit.get_benchmarks():
        microseconds, ratio = benchmark.median() * 1e6, median_ratio(benchmark, bare)
        lines.append(f"  {benchmark.get_name():<24}{microseconds:>9.2f} us{ratio:>8.2f}")
    imports, reads = starts(STARTS_FAST if fast else STARTS)
    plain, whole = statistics.median(imports), statistics.median(reads)
    lines += [
        "Process start to first label (median; ratio to the imports alone)",
        f"  {'import numpy, cv2':<24}{plain * 1e3:>9.1f} ms",
        f"  {'edge-digits read PNG':<24}{whole * 1e3:>9.1f} ms{whole / plain:>8.2f}",
    ]
    kilobytes = peak_memory()
    if kilobytes is not None:
        lines.append(f"  {'peak memory (VmHWM)':<24}{kilobytes / 1000:>9.1f} MB")
    return "\n".join([*lines, *of_frames(fast)])


def of_frames(fast: bool) -> list[str]:
    """Time whole frames, and return what was found as lines of text."""
    processes, turns, count = FRAMES_FAST if fast else FRAMES
    looked: dict[str, float] = _told("whole_frame", "look", *(["half"] if fast else []))
    slowest = sorted(looked, key=lambda name: -looked[name])[:count]
    runs = [_told("whole_frame", "turns", str(turns), *slowest) for _ in range(processes)]
    stages = {name: [spent for run in runs for spent in run["stages"][name]] for name in runs[0]["stages"]}
    decode = statistics.median(milliseconds for run in runs for milliseconds in run["decode"])
    chain, frame = frame_suite(runs).get_benchmarks()
    lines = [f"{'Whole frames, one thread: ms':<40}" + "".join(f"{stage:>11}" for stage in whole_frame.STAGES)]
    for name in [*whole_frame.SIZES, whole_frame.PHOTO]:
        lines += stage_table(f"{name}, ten digits", stages[name])
    lines += [
        f"  {'decoding 12 megapixels of JPEG, apart':<37}{decode:>67.2f}",
        "The same 640x480 frames and turns (median; ratio to the plain chain)",
        f"  {'cvtColor, adaptiveThreshold':<28}{chain.median() * 1e3:>9.2f} ms{1:>8.2f}",
        f"  {'whole frame, ten digits':<28}{frame.median() * 1e3:>9.2f} ms{median_ratio(frame, chain):>8.2f}",
        f"The slowest of {len(looked)} hard frames, 640x480: ms",
    ]
    for name in sorted(slowest, key=lambda name: -statistics.median(spent[-1] for spent in stages[name])):
        lines += stage_table(name, stages[name])
    return lines


def stage_table(name: str, readings: Sequence[Sequence[float]]) -> list[str]:
    """Return lines with the median, the 95th percentile and the most of each stage; readings are (N, stages)."""
    columns = np.array(readings).T
    figures = {"median": np.median(columns, 1), "95 %": np.percentile(columns, 95, axis=1), "worst": columns.max(1)}
    return [
        f"  {name if i == 0 else '':<31}{kind:>7}" + "".join(f"{value:>11.2f}" for value in of_kind)
        for i, (kind, of_kind) in enumerate(figures.items())
    ]


def frame_suite(runs: Sequence[dict[str, Any]]) -> pyperf.BenchmarkSuite:
    """Return the turns of the plain chain and of the whole frame, as `whole_frame` printed them, as pyperf's runs."""
    benchmarks = []
    for name in ("chain", "frame"):
        benchmarks.append(pyperf.Benchmark([_run(name, run[name], 1, whole_frame.WARM_UPS) for run in runs]))
    return pyperf.BenchmarkSuite(benchmarks)


def ratio(model: Path, beside: Path) -> float:
    """Return how many times as long a digit takes through bare LiteRT with one model file as with another.

    In several processes: where a process's memory happens to lie is worth a fifth.
    """
    if model.samefile(beside):
        return 1.0
    one, other = single_digit_suite(PROCESSES, model, beside).get_benchmarks()
    return median_ratio(one, other)


def single_digit_suite(processes: int, *models: Path) -> pyperf.BenchmarkSuite:
    """Run `benchmarks.single_digit` in so many processes, and return its turns as pyperf's runs and values."""
    runs: dict[str, list[pyperf.Run]] = {}
    for _ in range(processes):
        for name, turns in _told("single_digit", *(str(model.resolve()) for model in models)).items():
            runs.setdefault(name, []).append(_run(name, turns, single_digit.LOOPS, single_digit.WARM_UPS))
    if not runs:
        raise ValueError("at least one process is needed")
    return pyperf.BenchmarkSuite([pyperf.Benchmark(of_one) for of_one in runs.values()])


def median_ratio(benchmark: pyperf.Benchmark, to: pyperf.Benchmark) -> float:
    """Return the median of the ratios turn by turn: both took each turn within milliseconds of one another."""
    pairs = zip(benchmark.get_values(), to.get_values(), strict=True)
    return float(statistics.median(seconds / reference for seconds, reference in pairs))


def starts(count: int) -> tuple[list[float], list[float]]:
    """Start both commands in turn; return the seconds of each run: imports alone, then the reader."""
    imports, reads = [], []
    for _ in range(count):
        imports.append(_seconds([sys.executable, "-c", "import numpy, cv2"]))
        reads.append(_seconds([sys.executable, "-m", "edge_runtime", "read", str(SAMPLE)]))
    return imports, reads


def peak_memory() -> int | None:
    """Return the most kilobytes that the reader ever held (VmHWM), or None where the system does not tell."""
    if not Path("/proc/self/status").exists():
        return None
    command = [sys.executable, "-c", READ_AND_TELL, "read", str(SAMPLE)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return int(told.split("VmHWM:")[1].split()[0])


def _told(module: str, *arguments: str) -> Any:
    """Run a module of `benchmarks` in a process of its own, and return the JSON value that it prints."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


def _run(name: str, turns: Sequence[float], loops: int, warm_ups: int) -> pyperf.Run:
    """Return the turns of one process, in seconds and warm-ups first, as pyperf's run."""
    warm = [(loops, seconds) for seconds in turns[:warm_ups]]
    return pyperf.Run(turns[warm_ups:], warmups=warm, metadata={"name": name, "loops": loops})


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
