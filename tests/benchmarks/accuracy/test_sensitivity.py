"""The sensitivity benchmark: which numbers it finds, how it moves them, and the command over a few pages."""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.accuracy import sensitivity, sensitivity_table
from benchmarks.accuracy.sensitivity_table import Counts, Row
from benchmarks.accuracy.vision_numbers import Number, changed, numbers, sources
from edge_runtime.bench import result
from edge_runtime.vision import normalize, planes, regions
from tests.commands import Call

ONE = """
import numpy as np
LIMIT = 4
WIDE, NARROW = 1.5, 1 / 2
STEPS = 10, 20
TWICE = 2 * LIMIT
FIELD = np.zeros(TWICE)
NAME, ON, NAMES = "none", True, ("a", "b")
lower: float = 3.0
TYPED: float = 3.0

def limits() -> tuple[int, int, int]:
    LOCAL = 3
    return LIMIT, TWICE, len(FIELD)
"""
TWO = """
from edge_runtime_stub.one import LIMIT, STEPS as LADDER
from edge_runtime_stub import one
WIDE = 1.5
THRICE = 3 * LIMIT

def limits() -> tuple[object, ...]:
    return LIMIT, THRICE, LADDER, one.TWICE, WIDE
"""
BASELINE = Counts((10, 20, 5), (100, 200, 10))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    folder = tmp_path / "edge_runtime_stub"
    folder.mkdir()
    for name, text in {"__init__": "", "one": ONE, "two": TWO}.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(folder.name)
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def row(name: str, down: Counts | str, up: Counts | str) -> Row:
    return Row(Number("planes", name, None, 4), (down, up))


def test_numbers_in_tuples_are_listed_derived_ones_not(package: ModuleType) -> None:
    assert [(number.label, number.value) for number in numbers(package)] == [
        ("one.LIMIT", 4), ("one.WIDE", 1.5), ("one.NARROW", 0.5), ("one.STEPS[0]", 10), ("one.STEPS[1]", 20),
        ("one.TYPED", 3.0), ("two.WIDE", 1.5),
    ]  # fmt: skip


def test_fitted_weights_are_not_chosen_numbers() -> None:
    assert not [number.label for number in numbers() if number.name == "UNFITTED"]
    # Nor are those that are the contract's; a multiple of one was chosen.
    labels = {number.label for number in numbers()}
    assert not labels & {"strips.HIGH", "splits.HALF"}
    assert "normalize.WORKING" in labels


def test_the_numbers_of_the_reader_are_found() -> None:
    values = {number.label: number.value for number in numbers()}
    assert values["planes.VGA"] == planes.VGA == 640 * 480
    assert {"normalize.WORKING", "normalize.THIN_REDRAWN", "planes.STROKE_WINDOW"} <= values.keys()
    assert not {f"normalize.{name}" for name in ("INNER", "CENTER", "MOMENTS")} & {*values}
    assert "regions.VGA" not in values


def test_defaults_and_classes_do_not_keep_old_numbers() -> None:
    for source in sources():
        for node in ast.walk(ast.parse(Path(str(source.module.__file__)).read_text(encoding="utf-8"))):
            kept: list[ast.AST] = []
            if isinstance(node, ast.FunctionDef | ast.Lambda):
                kept = [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                kept += node.decorator_list
            if isinstance(node, ast.ClassDef):
                kept += [each for each in node.body if isinstance(each, ast.Assign | ast.AnnAssign)]
            names = {each.id for part in kept for each in ast.walk(part) if isinstance(each, ast.Name)}
            assert not {name for name in names if name.isupper()}, source.short


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [(20, 16, 24), (8, 6, 10), (3, 2, 4), (2, 1, 3), (1, 0, 2), (0.5, 0.4, 0.6), (2.0, 1.6, 2.4)],
)
def test_a_number_moves_by_a_fifth_or_1(value: float, down: float, up: float) -> None:
    number = Number("one", "LIMIT", None, value)
    moved = [number.moved(factor) for factor in sensitivity_table.FACTORS]
    assert moved == pytest.approx([down, up])
    assert [type(each) for each in moved] == [type(value)] * 2


def test_a_change_reaches_all_modules_and_is_undone(package: ModuleType) -> None:
    one, two = (importlib.import_module(f"{package.__name__}.{name}") for name in ("one", "two"))
    known = {number.label: number for number in numbers(package)}
    before = one.limits(), two.limits()
    assert before == ((4, 8, 8), (4, 12, (10, 20), 8, 1.5))
    with changed(known["one.LIMIT"], 5, package):
        assert one.limits() == (5, 10, 10)
        assert two.limits() == (5, 15, (10, 20), 10, 1.5)
    assert (one.limits(), two.limits()) == before
    with changed(known["one.STEPS[1]"], 24, package):
        assert (one.STEPS, two.LADDER) == ((10, 24), (10, 24))
    with changed(known["one.WIDE"], 9.0, package):  # the same name, and another number
        assert (one.WIDE, two.WIDE) == (9.0, 1.5)
    with pytest.raises(KeyError), changed(known["one.LIMIT"], 5, package):
        raise KeyError
    assert (one.limits(), two.limits()) == before


def test_a_change_reaches_the_reader_and_is_undone() -> None:
    known = {number.label: number for number in numbers()}
    vga = planes.VGA
    with changed(known["planes.VGA"], 1000):
        assert planes.VGA == 1000
        assert regions.work_budget(4000) == 2
    assert vga == planes.VGA
    assert regions.work_budget(4 * vga) == 2
    ink = np.zeros((60, 60), np.uint8)
    cv2.line(ink, (30, 5), (30, 55), 255, 1)
    plain = normalize.normalize(ink)
    with changed(known["normalize.THIN_REDRAWN"], 4.8):
        assert normalize.normalize(ink).sum() > plain.sum()
    assert np.array_equal(normalize.normalize(ink), plain)


