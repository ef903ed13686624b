"""The report of a training run: pictures, numbers and one page that needs nothing else."""

import base64
import csv
import html
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train import report
from train.dataset import Digits

PICTURES = ["confusion.png", "curves.png", "first-digit.png", "first-layer.png", "misread.png"]
ROW = {"loss": 0.5, "accuracy": 0.9, "val_loss": 0.4, "val_accuracy": 0.92}


def outcome(labels: list[int], read: list[int], epochs: int = 3) -> report.Outcome:
    """Return an outcome in which each digit of `labels` was read as that of `read`, with 91 % confidence."""
    rng = np.random.default_rng(1)
    probabilities = np.full((len(labels), 10), 0.01, np.float32)
    probabilities[np.arange(len(read)), read] = 0.91
    return report.Outcome(
        title="Recipe <smoke> & mirrors",
        summary={"Made by": 'python -m train --recipe "smoke" <tag>'},
        history=[{"epoch": epoch, **ROW} for epoch in range(1, epochs + 1)],
        test=Digits(rng.integers(0, 256, (len(labels), 28, 28), np.uint8), np.array(labels, np.uint8)),
        probabilities=probabilities,
        first_layer=rng.normal(size=(784, 70)).astype(np.float32),
    )


MIXED = ([0, 0, 0, 0, 1, 1, 9], [0, 0, 0, 1, 1, 7, 9])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    report.write_report(folder, outcome(*MIXED))
    return folder


def test_per_class_numbers_are_exact() -> None:
    table = {row[0]: row[1:] for row in report.per_class(outcome(*MIXED))}
    assert list(table) == list("0123456789")
    assert table["0"] == ["4", "3", "75.00", "100.00"]  # there, read right, recall, precision
    assert table["1"] == ["2", "1", "50.00", "50.00"]
    assert table["7"] == ["0", "0", "", "0.00"]
    assert table["9"] == ["1", "1", "100.00", "100.00"]
    assert table["3"] == ["0", "0", "", ""]


def test_table_is_written_as_csv(folder: Path) -> None:
    with (folder / "per-class.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["digit", "test digits", "read right", "recall %", "precision %"],
        *report.per_class(outcome(*MIXED)),
    ]


def test_every_picture_is_there_and_readable(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted([*PICTURES, "per-class.csv", "index.html"])
    for name in PICTURES:
        with Image.open(folder / name) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert np.ptp(np.asarray(picture.convert("L"))) > 100  # something is drawn


def test_page_needs_nothing_else(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "http" not in page
    assert not re.search(r"<(script|link|iframe)", page)
    sources = re.findall(r'src="([^"]*)"', page)
    embedded = [base64.b64decode(source.removeprefix("data:image/png;base64,")) for source in sources]
    assert sorted(embedded) == sorted((folder / name).read_bytes() for name in PICTURES)


def test_page_says_what_the_run_came_to(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "<title>Recipe &lt;smoke&gt; &amp; mirrors</title>" in page
    assert 'python -m train --recipe "smoke" <tag>' in html.unescape(page)
    assert "<tag>" not in page
    assert "<tr><td>0</td><td>4</td><td>3</td><td>75.00</td><td>100.00</td></tr>" in page


def test_same_outcome_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    report.write_report(tmp_path, outcome(*MIXED))
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize(
    ("labels", "read", "epochs"),
    [([3, 4, 5], [3, 4, 5], 3), ([3, 4, 5], [3, 4, 6], 1), ([1] * 100, [7] * 100, 2)],
    ids=["none misread", "one epoch", "all misread"],
)
def test_extreme_outcomes_are_drawn_too(labels: list[int], read: list[int], epochs: int, tmp_path: Path) -> None:
    report.write_report(tmp_path, outcome(labels, read, epochs))
    for name in PICTURES:
        with Image.open(tmp_path / name) as picture:
            assert len(picture.convert("L").getcolors(256) or []) > 1, name


def test_perfect_accuracy_has_a_place_on_the_curves() -> None:
    history = [{"epoch": 1, **ROW, "val_accuracy": 1.0}, {"epoch": 2, **ROW, "accuracy": 1.0}]
    figure = report.training_curves(history)
    errors = np.array([line.get_ydata() for line in figure.axes[1].lines], float)
    np.testing.assert_allclose(errors, np.array([[10, 0.001], [0.001, 8]]))
    report.png(figure)


def test_misread_digits_are_captioned_the_surest_first() -> None:
    made = outcome([1, 2, 3], [7, 2, 8])
    made.probabilities[2, 8] = 0.99
    figure = report.misread_digits(made)
    assert [text.get_text() for text in figure.axes[0].texts] == ["3 → 8 99%", "1 → 7 91%"]
    sheet = figure.axes[0].images[0].get_array()
    assert sheet is not None
    np.testing.assert_array_equal(sheet[8:36, 0:28], 255 - made.test.images[2].astype(float))  # ink dark on paper
    report.png(figure)


def test_confusion_matrix_has_the_truth_in_its_rows() -> None:
    figure = report.confusion_matrix(outcome(*MIXED))
    written = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert written == {(0, 0): "3", (1, 0): "1", (1, 1): "1", (7, 1): "1", (9, 9): "1"}  # (read as, is)
    report.png(figure)
