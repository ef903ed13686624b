"""Reading a camera for long: the stamps, what is seen of a process, and what it comes to."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.__main__ import main
from benchmarks.charts import soak as soak_chart
from benchmarks.common import limits
from benchmarks.common.process_stats import MB, process_stats
from benchmarks.service import soak
from benchmarks.service.soak import Second
from benchmarks.service.stamp import age, stamp
from edge_runtime import DigitReader
from edge_runtime.bench import result
from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Uint8
from tests.commands import Call

LIMITS = {"age_p99_ms": 100.0, "core_percent": 25.0}


def sent(pixels: Uint8, quality: int) -> Uint8:
    data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


@given(st.floats(0, 5e6), st.floats(0, 100), st.integers(60, 100), st.integers(0, 255))
def test_a_moment_is_read_again_after_jpeg(moment: float, passed: float, quality: int, paper: int) -> None:
    pixels = np.full((480, 640, 3), paper, np.uint8)
    stamp(pixels, moment)
    milliseconds = age(sent(pixels, quality), moment + passed)
    assert milliseconds == pytest.approx(passed, abs=2.1e-4)


def test_what_was_not_stamped_has_no_age() -> None:
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (480, 640, 3), np.uint8) for _ in range(64)]
    assert sum(age(pixels, 1.0) is not None for pixels in noise) < 16  # one in 16 by chance
    assert age(np.full((480, 640, 3), 255, np.uint8), 1.0) is None
    assert age(np.zeros((480, 640), np.uint8), 1.0) is None
    assert age(np.zeros((8, 640, 3), np.uint8), 1.0) is None
    assert age(np.zeros((480, 600, 3), np.uint8), 1.0) is None


def test_a_stamp_is_not_read_as_ink(reader: DigitReader, digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    page = draw_page(images[:6], labels[:6], np.random.default_rng(3), PageStyle()).pixels
    stamped = page.copy()
    stamp(stamped, 12345.6789)
    assert reader.read(sent(stamped, 90)).text == reader.read(sent(page, 90)).text != ()


def second(at: float, **other: Any) -> Second:
    usual = Second(at, 80 * MB, 3, 9, 0.1 * at, [10.0, 12.0], [9.0, 12.0], 1, 20, 0, 0)
    return usual._replace(**other)


def test_what_a_run_comes_to() -> None:
    seconds = [second(float(at)) for at in range(1, 301)]
    for at in range(59):  # the first minute may do what it likes, but be slow
        seconds[at] = seconds[at]._replace(memory=10 * MB, threads=50, files=50)
    seconds[5] = seconds[5]._replace(true=[900.0], claimed=[400.0])
    summary = soak.summary(seconds)
    assert (summary["frames"], summary["dropped"], summary["digits"]) == (599, 300, 6000)
    assert (summary["age_p50_ms"], summary["age_most_ms"], summary["claim_off_p99_ms"]) == (12.0, 900.0, 1.0)
    assert (summary["memory_growth_mb"], summary["threads_spread"], summary["files_spread"]) == (0, 0, 0)
    assert summary["core_percent"] == 10.0
    assert summary["minutes"] == 5.0
    measures = {measure.name: measure for measure in soak.measures(summary)}
    assert measures["frames/age p50"].value == 12_000_000  # ns
    assert (measures["frames/dropped"].count, measures["frames/dropped"].of) == (300, 899)
    assert (measures["frames/unstamped"].count, measures["frames/unstamped"].of) == (0, 599)
    assert measures["reader/memory"].value == 80 * MB
    assert measures["reader/cores"].value == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("name", "worse", "expected"),
    [
        ("memory_growth_mb", {"memory": 83 * MB}, 3),
        ("threads_spread", {"threads": 4}, 1),
        ("files_spread", {"files": 12}, 3),
    ],
)
def test_what_grows_after_the_first_minute_is_seen(name: str, worse: dict[str, object], expected: float) -> None:
    seconds = [second(float(at), **(worse if at > 200 else {})) for at in range(1, 301)]
    assert soak.summary(seconds)[name] == expected


def test_a_process_is_looked_at() -> None:
    memory, threads, files, processor = process_stats(os.getpid())
    assert 20 * MB < memory < 20_000 * MB
    assert threads >= 1
    with open(os.devnull):
        assert process_stats(os.getpid())[2] == files + 1
    assert processor > 0.1


def test_a_chart_is_drawn() -> None:
    figure = soak_chart.draw([second(1.0), second(2.0, true=[], claimed=[]), second(3.0)], LIMITS)
    assert [axes.get_title() for axes in figure.axes][1:] == [
        "Memory (resident)", "Processor time", "Threads and open files",
    ]  # fmt: skip


def test_the_real_thing_for_a_few_seconds(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "thresholds.toml"
    real.write_text("[soak]\nunstamped = 0\nfiles_spread = -1\nage_p99_ms = 60000\ncore_percent = 400\n")
    monkeypatch.setattr(limits, "THRESHOLDS", real)
    done = call(main, "soak", "--minutes", "0.06", "--out", tmp_path)
    # The limit that nothing can meet is the one that is named.
    assert (done.code, done.err) == (5, f"error: beyond its limit: files_spread; {tmp_path}/soak.png shows when\n")
    written = result.read(tmp_path / "soak.json")
    assert (written["benchmark"], written["settings"]) == ("soak", {"minutes": 0.06})
    details = written["details"]
    assert details["frames"] > 10
    assert details["unstamped"] == 0
    assert 0 < details["age_p50_ms"] < 2000
    assert len(details["seconds"]) >= 2
    assert "unstamped                  0   at most 0" in done.out
    assert (tmp_path / "soak.png").stat().st_size > 10_000


def test_a_reader_that_fails_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    popen = subprocess.Popen

    def broken(command: list[str], **settings: object) -> "subprocess.Popen[str]":
        if command[2] == "benchmarks.service.soak_reader":
            command = [sys.executable, "-c", "raise SystemExit(3)"]
        return popen(command, **settings)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", broken)
    with pytest.raises(limits.LimitMissed, match="the reader ended with exit code 3 after 0 seconds"):
        soak.watch(1.0)
