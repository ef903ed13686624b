"""The latency benchmark runs and its figures hang together; how large they are is not for a test to say."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyperf
import pytest

from benchmarks import frames, latency, whole_frame
from edge_runtime import DigitReader

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
    peaks = [latency.peak_memory() or 0 for _ in range(3)]
    # What the system maps besides differs by megabytes from run to run: the least says what the reader needs.
    assert 30_000 < min(peaks) <= 75_000


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


def test_stages_add_up_to_the_total(reader: DigitReader) -> None:
    reading = reader.read(frames.page((320, 240), 0))
    spent = whole_frame.of_stages(reading)
    assert len(spent) == len(whole_frame.STAGES)
    assert spent[0] == reading.ms.ink
    assert sum(spent[:-1]) == pytest.approx(spent[-1]) == reading.ms.total
    assert min(spent) > 0


def test_every_frame_is_looked_at(reader: DigitReader) -> None:
    bare = np.full((48, 64, 3), 235, np.uint8)
    looked = whole_frame.look(reader, {"bare": bare, "black": bare // 255})
    assert list(looked) == ["bare", "black"]
    assert min(looked.values()) > 0


def test_the_chain_is_timed_in_seconds() -> None:
    assert 0 < whole_frame.seconds_of_chain(frames.page((320, 240), 0)) < 10


def test_a_table_holds_median_percentile_and_most_of_each_stage() -> None:
    readings = [[float(i), 2.0 * i, 0.5, 1.0, 1.5, 4.0 + i] for i in range(1, 22)]
    median, high, worst = latency.stage_table("a frame", readings)
    assert median.split() == ["a", "frame", "median", "11.00", "22.00", "0.50", "1.00", "1.50", "15.00"]
    assert high.split() == ["95", "%", "20.00", "40.00", "0.50", "1.00", "1.50", "24.00"]
    assert worst.split() == ["worst", "21.00", "42.00", "0.50", "1.00", "1.50", "25.00"]
    assert len({len(line) for line in (median, high, worst)}) == 1


def test_chain_and_frame_become_runs_without_their_warm_ups() -> None:
    run = {"chain": [9.0, 9.0, 1.0, 2.0], "frame": [99.0, 99.0, 10.0, 40.0]}
    chain, frame = latency.frame_suite([run, run]).get_benchmarks()
    assert chain.get_values() == (1.0, 2.0, 1.0, 2.0)
    assert frame.get_values() == (10.0, 40.0, 10.0, 40.0)
    assert latency.median_ratio(frame, chain) == 15.0


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
    lines = done.stdout.splitlines()
    tables = [line for line in lines if re.fullmatch(r"  .{31} median( +[\d.]+){6}", line)]
    kinds = [*whole_frame.SIZES, whole_frame.PHOTO]
    assert [line.split(",")[0].strip() for line in tables[: len(kinds)]] == kinds
    assert len(tables) == len(kinds) + latency.FRAMES_FAST[2]
    assert re.search(r"^  whole frame, ten digits +[\d.]+ ms +[\d.]+$", done.stdout, re.MULTILINE)
