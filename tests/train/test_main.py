"""`python -m train`: what it leaves behind, and how it fails."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from tests import builds
from tests.builds import ROOT
from tests.commands import Call
from train import dataset
from train.__main__ import main


@pytest.fixture(scope="module")
def run(smoke_build: Path) -> dict[str, Any]:
    return dict(json.loads((smoke_build / "run.json").read_text()))


def weights(folder: Path) -> list[NDArray[np.float32]]:
    return list(keras.models.load_model(folder / "digits.keras").get_weights())


# What is left behind


def test_run_leaves_its_files_and_no_checkpoint(smoke_build: Path) -> None:
    names = {path.name for path in smoke_build.iterdir() if path.suffix != ".tflite"}
    assert names == {"digits.keras", "history.csv", "run.json", "report"}
    assert {"index.html", "first-digit.png", "misread.png"} <= {
        path.name for path in (smoke_build / "report").iterdir()
    }


def test_run_json_says_what_it_was_made_from(smoke_build: Path, run: dict[str, Any]) -> None:
    assert run["recipe"]["name"] == "smoke"
    assert run["recipe"]["hidden"] == [128]
    assert run["seed"] == 1
    assert run["command"] == f"python -m train --recipe smoke --output {smoke_build}"
    assert run["data"]["sha256"] == dataset.SHA256
    assert {"python", "tensorflow", "keras", "numpy"} <= set(run["versions"])
    assert run["versions"]["keras"] == keras.__version__
    assert set(run["machine"]) == {"system", "architecture", "cpu"}
    assert run["seconds"] > 0


def test_run_json_names_the_commit(run: dict[str, Any]) -> None:
    named = (run["commit"] or "none").removesuffix("-dirty")
    kind = subprocess.run(["git", "cat-file", "-t", named], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (kind.stdout == "commit\n") == (ROOT / ".git").exists()


def test_accuracy_is_that_of_the_saved_network(smoke_build: Path, run: dict[str, Any]) -> None:
    network = keras.models.load_model(smoke_build / "digits.keras")
    for split, name in (("test", "test_accuracy"), ("held_out", "val_accuracy")):
        digits = dataset.load(split)  # type: ignore[arg-type]
        right = np.argmax(network(digits.images), axis=1) == digits.labels
        assert run[name] == pytest.approx(right.mean(), abs=2e-4)
    assert run["test_accuracy"] > 0.97
    assert run["parameters"] == network.count_params()


def test_history_has_a_row_for_each_epoch(smoke_build: Path, run: dict[str, Any]) -> None:
    with (smoke_build / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(1, run["epochs"] + 1)]
    assert float(rows[-1]["val_accuracy"]) == run["val_accuracy"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_report_shows_the_accuracy(smoke_build: Path, run: dict[str, Any]) -> None:
    page = (smoke_build / "report" / "index.html").read_text(encoding="utf-8")
    assert f"{run['test_accuracy']:.2%} of 10,000" in page
    assert "784 - 128 - 10" in page
    misread = sum(
        int(row["test digits"]) - int(row["read right"])
        for row in csv.DictReader((smoke_build / "report" / "per-class.csv").read_text().splitlines())
    )
    assert misread == round(10_000 * (1 - run["test_accuracy"]))


# Interrupted and resumed

HINT = "interrupted; the same command with --resume continues after the last finished epoch"

# A shell may have told what it starts to ignore Ctrl-C: the command is started with Python's own handler.
START = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("train", run_name="__main__")
"""


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """A run that got Ctrl-C after its first epoch: its folder, exit code and standard error."""
    folder = tmp_path_factory.mktemp("interrupted")
    command = [sys.executable, "-c", START, "--recipe", "smoke", "--output", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (folder / "checkpoint.npz").exists() and process.poll() is None:
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    return folder, process.returncode, err


def test_ctrl_c_is_exit_code_130_and_hints(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(split: dataset.Split) -> dataset.Digits:
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "load", interrupt)
    done = call(main, "--recipe", "smoke", "--output", tmp_path)
    assert (done.code, done.out, done.err.strip()) == (130, "", HINT)


@pytest.mark.slow
def test_interruption_leaves_a_hint_and_a_checkpoint(interrupted: tuple[Path, int, str]) -> None:
    folder, code, err = interrupted
    assert (code, err.strip()) == (130, HINT)
    assert [path.name for path in folder.iterdir()] == ["checkpoint.npz"]


@pytest.mark.slow
def test_resumed_run_ends_with_the_same_bits(
    interrupted: tuple[Path, int, str], smoke_build: Path, tmp_path: Path, call: Call
) -> None:
    folder = shutil.copytree(interrupted[0], tmp_path / "resumed")
    done = call(main, "--recipe", "smoke", "--output", folder, "--resume")
    assert done.code == 0
    for one, other in zip(weights(folder), weights(smoke_build), strict=True):
        assert one.tobytes() == other.tobytes()
    assert not (folder / "checkpoint.npz").exists()
    assert json.loads((folder / "run.json").read_text())["epochs"] == 4


@pytest.mark.slow
def test_resuming_another_run_is_one_line(interrupted: tuple[Path, int, str], tmp_path: Path, call: Call) -> None:
    folder = shutil.copytree(interrupted[0], tmp_path / "resumed")
    line = call(main, "--recipe", "smoke", "--output", folder, "--resume", "--seed", 2).one_line(2)
    assert "checkpoint.npz belongs to another recipe, seed, start or" in line


# The tutorial


def test_tutorial_prints_its_steps(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "load", builds.few)
    done = call(main, "--recipe", "article", "--epochs", 1, "--output", tmp_path)
    assert done.code == 0
    run = json.loads((tmp_path / "run.json").read_text())
    evaluated = re.search(r"^evaluate: loss ([\d.]+), accuracy ([\d.]+)$", done.out, re.MULTILINE)
    assert evaluated is not None
    assert float(evaluated[2]) == pytest.approx(run["test_accuracy"], abs=1e-4)
    shares = re.findall(r"(\d): ([\d.]+)", done.out.partition("first test digit are\n")[2].partition("\n")[0])
    assert [digit for digit, _ in shares] == list("0123456789")
    assert sum(float(share) for _, share in shares) == pytest.approx(1, abs=1e-3)
    assert "argmax: 7, label: 7" in done.out
    assert "125/125" in done.out  # batches of 32 in four fifths of 5,000 digits
    assert (tmp_path / "report" / "first-digit.png").is_file()
    assert run["recipe"]["epochs"] == run["epochs"] == 1


# How it fails


def test_help_names_every_option_and_recipe() -> None:
    done = builds.python("-m", "train", "--help")
    assert (done.code, done.err) == (0, "")
    for word in ("--recipe", "--seed", "--epochs", "--output", "--resume", "article", "standard", "smoke"):
        assert word in done.out


@pytest.mark.parametrize(
    "options",
    [["--recipe", "best"], ["--seed", "-1"], ["--seed", str(2**32)], ["--epochs", "0"], ["--fast"], ["leftover"]],
)
def test_wrong_option_is_exit_code_2(options: list[str], call: Call) -> None:
    assert options[-1] in call(main, *options).one_line(2)


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path, call: Call) -> None:
    (tmp_path / "file").write_text("mine")
    done = call(main, "--recipe", "smoke", "--output", tmp_path / "file")
    assert done.code == 2
    assert f"'{tmp_path / 'file'}' is a file" in done.err
    assert (tmp_path / "file").read_text() == "mine"


def test_folder_below_a_file_cannot_be_written(tmp_path: Path, call: Call) -> None:
    (tmp_path / "file").touch()
    output = tmp_path / "file" / "folder"
    done = call(main, "--recipe", "smoke", "--output", output)
    assert (done.code, done.out) == (6, "")
    assert re.fullmatch(rf"error: .*{output}.*\n", done.err)


def test_read_only_folder_cannot_be_written(tmp_path: Path, call: Call) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    # Permissions mean nothing to root, but nobody makes folders in /proc.
    output = folder / "new" if os.geteuid() else Path("/proc/new")
    done = call(main, "--recipe", "smoke", "--output", output)
    assert (done.code, done.out) == (6, "")
    assert re.fullmatch(rf"error: .*{output}.*\n", done.err)


def test_missing_data_is_one_line(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DIGITS_DATA", str(tmp_path))
    line = call(main, "--recipe", "smoke", "--output", tmp_path / "build").one_line(1)
    assert f"EDGE_DIGITS_DATA={tmp_path} contains neither" in line
    assert list((tmp_path / "build").iterdir()) == []
