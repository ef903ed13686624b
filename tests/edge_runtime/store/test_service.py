"""Services in processes of their own, while models are installed: `edge-digits read` of a live source."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import catalog, changes
from edge_runtime.store.history import Entry
from tests.edge_runtime.inference.model_variants import fragile_interpreter, variant

SHIPS = model_file.read(SHIPPED).id
READ = [sys.executable, "-m", "edge_runtime", "read", "synthetic", "--json", "--raw"]
Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Run]:
    """Start a service whose models are in the store in `folder`, and end it at the end."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        running.append(
            subprocess.Popen(
                [*READ, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env={**os.environ, "STATE_DIRECTORY": str(tmp_path), **environment},
            )
        )  # fmt: skip
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.communicate()


def put(folder: Path, name: str) -> str:
    """Install a model without a trial, and return its id."""
    path = folder.parent / f"{name}.tflite"
    id = variant(path, name).id
    changes.install(folder, path.read_bytes(), Entry(id=id))
    return id


def readings(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """Yield its readings as they come."""
    assert process.stdout is not None
    for line in process.stdout:
        record = json.loads(line)
        if record["type"] == "reading":
            yield record


def test_a_service_reads_through_installs_and_rollbacks(start: Run, folder: Path, tmp_path: Path) -> None:
    new = variant(tmp_path / "new.tflite", "new").id
    process = start()

    def model(*arguments: object) -> None:
        environment = {**os.environ, "STATE_DIRECTORY": str(tmp_path)}
        command = [sys.executable, "-m", "edge_runtime", "model", *map(str, arguments)]
        subprocess.run(command, env=environment, check=True, capture_output=True)

    seen: list[dict[str, Any]] = []
    for reading in readings(process):
        seen.append(reading)
        if len(seen) == 1:
            model("install", tmp_path / "new.tflite")
        if reading["model"] == new and not any(each["model"] == new for each in seen[:-1]):
            model("rollback")
        if {each["model"] for each in seen} == {SHIPS, new} and reading["model"] == SHIPS:
            break
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    models = [each["model"] for each in seen]
    first, last = models.index(new), len(models) - models[::-1].index(new)
    assert models == [SHIPS] * first + [new] * (last - first) + [SHIPS] * (len(models) - last)
    assert [each["frame"] for each in seen] == sorted({each["frame"] for each in seen})
    assert err == (
        f"edge-digits: model {new} is in use now, instead of {SHIPS}\n"
        f"edge-digits: model {SHIPS} is in use now, instead of {new}\n"
    )


def test_a_crashing_model_ends_at_the_third_start(start: Run, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    first = put(folder, "first")
    fragile = {"PYTHONPATH": str(fragile_interpreter(tmp_path / "fragile")), "GOOD_CALLS": "60"}
    process = start(**fragile)
    frames = readings(process)
    assert next(frames)["model"] == first
    bad = put(folder, "crash")
    assert {reading["model"] for reading in frames} == {first, bad}  # up to its end, in the midst of reading
    process.communicate()
    assert process.returncode == -signal.SIGSEGV
    for _ in range(2 - catalog.find(folder, bad).entry.starts):
        process = start(**fragile)  # as systemd does
        process.communicate()
        assert process.returncode == -signal.SIGSEGV
    process = start("--frames", "3", **fragile)
    assert [reading["model"] for reading in readings(process)] == [first] * 3
    assert process.communicate()[1] == (
        f"edge-digits: model {bad} is not used: 2 runs with it ended within the first minute\n"
    )
    assert process.returncode == 0
    assert catalog.current(folder).stem == first
    assert catalog.find(folder, bad).entry.failed == "2 runs with it ended within the first minute"


@pytest.mark.parametrize(("tail", "why"), [
    ("raise", "RuntimeError: node 3 failed to invoke"),
    ("hang", "no answer within 10 s"),
])  # fmt: skip
def test_a_failing_model_is_given_up_while_running(
    tail: str, why: str, start: Run, folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ai_edge_litert")
    fragile = {"PYTHONPATH": str(fragile_interpreter(tmp_path / "fragile")), "GOOD_CALLS": "60"}
    process = start(**fragile)
    frames = readings(process)
    assert next(frames)["model"] == SHIPS
    bad = put(folder, tail)
    assert next(reading for reading in frames if reading["model"] == bad)
    assert next(reading for reading in frames if reading["model"] == SHIPS)
    assert process.stderr is not None
    assert process.stderr.readline() == f"edge-digits: model {bad} is in use now, instead of {SHIPS}\n"
    assert process.stderr.readline() == f"edge-digits: model {bad} failed: {why}; {SHIPS} is in use again\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert catalog.current(folder) == SHIPPED
    assert catalog.find(folder, bad).entry.failed == why


def test_a_named_model_stays_whatever_is_installed(start: Run, folder: Path) -> None:
    put(folder, "crash")
    process = start("--model", str(SHIPPED), "--frames", "2")
    assert [reading["model"] for reading in readings(process)] == [SHIPS] * 2
    assert process.communicate()[1] == ""
