"""`python -m benchmarks`: its commands and their options. What they measure is in test_gate.py and test_latency.py."""

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from tests import builds
from tests.commands import Call


def test_help_names_both_commands() -> None:
    done = builds.python("-m", "benchmarks", "--help")
    assert (done.code, done.err) == (0, "")
    assert "parity" in done.out
    assert "latency" in done.out


@pytest.mark.parametrize(
    "options", [["speed"], ["parity", "--fast"], ["parity", ".", "two"], ["latency", "--slow"], ["latency", "extra"]]
)
def test_wrong_option_is_exit_code_2(options: list[str], call: Call) -> None:
    assert options[-1] in call(main, *options).one_line(2)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_parity_needs_a_folder(name: str, tmp_path: Path, call: Call) -> None:
    (tmp_path / "file").touch()
    done = call(main, "parity", tmp_path / name)
    assert (done.code, done.out) == (2, "")
    assert name in done.err
