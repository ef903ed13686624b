"""`python -m benchmarks pages`: real pictures, their figures, and whatever may be wrong with them."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.accuracy.pages import verdict
from benchmarks.accuracy.score import score
from edge_runtime.bench import result
from edge_runtime.vision import rejection
from tests.commands import Call, Done

PAPER = ("48793968101", "0430355509", "043")
BLACKBOARD = ("7374424", "05537")
Row = dict[str, Any]


@pytest.fixture
def pages(tmp_path: Path, samples: Path, call: Call) -> Callable[..., Done]:
    """Return a function that measures the sample pages and a white one, by these lines, into `tmp_path`/out."""

    def run(rows: list[Row], *options: object) -> Done:
        folder = tmp_path / "photos"
        folder.mkdir()
        for name in ("paper.jpg", "blackboard.jpg"):
            shutil.copy(samples / name, folder)
        Image.new("L", (60, 40), 255).save(folder / "white.png")
        (folder / "truth.jsonl").write_text("\n".join(map(json.dumps, rows)))
        return call(main, "pages", folder, "--out", tmp_path / "out", *options)

    return run


def read_details(folder: Path) -> dict[str, Any]:
    """Return what pages.json holds beside the measures, its pages by their names."""
    details: dict[str, Any] = result.read(folder / "out" / "pages.json")["details"]
    return details | {"pages": {page["file"]: page for page in details["pages"]}}


def measured(folder: Path) -> dict[str, tuple[float, int | None]]:
    """Return the measures of pages.json but for the times: counts of shares, and else the figure."""
    measures = result.measures(result.read(folder / "out" / "pages.json"))
    return {
        name: (measure.value if measure.count is None else measure.count, measure.of)
        for name, measure in measures.items()
        if measure.unit != "ns"
    }


def without_times(table: str) -> list[str]:
    shown = re.sub(r"(?<=calibration error )[\d.]+", "CALIB", table)
    return [re.sub(" +", " ", re.sub(r"( +[\d,]+){2}$|  ms/page  worst ms", "", line)) for line in shown.splitlines()]


def test_turned_pictures_are_read_as_upright_ones(samples: Path, tmp_path: Path, call: Call) -> None:
    done = call(main, "pages", samples, "--turned", "90", "--out", tmp_path / "out")
    assert done.code == 0
    assert measured(tmp_path)["everything/exact pages"] == (3, 3)
    assert result.read(tmp_path / "out" / "pages.json")["settings"]["turned"] == 90


def of_lines(right: int) -> dict[str, Any]:
    """Return the figures of the five lines of the samples, all of them sure, of which so many are right."""
    reached = right if right == 5 else 0
    return {
        "lines/sure": (5, 5), "lines/right of the sure": (right, 5),
        "lines/ECE": (pytest.approx(100 - 20 * right, abs=2), None),
        "lines/coverage at 95% precision": (reached, 5), "lines/coverage at 99% precision": (reached, 5),
    }  # fmt: skip


def test_samples_are_exact(samples: Path, tmp_path: Path, call: Call) -> None:
    done = call(main, "pages", samples, "--out", tmp_path / "out")
    assert (done.code, done.err) == (0, "page 3/3\n")
    assert without_times(done.out) == [
        " pages digits error rate exact lines exact pages",
        "everything 3 37 0.0 % 6 of 6 3 of 3",
        "",
        "5 lines of 2 digits and more, 5 right; 5 sure (0.95), 5 of them right; coverage 5 at 95%, 5 at 99% precision; "
        "calibration error CALIB %",
        "",
        f"{tmp_path / 'out' / 'index.html'} shows every page",
    ]
    assert sorted(os.listdir(tmp_path / "out")) == ["index.html", "pages.json"]
    record = read_details(tmp_path)
    assert (record["folder"], record["unreadable"]) == (str(samples), [])
    assert measured(tmp_path) == {
        "everything/exact pages": (3, 3), "everything/exact lines": (6, 6), "everything/characters right": (37, 37),
        **of_lines(5),
    }  # fmt: skip
    written = result.read(tmp_path / "out" / "pages.json")
    assert written["benchmark"] == "pages"
    assert written["settings"].keys() == {"folder", "tier", "turned", "min_confidence"}
    assert result.measures(written)["everything/a page"].value > 1000
    assert record["pages"]["paper.jpg"]["read"] == list(PAPER)
    assert list(record["summary"]) == ["everything"]
    assert record["summary"]["everything"]["error_rate"] == 0
    assert all(page["read_ms"] > 0 and page["decode_ms"] > 0 for page in record["pages"].values())
    assert "<h2>Exact: 3</h2>" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_errors_are_counted_and_shown_worst_first(pages: Callable[..., Done], tmp_path: Path) -> None:
    wrong = ["48793968102", "043035550", "999", "043"]  # one digit more, one less, and a line that is not there
    done = pages(
        [
            {"file": "blackboard.jpg", "lines": ["737442405537"], "tags": ["chalk"]},
            {"file": "paper.jpg", "lines": wrong, "conditions": "black\u001b ink"},
            {"file": "white.png", "lines": []},
        ]
    )
    assert done.code == 0
    assert without_times(done.out)[:-2] == [
        " pages digits error rate exact lines exact pages false digits/page",
        "no tier 2 38 7.9 % 1 of 5 0 of 2",
        "no digits 1 1 of 1 0.0",
        "everything 3 38 7.9 % 1 of 5 1 of 3 0.0",
        "",
        "5 lines of 2 digits and more, 1 right; 5 sure (0.95), 1 of them right; coverage 0 at 95%, 0 at 99% precision; "
        "calibration error CALIB %",
        "",
        "2 of 3 pages are not exact, worst first:",
        "paper.jpg: 3 errors in 26 digits",
        " expected 48793968102 / 043035550 / 999 / 043",
        " read 48793968101 / 0430355509 / 043",
        r" black\x1b ink",
        "blackboard.jpg: every digit right, but on other lines",
        " expected 737442405537",
        " read 7374424 / 05537",
    ]
    record = read_details(tmp_path)
    assert list(record["pages"]) == ["paper.jpg", "blackboard.jpg", "white.png"]
    assert record["pages"]["paper.jpg"]["score"] == {
        "digits": 26, "read": 24, "edits": 3, "lines": 4, "exact_lines": 1, "exact": False,
    }  # fmt: skip
    assert measured(tmp_path) == {
        "no tier/exact pages": (0, 2), "no tier/exact lines": (1, 5), "no tier/characters right": (35, 38),
        "no digits/exact pages": (1, 1), "no digits/false digits a page": (0, None),
        "everything/exact pages": (1, 3), "everything/exact lines": (1, 5), "everything/characters right": (35, 38),
        "everything/false digits a page": (0, None), **of_lines(1),
    }  # fmt: skip
    gallery = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<tr><td>4879396810<del>2</del></td><td>4879396810<ins>1</ins></td></tr>" in gallery
    assert "<dt>Tags</dt><dd>chalk</dd>" in gallery


def test_tiers_and_categories(pages: Callable[..., Done], tmp_path: Path) -> None:
    done = pages(
        [
            {"file": "paper.jpg", "lines": PAPER, "tier": "hard"},
            {"file": "blackboard.jpg", "lines": [], "tier": "hard", "category": "scene"},
            {"file": "white.png", "lines": [], "category": "\u001bblank"},
        ]
    )
    assert without_times(done.out)[:5] == [
        " pages digits error rate exact lines exact pages false digits/page",
        "hard 1 24 0.0 % 3 of 3 1 of 1",
        r"\x1bblank 1 1 of 1 0.0",
        "scene 1 0 of 1 12.0",
        "everything 3 24 0.0 % 3 of 3 2 of 3 6.0",
    ]
    assert "blackboard.jpg: 12 false digits\n  expected  (no digit)\n  read      7374424 / 05537\n" in done.out
    assert read_details(tmp_path)["summary"]["everything"]["false_digits_a_page"] == 6


def test_one_tier_alone(pages: Callable[..., Done], tmp_path: Path) -> None:
    rows = [{"file": "paper.jpg", "lines": PAPER, "tier": "core"}, {"file": "gone.jpg", "lines": ["1"], "tier": "hard"}]
    assert pages(rows, "--tier", "core").code == 0
    assert list(read_details(tmp_path)["pages"]) == ["paper.jpg"]


def test_tier_that_is_not_there(pages: Callable[..., Done], tmp_path: Path) -> None:
    done = pages([{"file": "paper.jpg", "lines": PAPER, "tier": "core"}], "--tier", "cores")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("truth.jsonl has no tier or category 'cores'; known: core\n")
    assert not (tmp_path / "out").exists()


def test_unreadable_pictures_do_not_stop_the_others(pages: Callable[..., Done], tmp_path: Path, samples: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes((samples / "paper.jpg").read_bytes()[:3000])
    (tmp_path / "text.png").write_text("no picture")
    os.mkfifo(tmp_path / "pipe")
    bad = {
        "gone\u001b[31m.png": "no such file",
        "../cut.jpg": "damaged or truncated: .*",
        "../text.png": "not a picture that Pillow can read",
        "../pipe": "not a file",
        "..": "not a file",
        "paper.jpg/x": "no such file",
        "n" * 300: "cannot be read: File name too long",
    }
    done = pages([{"file": name, "lines": []} for name in bad] + [{"file": "paper.jpg", "lines": PAPER}])
    assert done.code == 1
    lines = done.err.splitlines()
    for line, (name, reason) in zip(lines[:7], bad.items(), strict=True):
        shown = name.replace("\u001b", r"\x1b")
        assert re.fullmatch(re.escape(f"error: {tmp_path / 'photos' / shown}: ") + reason, line)
    assert lines[7:] == ["page 8/8", "error: 7 of 8 pictures could not be read"]
    record = read_details(tmp_path)
    assert [row["file"] for row in record["unreadable"]] == list(bad)
    assert list(record["pages"]) == ["paper.jpg"]
    assert record["summary"]["everything"]["exact_pages"] == 1
    assert "<h2>Could not be read: 7</h2>" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_nothing_readable(pages: Callable[..., Done], tmp_path: Path) -> None:
    done = pages([{"file": "gone.png", "lines": ["1"]}])
    assert done.code == 1
    assert without_times(done.out)[:2] == [" pages exact pages", "everything 0 0 of 0"]
    assert read_details(tmp_path)["summary"]["everything"]["error_rate"] is None
    assert measured(tmp_path) == {}


def test_bad_truth_is_one_line(pages: Callable[..., Done], tmp_path: Path) -> None:
    done = pages([{"file": "paper.jpg", "lines": PAPER}, {"file": "white.png"}])
    assert (done.code, done.out) == (2, "")
    assert done.err == f'error: {tmp_path}/photos/truth.jsonl, line 2: "lines" is missing\n'


def test_options_reach_the_reader(pages: Callable[..., Done], tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join("abcdefghij"))
    rows = [{"file": "blackboard.jpg", "lines": BLACKBOARD}]
    assert pages(rows, "--labels", labels, "--min-confidence", "0.25").code == 0
    record = read_details(tmp_path)
    assert record["pages"]["blackboard.jpg"]["read"] == ["hdheece", "affdh"]
    assert record["summary"]["everything"]["error_rate"] == 100
    settings = result.read(tmp_path / "out" / "pages.json")["settings"]
    assert settings == {"folder": "photos", "tier": None, "turned": 0, "min_confidence": 0.25}
    assert measured(tmp_path)["everything/characters right"] == (0, 12)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--model", "missing.tflite"], 4),
        (["--labels", "missing.txt"], 2),
        (["--min-confidence", "1.5"], 2),
        (["--min-confidence", "nan"], 2),
        (["--speed"], 2),
    ],
)
def test_wrong_option(options: list[str], code: int, pages: Callable[..., Done]) -> None:
    assert options[-1] in pages([{"file": "paper.jpg", "lines": PAPER}], *options).one_line(code)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_folder_is_needed(name: str, tmp_path: Path, call: Call) -> None:
    (tmp_path / "file").touch()
    done = call(main, "pages", tmp_path / name)
    assert (done.code, done.out) == (2, "")
    assert name in done.err


def test_output_that_cannot_be_written(pages: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "out"
    assert str(out) in pages([{"file": "paper.jpg", "lines": PAPER}], "--out", out).one_line(6)


def test_output_goes_to_build_by_default(
    samples: Path, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(samples, tmp_path / "my photos")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert call(main, "pages", Path("..", "my photos")).code == 0
    assert (tmp_path / "elsewhere" / "build" / "pages" / "my photos" / "index.html").is_file()


@pytest.mark.parametrize(
    ("expected", "read", "words"),
    [
        (["12"], ["12"], "exact"),
        ([], [], "exact"),
        (["12"], ["1"], "1 error in 2 digits"),
        (["12"], ["345"], "3 errors in 2 digits"),
        (["12"], ["1", "2"], "every digit right, but on other lines"),
        ([], ["1"], "1 false digit"),
        ([], ["1", "23"], "3 false digits"),
    ],
)
def test_verdict(expected: list[str], read: list[str], words: str) -> None:
    assert verdict(score(expected, read)) == words


def test_documents_say_what_to_do_about_each_reason() -> None:
    document = Path(__file__).parents[3] / "docs" / "your-own-pages.md"
    table = document.read_text(encoding="utf-8").split("| reason |")[1].split("\n\n")[0]
    assert re.findall(r"^\| ([a-z -]+) \|", table, re.MULTILINE) == list(rejection.REASONS)
