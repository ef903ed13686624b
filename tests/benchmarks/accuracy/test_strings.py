"""Pictures of one line: what is counted, why a string is lost, and the contact sheet of those that are."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.accuracy import strings, truth
from benchmarks.accuracy.strings import cause_of
from edge_runtime.errors import OptionError, PictureError
from edge_runtime.records import Box, Frame, Line, Reading, Timings
from edge_runtime.sources.pictures import load
from tests.commands import Call
from train import strings as drawn

BOX = Box(0, 0, 9, 9)


def reading(*lines: Line) -> Reading:
    """Return a reading of these lines."""
    frame = Frame(np.zeros((9, 9), np.uint8))
    return Reading(
        source="", frame=0, captured_at=frame.captured_at, width=9, height=9, text=tuple(line.text for line in lines),
        digits=(), rejected=(), ms=Timings(0, 0, 0, 0, 0), model="", lines=lines,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("read", "cause"),
    [
        (["12 34"], None),
        ([], "nothing read"),
        (["12", "34"], "lines"),
        (["1235"], "classification"),
        (["124"], "skipping"),
        (["12334"], "segmentation"),
        (["125"], "segmentation"),
        (["12", "3"], "skipping"),
    ],
)
def test_a_string_is_lost_to_its_first_cause(read: list[str], cause: str | None) -> None:
    assert cause_of("1234", reading(*(Line(text, 0.9, BOX) for text in read))) == cause


def test_the_path_loses_a_string_another_reading_has() -> None:
    line = Line("12", 0.6, BOX, (("1234", 0.3), ("72", 0.1)))
    assert cause_of("1234", reading(line)) == "path"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of six drawn strings, one of them empty paper that is said to hold digits."""
    folder, rng = tmp_path_factory.mktemp("strings"), np.random.default_rng(4)
    rows: list[dict[str, object]] = []
    while len(rows) < 5:
        pixels, digits = drawn.picture(drawn.hands("held_out"), rng)
        if digits:
            cv2.imwrite(str(folder / f"{len(rows)}.png"), pixels)
            rows.append({"file": f"{len(rows)}.png", "lines": ["".join(map(str, digits))]})
    cv2.imwrite(str(folder / "5.png"), np.full((40, 90), 200, np.uint8))
    rows.append({"file": "5.png", "lines": ["77"]})
    (folder / "truth.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return folder


def test_strings_are_read_counted_and_drawn(folder: Path, tmp_path: Path, call: Call) -> None:
    done = call(main, "strings", folder, "--known-length", "--losses", "--out", tmp_path)
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "strings.json").read_text(encoding="utf-8"))
    rows = record["details"]["strings"]
    assert [row["file"] for row in rows] == [f"{i}.png" for i in range(6)]
    lost = [row for row in rows if row["cause"]]
    assert {row["file"]: row["cause"] for row in lost}["5.png"] == "nothing read"
    assert all("".join(row["read"]) == row["lines"][0] for row in rows if not row["cause"])
    assert sum(record["details"]["causes"].values()) == len(lost)
    exact = next(each for each in record["measures"] if each["name"] == "strings/exact")
    assert exact["value"] == pytest.approx(100 * (6 - len(lost)) / 6)
    assert f"{len(lost)} of 6 strings are lost:" in done.out
    assert "exact, length known" in done.out
    assert done.out.endswith(f"{tmp_path / 'losses.png'} shows the worst of each\n")
    assert load(tmp_path / "losses.png").pixels.shape[1] == 1600


def test_the_sheet_has_the_worst_of_each_first(folder: Path) -> None:
    base = strings.String(
        truth=truth.read(folder)[0], read=("1",), confidence=0.5, cause="skipping", edits=1, known=None,
    )  # fmt: skip
    lost = [base, replace(base, edits=3), replace(base, cause=None), replace(base, cause="lines", edits=0)]
    assert [(one.cause, one.edits) for one in strings.worst(lost)] == [("lines", 0), ("skipping", 3), ("skipping", 1)]
    assert len(strings.worst([base] * 40)) == strings.SHOWN


def test_several_lines_or_no_picture_are_refused(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    (other / "truth.jsonl").write_text('{"file": "0.png", "lines": ["1", "2"]}\n', encoding="utf-8")
    with pytest.raises(OptionError, match=r"0\.png has 2 lines: use `pages` for such pictures"):
        strings.run(other, tmp_path / "out", known_length=False)
    (other / "truth.jsonl").write_text('{"file": "none.png", "lines": ["1"]}\n', encoding="utf-8")
    with pytest.raises(PictureError, match=r"none\.png"):
        strings.run(other, tmp_path / "out", known_length=False)
