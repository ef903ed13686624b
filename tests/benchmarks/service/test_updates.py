"""Changing the model of a program that reads: what counts as a gap and as astray, and the real thing once."""

from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.common import limits
from benchmarks.service import updates
from benchmarks.service.updates import Change, Line
from edge_runtime.bench import result
from tests.commands import Call

STEADY = [Line(at / 10, "old" if at < 50 else "new") for at in range(100)]
CHANGE = [Change(4.0, 5.0, "new")]


def test_gaps_near_a_change_are_counted_apart() -> None:
    summary = updates.summary(STEADY, CHANGE)
    assert (summary["changes"], summary["readings"], summary["astray"]) == (1, 100, 0)
    assert summary["gap_ms"] == summary["elsewhere_ms"] == 100.0
    late = [line for line in STEADY if not 4.35 < line.at < 4.65]  # three are missing while it is installed
    assert updates.summary(late, CHANGE)["gap_ms"] == 400.0
    assert updates.summary(late, CHANGE)["elsewhere_ms"] == 100.0
    settling = [line for line in STEADY if not 5.85 < line.at < 5.95]  # within a second of its first reading
    assert updates.summary(settling, CHANGE)["gap_ms"] == 200.0
    later = [line for line in STEADY if not 7.05 < line.at < 7.25]
    assert updates.summary(later, CHANGE)["gap_ms"] == 100.0
    assert updates.summary(later, CHANGE)["elsewhere_ms"] == 300.0


@pytest.mark.parametrize(
    ("place", "model", "astray"),
    [(10, "new", 39), (60, "old", 1), (60, "another", 1), (10, "another", 1), (60, "new", 0)],
    ids=["too early", "the old one again", "unheard of, late", "unheard of, early", "as it should be"],
)
def test_a_reading_by_another_model_is_astray(place: int, model: str, astray: int) -> None:
    lines = [line._replace(model=model) if turn == place else line for turn, line in enumerate(STEADY)]
    assert updates.summary(lines, CHANGE)["astray"] == astray


@pytest.mark.slow
def test_the_real_thing_once(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = tmp_path / "limits.toml"
    most.write_text("[updates]\ngap_ms = 60_000\nastray = 0\n")
    monkeypatch.setattr(limits, "THRESHOLDS", most)
    done = call(main, "updates", "--changes", 1, "--out", tmp_path)
    assert done.code == 0, done.err
    assert "every limit is met" in done.out
    written = result.read(tmp_path / "updates.json")
    details = written["details"]
    assert written["settings"] == {"changes": 1}
    assert details["readings"] == len(details["lines"]) > 30
    assert len({model for _, model in details["lines"]}) == 2
    assert details["lines"][-1][1] == details["changed"][0]["model"]
    assert 0 < details["gap_p50_ms"] <= details["gap_p99_ms"] <= details["gap_ms"]
    assert (tmp_path / "updates.png").stat().st_size > 5_000

    most.write_text("[updates]\ngap_ms = 1\nastray = 0\n")
    done = call(main, "updates", "--changes", 1, "--out", tmp_path)
    assert (done.code, "beyond its limit: gap_ms" in done.err) == (5, True)


def test_a_model_that_never_reads_is_an_error(monkeypatch: pytest.MonkeyPatch, call: Call, tmp_path: Path) -> None:
    monkeypatch.setattr(updates, "TIMEOUT", 0.01)
    done = call(main, "updates", "--changes", 1, "--out", tmp_path)
    assert done.code == 5
    assert "no reading by model " in done.err
    assert not list(tmp_path.iterdir())
