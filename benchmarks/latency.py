"""How fast is a digit, and how soon the first one? Ratios of one run; what is compared takes turns."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyperf

from benchmarks import single_digit

ROUNDS, ROUNDS_FAST = 8, 2
STARTS, STARTS_FAST = 21, 5
SAMPLE = Path(__file__).parent.parent / "edge_runtime" / "samples" / "digit.png"


def report(fast: bool) -> str:
    """Measure, and return what was found as lines of text."""
    digit = single_digit_suite(ROUNDS_FAST if fast else ROUNDS)
    bare = digit.get_benchmark(single_digit.BARE).median()
    lines = ["One digit, one thread (median of pyperf values; ratio to bare LiteRT)"]
    for benchmark in digit.get_benchmarks():
        median = benchmark.median()
        lines.append(f"  {benchmark.get_name():<24}{median * 1e6:>9.2f} us{median / bare:>8.2f}")
    imports, reads = starts(STARTS_FAST if fast else STARTS)
    plain, whole = (statistics.median(seconds for seconds, _ in runs) for runs in (imports, reads))
    lines += [
        "Process start to first label (median; ratio to the imports alone)",
        f"  {'import numpy, cv2':<24}{plain * 1e3:>9.1f} ms",
        f"  {'edge-digits read PNG':<24}{whole * 1e3:>9.1f} ms{whole / plain:>8.2f}",
        f"  peak memory {max(kilobytes for _, kilobytes in reads) / 1024:.1f} MB",
    ]
    return "\n".join(lines)


def single_digit_suite(rounds: int) -> pyperf.BenchmarkSuite:
    """Run the pyperf script `rounds` times and return all runs together, so that the three took turns."""
    merged: pyperf.BenchmarkSuite | None = None
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            path = Path(folder) / f"{number}.json"
            command = [sys.executable, "-m", "benchmarks.single_digit", "--processes=2", "--values=5", "--quiet"]
            subprocess.run([*command, f"--output={path}"], check=True, stdout=subprocess.DEVNULL)
            suite = pyperf.BenchmarkSuite.load(str(path))
            if merged is None:
                merged = suite
            else:
                merged.add_runs(suite)
    if merged is None:
        raise ValueError("at least one round is needed")
    return merged


def starts(count: int) -> tuple[list[tuple[float, int]], list[tuple[float, int]]]:
    """Start both commands in turn; return (seconds, peak kilobytes) of each run: imports alone, then the reader."""
    imports, reads = [], []
    for _ in range(count):
        imports.append(_run([sys.executable, "-c", "import numpy, cv2"]))
        reads.append(_run([sys.executable, "-m", "edge_runtime", "read", str(SAMPLE)]))
    return imports, reads


def _run(command: list[str]) -> tuple[float, int]:
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
    return seconds, usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss // 1024
