"""Model updates in a program that reads a camera: do readings stop, or come from a wrong model?

A server process sends 30 frames a second, and `edge-digits read` prints a line for each frame that it reads. Meanwhile
`edge-digits model install` puts one model after the other into its store. Each installation tests the model in yet
another process, so both cores are busy. The benchmark records the time and the model of each line.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from benchmarks.common.limits import LimitMissed
from benchmarks.service import stamped_stream
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, figure
from edge_runtime.inference import model_file

SETTLED = 1.0  # seconds after a model's first reading that still count as its change
EDGE_DIGITS = [sys.executable, "-m", "edge_runtime"]
TIMEOUT = 60.0  # seconds for a new model's first reading


class Line(NamedTuple):
    """The time of a reading, in seconds of the monotonic clock, and the id of its model."""

    at: float
    model: str


class Change(NamedTuple):
    """An installation: its start, the time of the first reading by its model, and that model's id."""

    began: float
    read: float
    model: str


class Readings:
    """The lines of a reader, as they arrive."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.lines: list[Line] = []
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._listen, args=(process,), daemon=True)
        self._thread.start()

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for text in process.stdout:
            record = json.loads(text)
            if record["type"] == "reading":
                with self._came:
                    self.lines.append(Line(time.monotonic(), record["model"]))
                    self._came.notify_all()

    def end(self) -> None:
        """Wait for the last line, which comes when the reader ends: only then may its pipe be closed."""
        self._thread.join()

    def first(self, model: str) -> float:
        """Wait for a reading by a model, and return its time. Raises LimitMissed if none arrives."""
        with self._came:
            if not self._came.wait_for(lambda: any(line.model == model for line in self.lines), TIMEOUT):
                raise LimitMissed(f"no reading by model {model} within {TIMEOUT:.0f} s of its installation")
            return next(line.at for line in self.lines if line.model == model)


def run(count: int, out: Path) -> tuple[list[Line], list[Change]]:
    """Change the model `count` times, write updates.json to `out`, and return all readings and changes."""
    lines, changes = watch(count)
    figures = summary(lines, changes)
    details = {**figures, "lines": [tuple(line) for line in lines], "changed": [change._asdict() for change in changes]}
    result.write(out / "updates.json", "updates", measures(figures), settings={"changes": count}, details=details)
    return lines, changes


def watch(count: int) -> tuple[list[Line], list[Change]]:
    """Change the model of a reader repeatedly; return all of its readings, and the changes."""
    with stamped_stream.served() as address, tempfile.TemporaryDirectory() as state:
        there = {**os.environ, "STATE_DIRECTORY": state}
        reading = [*EDGE_DIGITS, "read", address, "--json", "--raw"]
        with subprocess.Popen(reading, stdout=subprocess.PIPE, text=True, env=there) as reader:
            readings = Readings(reader)
            try:
                changes = _change(count, readings, Path(state), there)
            finally:
                reader.terminate()
                readings.end()
    return readings.lines, changes


def _change(count: int, readings: Readings, folder: Path, there: dict[str, str]) -> list[Change]:
    """Install models that differ only in the last bytes of the file, and let each read for a while."""
    ships = model_file.read(model_file.SHIPPED)
    readings.first(ships.id)
    changes = []
    for turn in tqdm(range(count), unit="change", disable=not sys.stderr.isatty()):
        time.sleep(SETTLED)
        path = folder / "new.tflite"
        model_file.write(path, ships.flatbuffer + f"update {turn}".encode(), dict(ships.card or {}), ships.golden())
        new = model_file.read(path).id
        began = time.monotonic()
        subprocess.run([*EDGE_DIGITS, "model", "install", path], env=there, capture_output=True, check=True)
        changes.append(Change(began, readings.first(new), new))
    time.sleep(2 * SETTLED)
    return changes


def summary(lines: Sequence[Line], changes: Sequence[Change]) -> dict[str, Any]:
    """Return the gaps between consecutive readings, in milliseconds, near changes and elsewhere, and the counts.

    `astray` counts readings by an unknown model, and readings by an older model after a newer one's.
    """
    order = {model: turn for turn, model in enumerate([lines[0].model, *(change.model for change in changes)])}
    gaps = [(before.at, after.at, 1000 * (after.at - before.at)) for before, after in pairwise(lines)]
    near: list[float] = []
    apart: list[float] = []
    for begins, ends, gap in gaps:
        changing = any(begins < change.read + SETTLED and ends > change.began for change in changes)
        (near if changing else apart).append(gap)
    turns = [order.get(line.model, -1) for line in lines]
    return {
        "changes": len(changes), "readings": len(lines),
        "gap_ms": round(max(near), 1), "gap_p99_ms": round(float(np.quantile(near, 0.99)), 1),
        "gap_p50_ms": round(float(np.quantile(near, 0.5)), 1),
        "elsewhere_ms": round(max(apart, default=0.0), 1),
        "astray": sum(turn < 0 or turn < latest for turn, latest in zip(turns, accumulate(turns, max), strict=True)),
    }  # fmt: skip


def measures(figures: dict[str, Any]) -> list[Measure]:
    """Return the measures of a summary that compare with another one's."""
    return [
        figure("changes/gap p50", 1e6 * figures["gap_p50_ms"], "ns", better="lower"),
        figure("changes/gap p99", 1e6 * figures["gap_p99_ms"], "ns"),
        figure("changes/longest gap", 1e6 * figures["gap_ms"], "ns"),
        figure("elsewhere/longest gap", 1e6 * figures["elsewhere_ms"], "ns"),
        figure("changes/readings astray", figures["astray"], "1", better="lower"),
    ]
