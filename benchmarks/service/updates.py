"""Changing the model of a program that reads a camera: is there ever a gap, or a reading by something else?

A server in a process of its own sends 30 frames a second, and `edge-digits read` prints a line for each that it reads.
Meanwhile `edge-digits model install` puts one model after the other into its store: each tries it in yet another
process, so that both cores are busy. Kept is when each line came, and which model it names.
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
TIMEOUT = 60.0  # seconds that a new model has until it reads


class Line(NamedTuple):
    """When a reading came, in seconds of the monotonic clock, and the id of the model that it names."""

    at: float
    model: str


class Change(NamedTuple):
    """An installation: when it began and when the first reading by its model came, and that model's id."""

    began: float
    read: float
    model: str


class Readings:
    """The lines of a reader, as they come."""

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

    def first(self, model: str) -> float:
        """Wait for a reading by a model, and return when it came. Raises LimitMissed where none does."""
        with self._came:
            if not self._came.wait_for(lambda: any(line.model == model for line in self.lines), TIMEOUT):
                raise LimitMissed(f"no reading by model {model} within {TIMEOUT:.0f} s of its installation")
            return next(line.at for line in self.lines if line.model == model)


def run(count: int, out: Path) -> tuple[list[Line], list[Change]]:
    """Change the model so often, write updates.json to `out`, and return all readings, and the changes."""
    lines, changes = watch(count)
    figures = summary(lines, changes)
    details = {**figures, "lines": [tuple(line) for line in lines], "changed": [change._asdict() for change in changes]}
    result.write(out / "updates.json", "updates", measures(figures), settings={"changes": count}, details=details)
    return lines, changes


def watch(count: int) -> tuple[list[Line], list[Change]]:
    """Change the model of a reader so often; return all of its readings, and the changes."""
    with stamped_stream.served() as address, tempfile.TemporaryDirectory() as state:
        there = {**os.environ, "STATE_DIRECTORY": state}
        reading = [*EDGE_DIGITS, "read", address, "--json", "--raw"]
        with subprocess.Popen(reading, stdout=subprocess.PIPE, text=True, env=there) as reader:
            try:
                readings = Readings(reader)
                changes = _change(count, readings, Path(state), there)
            finally:
                reader.terminate()
    return readings.lines, changes


def _change(count: int, readings: Readings, folder: Path, there: dict[str, str]) -> list[Change]:
    """Install so many models, which differ in nothing but the end of the file, and let each read for a while."""
    ships = model_file.read(model_file.SHIPPED)
    readings.first(ships.sha256[:12])
    changes = []
    for turn in tqdm(range(count), unit="change", disable=not sys.stderr.isatty()):
        time.sleep(SETTLED)
        path = folder / "new.tflite"
        model_file.write(path, ships.flatbuffer + f"update {turn}".encode(), dict(ships.card or {}), ships.golden())
        new = model_file.read(path).sha256[:12]
        began = time.monotonic()
        subprocess.run([*EDGE_DIGITS, "model", "install", path], env=there, capture_output=True, check=True)
        changes.append(Change(began, readings.first(new), new))
    time.sleep(2 * SETTLED)
    return changes


def summary(lines: Sequence[Line], changes: Sequence[Change]) -> dict[str, Any]:
    """Return what a run came to: gaps between one reading and the next, in milliseconds, near changes and elsewhere.

    `astray` are readings by another model than the one before or the new one, and such as come after a newer one's.
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
    """Return what of a summary can be compared with another one's."""
    return [
        figure("changes/gap p50", 1e6 * figures["gap_p50_ms"], "ns", better="lower"),
        figure("changes/gap p99", 1e6 * figures["gap_p99_ms"], "ns"),
        figure("changes/longest gap", 1e6 * figures["gap_ms"], "ns"),
        figure("elsewhere/longest gap", 1e6 * figures["elsewhere_ms"], "ns"),
        figure("changes/readings astray", figures["astray"], "1", better="lower"),
    ]
