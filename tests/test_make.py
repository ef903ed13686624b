"""The Makefile, in a scratch copy of the checkout that borrows its virtual environment."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.builds import ROOT, copy_tracked


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the tracked files; `.venv` is this checkout's own, and newer than what it is made from."""
    copy = copy_tracked(tmp_path / "checkout")
    (copy / ".venv").symlink_to(ROOT / ".venv")
    for name in ("pyproject.toml", "requirements/dev.txt"):
        os.utime(copy / name, (0, 0))
    return copy


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The editable install names the original checkout; the copy's own packages come first.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment["PYTHONPATH"] = str(checkout)
    return subprocess.run(
        ["make", *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )


def test_make_alone_lists_every_target(checkout: Path) -> None:
    done = make(checkout)
    assert done.returncode == 0
    known = make(checkout, "--print-data-base", "--dry-run", "help").stdout  # variables are expanded there
    (phony,) = re.findall(r"^\.PHONY: (.*)$", known, re.MULTILINE)
    listed = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert listed == set(phony.split())


def test_an_unsupported_python_is_one_clear_line(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv").unlink()
    python = tmp_path / "python3.10"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    done = make(checkout, "data", f"PYTHON={python}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "error: TensorFlow needs Python 3.11 to 3.13: make PYTHON=python3.12"
    assert not (checkout / ".venv").exists()


@pytest.mark.slow
def test_tflite_is_made_once_missed_gates_stay(checkout: Path) -> None:
    done = make(checkout, "tflite", "RECIPE=smoke")
    assert done.returncode == 0, done.stderr
    assert "every limit is met" in done.stdout
    build = checkout / "build" / "smoke"
    before = {path: path.read_bytes() for path in build.glob("digits*")}
    assert len(before) == 5

    done = make(checkout, "tflite", "RECIPE=smoke")
    assert (done.returncode, done.stdout) == (0, "make: Nothing to be done for 'tflite'.\n")

    thresholds = checkout / "benchmarks" / "thresholds.toml"
    original = thresholds.read_text()
    thresholds.write_text(original.replace("max_bytes = 1_048_576", "max_bytes = 1_000"))
    for _ in range(2):
        done = make(checkout, "tflite", "RECIPE=smoke")
        assert done.returncode == 2
        assert re.search(r"int8: [\d,]+ bytes, [\d,]+ above the limit of 1,000", done.stderr)
        assert {path: path.read_bytes() for path in build.glob("digits*")} == before

    thresholds.write_text(original)
    done = make(checkout, "tflite", "RECIPE=smoke")
    assert (done.returncode, "every limit is met" in done.stdout) == (0, True)

    (build / "digits-float16.tflite").unlink()
    done = make(checkout, "tflite", "RECIPE=smoke")
    assert done.returncode == 0
    assert "train" not in done.stdout
    assert (build / "digits-float16.tflite").read_bytes() == before[build / "digits-float16.tflite"]
