"""`python -m benchmarks readers`: the scores, what is written, and what is said of readers that are not there."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.accuracy.score import summarize
from benchmarks.charts import readers as chart
from benchmarks.peers.readers import catalog, compare
from benchmarks.peers.readers.catalog import EDGE
from benchmarks.peers.readers.pictures import Picture
from benchmarks.peers.readers.size import Size
from benchmarks.peers.readers.turns import Answer
from benchmarks.report.results import VALIDATOR
from edge_runtime.sources import pictures
from tests.commands import Call


@pytest.mark.parametrize(
    ("read", "exact", "edits"),
    [
        (["No. 12", "total: 3,4"], True, 0),
        (["abc", "12", "34"], True, 0),
        (["12 34"], False, 0),
        (["l2", "34"], False, 1),
    ],
)
def test_only_digits_count(read: list[str], exact: bool, edits: int) -> None:
    judged = compare.judge(Picture("", ("12", "34"), "", lambda: np.zeros((1, 1), np.uint8)), read)
    assert (judged.exact, judged.edits) == (exact, edits)


def test_without_others_it_reads_alone(
    samples: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, reader in catalog.READERS.items():
        if name != EDGE:
            monkeypatch.setitem(catalog.READERS, name, reader._replace(missing=lambda: "not installed: buy one"))
    done = call(main, "readers", samples, "--at-most", 2, "--out", tmp_path)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[:4] == [f"{name}: not installed: buy one" for name in catalog.READERS if name != EDGE]
    assert lines[4].startswith("samples, 2 pictures")
    assert "2 of 2" in lines[5]
    record = json.loads((tmp_path / "readers.json").read_text(encoding="utf-8"))
    VALIDATOR.validate(record)
    assert record["settings"] == {"sets": ["samples"], "pictures": [2], "threads": 1, "at_most": 2}
    assert {each["name"] for each in record["measures"]} >= {
        f"samples/{EDGE}/a picture", f"samples/{EDGE}/character errors", f"samples/{EDGE}/exact pages", f"size/{EDGE}",
    }  # fmt: skip
    (of_set,) = record["details"]["sets"]
    read = {file: read for (file, _, _), read in zip(of_set["pictures"], of_set["readers"][EDGE]["read"], strict=True)}
    assert all(read[file] == truth for file, truth, _ in of_set["pictures"])
    assert pictures.load(tmp_path / "readers.png").pixels.shape[1] > 500


def row(set_name: str, reader: str, lines: tuple[str, ...], read: list[str], ms: float) -> compare.Row:
    """Return a reader's row on a set of one picture."""
    judged = compare.judge(Picture("", lines, "", lambda: np.zeros((1, 1), np.uint8)), read)
    answers = [Answer(read, int(1e6 * ms), int(5e5 * ms))]
    return compare.Row(set_name=set_name, reader=reader, summary=summarize([judged], []),
                       groups={}, answers=answers, memory=50_000_000)  # fmt: skip


def test_the_table_has_errors_false_digits_and_times() -> None:
    rows = [row("pages", EDGE, ("12",), ["12"], 4), row("pages", "Tesseract", ("12",), ["1"], 90),
            row("empty", EDGE, (), ["7"], 2)]  # fmt: skip
    lines = [line.split() for some in (rows[:2], rows[2:]) for line in compare.table(some)]
    assert lines[1] == [EDGE, "0.0", "%", "1", "of", "1", "4.0", "4.0", "2.0", "50"]
    assert lines[2] == ["Tesseract", "50.0", "%", "0", "of", "1", "90.0", "90.0", "45.0", "50"]
    assert lines[4] == [EDGE, "0", "of", "1", "1.00", "2.0", "2.0", "1.0", "50"]
    sizes = compare.table_of_sizes({EDGE: Size(3_000_000, 9_000_000), "x": None})
    assert [line.split() for line in sizes[1:]] == [[EDGE, "3", "9"], ["x"]]


def test_a_set_without_digits_has_no_points() -> None:
    rows = [row("pages", EDGE, ("12",), ["12"], 4), row("empty", EDGE, (), ["7"], 2)]
    assert chart.points(rows) == {"pages": [chart.Point(EDGE, 0.0, 2e6)]}
