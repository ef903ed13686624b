"""The latency benchmark runs and its figures hang together; how large they are is not for a test to say."""

import re
import subprocess
import sys
from pathlib import Path

import pyperf
import pytest

from benchmarks import latency

ROOT = Path(__file__).parents[2]


def test_starts_takes_turns_and_measures_seconds() -> None:
    imports, reads = latency.starts(2)
    assert len(imports) == len(reads) == 2
    assert all(0.01 < seconds < 60 for seconds in imports + reads)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells VmHWM")
def test_peak_memory_is_that_of_the_reader_alone() -> None:
    ballast = bytearray(300_000_000)
    ballast[::4096] = bytes(len(ballast[::4096]))
    before = Path("/proc/self/status").read_text()
    assert int(before.split("VmHWM:")[1].split()[0]) > 300_000
    peak = latency.peak_memory()
    assert peak is not None
    assert 30_000 < peak <= 75_000


def test_a_command_that_fails_is_not_timed() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        latency._seconds([sys.executable, "-c", "raise SystemExit(3)"])


def test_no_process_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one process"):
        latency.single_digit_suite(0)


def test_ratio_is_taken_turn_by_turn() -> None:
    slow, fast = (
        pyperf.Benchmark([pyperf.Run(values, metadata={"name": "x", "loops": 1})])
        for values in ([2.0, 20.0, 4.0], [1.0, 10.0, 1.0])
    )
    assert latency.median_ratio(slow, fast) == 2.0


@pytest.mark.slow
def test_the_report_holds_every_figure() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "latency", "--fast"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    digit = re.findall(r"^  (bare LiteRT|Classifier\.\w+) +([\d.]+) us +([\d.]+)$", done.stdout, re.MULTILINE)
    assert [name for name, _, _ in digit] == ["bare LiteRT", "Classifier.scores", "Classifier.confidences"]
    assert float(digit[0][2]) == 1.0
    assert all(0.5 < float(ratio) < 20 for _, _, ratio in digit)
    assert re.search(r"^  peak memory \(VmHWM\) +[\d.]+ MB$", done.stdout, re.MULTILINE)