def test_rates_are_right_and_largest_effects_first() -> None:
    assert BASELINE.rates == [10, 10, 0.5]
    pages = row("A", BASELINE, BASELINE._replace(wrong=(8, 20, 5)))  # 2 points fewer
    photos = row("B", BASELINE._replace(wrong=(10, 22, 5)), BASELINE)  # 1 point
    false = row("C", BASELINE, BASELINE._replace(wrong=(10, 20, 9)))  # 4 in 10 pictures: as 4 points
    same, failed = row("D", BASELINE, BASELINE), row("E", BASELINE, "fails at +20 %: ValueError: no")
    assert [each.effect(BASELINE) for each in (pages, photos, false, same)] == pytest.approx([2, 1, 4, 0])
    rows = sensitivity_table.ordered(BASELINE, [same, photos, failed, pages, false])
    assert [each.number.name for each in rows] == list("ECABD")
    cells = sensitivity_table.grid(BASELINE, rows)
    assert cells[0][:4] == ["", "value", "pages -20 %", "pages +20 %"]
    assert cells[1] == ["baseline", "", "10.00 %", "", "10.00 %", "", "0.50", ""]
    assert cells[2][:4] == ["planes.E", "4", "0", "fails"]
    assert cells[3] == ["planes.C", "4", "0", "0", "0", "0", "0", "+0.40"]
    assert cells[4][3] == "-2.00"
    assert [measure.name for measure in sensitivity_table.measures(BASELINE, rows)] == [
        "pages/characters right", "photos/characters right", "false digits a picture",
        *(f"planes.{name}/effect" for name in "CABD"),
    ]  # fmt: skip
    text = sensitivity_table.page(BASELINE, rows, "two pages")
    assert "\nThe run read two pages.\n" in text
    assert "\n| baseline |  | 10.00 % |  |" in text
    assert "\n| `planes.C` | 4 | 0 |" in text


def test_the_table_omits_what_the_sample_lacks() -> None:
    baseline = Counts((10, 0, 0), (100, 0, 0))
    moved = row("A", baseline, baseline._replace(wrong=(8, 0, 0)))
    assert sensitivity_table.grid(baseline, [moved])[2] == ["planes.A", "4", "0", "-2.00"]
    assert moved.effect(baseline) == pytest.approx(2)
    assert len(sensitivity_table.measures(baseline, [moved])) == 2


def test_a_tuple_stands_for_its_members() -> None:
    known = [Number("regions", "T", 0, 1), Number("regions", "T", 1, 2), Number("planes", "VGA", None, 3)]
    assert sensitivity.choose(known, []) == known
    assert sensitivity.choose(known, ["regions.T"]) == known[:2]
    assert sensitivity.choose(known, ["planes.VGA", "regions.T[1]"]) == known[1:]


def test_the_command_moves_reads_and_says(call: Call, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "empty.png"), np.full((60, 1800), 255, np.uint8))
    (photos / "truth.jsonl").write_text('{"file": "empty.png", "lines": []}\n')
    out, page = tmp_path / "out", tmp_path / "docs" / "page.md"
    options = ("--only", "planes.STROKE_WINDOW", "--photos", photos, "--markdown", page)
    done = call(main, "sensitivity", "--pages", 1, *options, "--out", out)
    assert done.err.splitlines() == [
        "baseline: 1/3", "planes.STROKE_WINDOW -20 %: 2/3", "planes.STROKE_WINDOW +20 %: 3/3",
    ]  # fmt: skip
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[2].split()[:2] == ["planes.STROKE_WINDOW", str(planes.STROKE_WINDOW)]
    assert lines[4].startswith("31 generated pages with 301 digits (1 of each of 31 conditions at severity 3")
    assert lines[-1].endswith(f" minutes; {out / 'sensitivity.json'} contains all counts")
    written = result.read(out / "sensitivity.json")
    assert written["settings"] == {
        "pages": 1, "severity": 3, "split": "held-out", "seed": 1, "only": ["planes.STROKE_WINDOW"],
        "photos": ["photos"],
    }  # fmt: skip
    assert written["details"]["baseline"]["of"] == [301, 0, 1]
    (number,) = written["details"]["numbers"]
    assert [each["value"] for each in number["moved"]] == [
        round(planes.STROKE_WINDOW * 0.8), round(planes.STROKE_WINDOW * 1.2)
    ]  # fmt: skip
    assert all(each["of"] == [301, 0, 1] for each in number["moved"])
    assert page.read_text().startswith("# ")
    assert "\n| `planes.STROKE_WINDOW` | " in page.read_text()


def test_a_number_that_breaks_reading_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensitivity, "_frames", lambda sample: [])
    number = Number("planes", "VGA", None, planes.VGA)
    assert sensitivity._read(sensitivity.Sample(1, ()), (number, 0.8)) == Counts((0, 0, 0), (0, 0, 0))

    def count(*_: object) -> Counts:
        raise ValueError("no")

    monkeypatch.setattr(sensitivity, "_count", count)
    assert sensitivity._read(sensitivity.Sample(1, ()), (number, 0.8)) == "fails at -20 %: ValueError: no"
    assert number.value == planes.VGA


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--only", "planes.VG"], "unknown number planes.VG in edge_runtime/vision; similar: planes.VGA"),
        (["--pages", "0"], "--pages"),
        (["--photos", "."], "truth.jsonl"),
        (["extra"], "extra"),
    ],
)
def test_a_wrong_option_is_exit_code_2(call: Call, options: list[str], said: str) -> None:
    done = call(main, "sensitivity", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert said in done.err
