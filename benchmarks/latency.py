"""How fast is a digit, and how soon the first one? Ratios of one run; what is compared takes turns."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pyperf

from benchmarks import single_digit

PROCESSES, PROCESSES_FAST = 6, 2
STARTS, STARTS_FAST = 21, 5
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
    return "\n".join(lines)


def single_digit_suite(processes: int) -> pyperf.BenchmarkSuite:
    """Run `benchmarks.single_digit` in so many processes, and return its turns as pyperf's runs and values."""
    runs: dict[str, list[pyperf.Run]] = {}
    for _ in range(processes):
        command = [sys.executable, "-m", "benchmarks.single_digit"]
        printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
        for name, turns in json.loads(printed).items():
            warm_ups = [(single_digit.LOOPS, seconds) for seconds in turns[: single_digit.WARM_UPS]]
            metadata = {"name": name, "loops": single_digit.LOOPS}
            run = pyperf.Run(turns[single_digit.WARM_UPS :], warmups=warm_ups, metadata=metadata)
            runs.setdefault(name, []).append(run)
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


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
