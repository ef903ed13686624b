"""The robustness benchmark: what it counts, which limits it finds missed, and the command over a few pages."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt

from benchmarks.__main__ import main
from benchmarks.accuracy import robustness
from benchmarks.accuracy.robustness import Cell
from benchmarks.charts import robustness as robustness_chart
from benchmarks.common import limits
from edge_runtime import DigitReader
from edge_runtime.bench import result
from edge_runtime.pages.draw import Page, Placed
from edge_runtime.records import Box, Digit, Reading, Timings
from tests.builds import ROOT
from tests.commands import Call
from train import dataset
from train.conditions import CONDITIONS, SEVERITIES, style

CELL = Cell(
    condition="blur", severity=1, pages=2, digits=20, reported=19, matched=18, right=17, clean=19, edits=3, lines=4,
    exact_lines=2, ms=5.25,
)  # fmt: skip
LIMITS = {"severity-1": {"located": 99.5, "precision": 99.5, "max_drop": 0.5}}


def reading(*digits: tuple[str, Box], text: tuple[str, ...]) -> Reading:
    return Reading(
        source="", frame=0, captured_at=datetime.now(UTC), width=100, height=100, text=text,
        digits=tuple(Digit(label, 1.0, box, 0, ((label, 1.0),)) for label, box in digits), rejected=(),
        ms=Timings(0, 0, 0, 0, 0), model="",
    )  # fmt: skip


def test_a_page_is_counted_digit_by_digit() -> None:
    boxes = [Box(x, 0, 10, 20) for x in (0, 20, 60)]
    true = [Placed(label, box, 0, word) for label, box, word in zip("123", boxes, (0, 0, 1), strict=True)]
    page = Page(np.zeros((100, 100, 3), np.uint8), tuple(true))
    assert page.text == ("12 3",)
    exact = robustness.compare(page, reading(*zip("123", boxes, strict=True), text=("12 3",)))
    assert exact == {
        "digits": 3, "reported": 3, "matched": 3, "right": 3, "edits": 0, "lines": 1, "exact_lines": 1,
    }  # fmt: skip
    # One digit read wrong, one not found, one beside its place, and one where there is none.
    wrong = reading(("7", boxes[0]), ("3", Box(64, 0, 10, 20)), ("1", Box(90, 90, 5, 5)), text=("73", "1"))
    assert robustness.compare(page, wrong) == {
        "digits": 3, "reported": 3, "matched": 1, "right": 0, "edits": 3, "lines": 1, "exact_lines": 0,
    }  # fmt: skip
    spaces = robustness.compare(page, reading(*zip("123", boxes, strict=True), text=("1 23",)))
    assert (spaces["edits"], spaces["exact_lines"]) == (0, 0)


def test_percentages_are_of_what_they_say() -> None:
    assert (CELL.located, CELL.read, CELL.baseline, CELL.error_rate) == (90, 85, 95, 15)
    assert CELL.precision == pytest.approx(100 * 18 / 19)
    assert CELL.drop == pytest.approx(10)
    assert [(measure.name, measure.count, measure.of) for measure in robustness.measures([CELL])[:-1]] == [
        ("blur 1/located", 18, 20), ("blur 1/precision", 18, 19), ("blur 1/read", 17, 20),
        ("blur 1/classifier alone", 19, 20), ("blur 1/characters right", 17, 20), ("blur 1/exact lines", 2, 4),
    ]  # fmt: skip
    assert robustness.measures([CELL])[-1].value == 5_250_000  # ns
    nothing = replace(CELL, reported=0, matched=0)
    assert nothing.precision is None
    assert [line.split()[2] for line in robustness.misses([nothing], LIMITS)] == ["located", "read"]
    assert robustness.details([nothing], [])["cells"][0]["precision"] is None
    assert "blur 1/precision" not in [measure.name for measure in robustness.measures([nothing])]
    assert re.split(r" {2,}", robustness.table([nothing]).splitlines()[1])[2:4] == ["0.0 %", "85.0 %"]
    plt.close(robustness_chart.draw([nothing], LIMITS))


def test_missed_limits_say_where_and_by_how_much() -> None:
    assert robustness.misses([CELL], LIMITS) == [
        "blur 1: located 90.0 %, 9.5 below the limit of 99.5 %",
        "blur 1: precision 94.7 %, 4.8 below the limit of 99.5 %",
        "blur 1: read 85.0 %, 10.0 points below the classifier's 95.0 %, where 0.5 are allowed",
    ]
    good = replace(CELL, reported=20, matched=20, right=19)
    assert robustness.misses([good, replace(CELL, severity=2)], LIMITS) == []
    edge = replace(CELL, digits=200, reported=200, matched=199, right=198, clean=199)
    assert robustness.misses([edge], LIMITS) == []
    assert len(robustness.misses([replace(edge, right=197)], LIMITS)) == 1
    assert len(robustness.misses([replace(edge, matched=198)], LIMITS)) == 2


def test_thresholds_demand_what_was_promised() -> None:
    assert limits.read_limits()["robustness"] == {
        "severity-1": {"located": 99.5, "precision": 99.5, "max_drop": 0.5},
        "severity-3": {"located": 97.0, "precision": 97.0, "max_drop": 4.0},
    }


def test_the_document_names_every_condition() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    text = text.split("\n## Robustness\n")[1].split("\n## ")[0]
    names = re.findall(r"^\| ([a-z, ]+)(?:: [^|]*)? \| ", text, re.MULTILINE)
    assert {name for row in names for name in row.split(", ")} - {"condition"} == set(CONDITIONS)
    counts = [sum(dict(style("distractors", severity).distractors).values()) for severity in SEVERITIES]
    assert f"| {' | '.join(map(str, counts))} |" in text


def test_the_table_and_the_summary_are_lines() -> None:
    cells = [CELL, replace(CELL, severity=3), replace(CELL, condition="tilt", reported=20, matched=20, right=19)]
    lines = robustness.table(cells).splitlines()
    assert len(lines) == 4
    assert lines[0].split("  ")[-1] == "ms/page"
    assert re.split(r" {2,}", lines[1]) == [
        "blur", "1", "90.0 %", "94.7 %", "85.0 %", "95.0 %", "15.0 %", "2 of 4", "5.2",
    ]  # fmt: skip
    assert len({len(line) for line in lines}) == 1
    assert [line.split()[0] for line in lines[2:]] == ["3", "tilt"]
    missed = robustness.misses(cells, LIMITS)
    said = robustness.summary(cells, missed, LIMITS).splitlines()
    assert said == ["severity 1: all limits hold under 1 of 2 conditions", *(f"  {line}" for line in missed)]


def test_every_severity_draws_the_same_digits() -> None:
    digits = dataset.load("held_out")

    def drawn(condition: str, severity: int, seed: int = 1, split: str = "held-out") -> list[list[int]]:
        pages = robustness.draw(digits, condition, severity, 2, seed, split)
        return [[int(image.sum()) for image in own.images] for _, own in pages]

    first = drawn("blur", 1)
    assert [len(page) for page in first] == [10, 10]
    assert first[0] != first[1]
    assert drawn("blur", 5) == first
    others = [drawn("tilt", 1), drawn("blur", 1, seed=2), drawn("blur", 1, split="test")]
    assert all(other[0] != first[0] for other in others)
    one, same = (next(robustness.draw(digits, "distractors", 3, 1, 1, "held-out"))[0] for _ in range(2))
    assert np.array_equal(one.pixels, same.pixels)


def test_clean_counts_the_classifier_on_the_same_digits(reader: DigitReader) -> None:
    digits = dataset.load("held_out")
    (cell,) = robustness.measure(reader, digits, ["small"], [3], 3, 1, "held-out")
    images = np.concatenate([own.images for _, own in robustness.draw(digits, "small", 3, 3, 1, "held-out")])
    labels = np.concatenate([own.labels for _, own in robustness.draw(digits, "small", 3, 3, 1, "held-out")])
    assert cell.clean == int((reader.classifier.scores(images).argmax(axis=1) == labels).sum())
    assert (cell.pages, cell.digits) == (3, 30)
    assert cell.right <= cell.matched <= min(cell.reported, 30)
    assert cell.exact_lines <= cell.lines


def test_the_chart_shows_every_figure() -> None:
    names = list(CONDITIONS)[:7]
    cells = [
        replace(CELL, condition=name, severity=s, matched=20 - s, right=15 - s, reported=20)
        for name in names
        for s in (1, 2)
    ]
    figure = robustness_chart.draw(cells, LIMITS)
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == names
    lines = {str(line.get_label()).split(":")[0]: line for line in panels[3].get_lines()}
    for name in ("located", "precision", "read"):
        values = [getattr(cell, name) for cell in cells[6:8]]
        assert list(np.asarray(lines[name].get_ydata(), float)) == pytest.approx(values)
        assert list(np.asarray(lines[name].get_xdata(), float)) == [1, 2]
    assert list(np.asarray(lines["the classifier on the same digits, 28x28"].get_ydata(), float)) == [95, 95]
    assert list(np.asarray(lines["least located and precision"].get_ydata(), float)) == [99.5]
    plt.close(figure)


def test_the_command_reads_writes_and_says(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--condition", "jpeg", "--condition", "tilt", "--severity", 1, "--severity", 2, "--pages", 2)
    done = call(main, "robustness", *options, "--split", "held-out", "--out", out)
    assert done.code == 0
    assert done.err.splitlines() == ["jpeg 1: 1/4", "jpeg 2: 2/4", "tilt 1: 3/4", "tilt 2: 4/4"]
    assert [line.split()[0] for line in done.out.splitlines()[:5]] == ["severity", "jpeg", "2", "tilt", "2"]
    assert done.out.splitlines()[-1] == f"{out / 'robustness.png'} shows it"
    assert (out / "robustness.png").read_bytes().startswith(b"\x89PNG")
    written = result.read(out / "robustness.json")
    details = written["details"]
    assert {path.name for path in out.iterdir()} == {"robustness.json", "robustness.png"}
    assert (written["benchmark"], written["warnings"]) == ("robustness", [])
    assert 0 < written["settings"].pop("min_confidence") < 1
    assert written["settings"] == {"split": "held-out", "seed": 5_270_611, "pages": 2}
    assert len(written["measures"]) == 4 * 7
    assert [(cell["condition"], cell["severity"], cell["digits"]) for cell in details["cells"]] == [
        ("jpeg", 1, 20), ("jpeg", 2, 20), ("tilt", 1, 20), ("tilt", 2, 20),
    ]  # fmt: skip
    assert details["passed"] == (not details["missed"])
    for cell in details["cells"]:
        assert cell["located"] == 100 * cell["matched"] / cell["digits"] >= 80


@pytest.mark.parametrize("check", [False, True])
def test_with_check_a_missed_limit_exits_with_5(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    text = limits.THRESHOLDS.read_text().replace("located = 99.5", "located = 101")
    (tmp_path / "thresholds.toml").write_text(text)
    monkeypatch.setattr(limits, "THRESHOLDS", tmp_path / "thresholds.toml")
    options = ("--condition", "gradient", "--severity", 1, "--pages", 1, "--split", "held-out")
    done = call(main, "robustness", *options, "--out", tmp_path / "out", *(["--check"] if check else []))
    assert done.code == (5 if check else 0)
    assert "severity 1: all limits hold under 0 of 1 conditions" in done.out
    assert re.search(r"^  gradient 1: located [\d.]+ %, [\d.]+ below the limit of 101.0 %$", done.out, re.MULTILINE)
    assert ("robustness limits are missed; the first: gradient 1: located" in done.err) == check
    assert (tmp_path / "out" / "robustness.json").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--condition", "fog"], ["--severity", "6"], ["--severity", "0"], ["--pages", "0"], ["--seed", "-1"],
        ["--split", "train"], ["extra"],
    ],
)  # fmt: skip
def test_a_wrong_option_is_exit_code_2(call: Call, options: list[str]) -> None:
    done = call(main, "robustness", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
