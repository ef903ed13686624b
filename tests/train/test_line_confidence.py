import re
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.inference import model_file
from edge_runtime.pages.draw import Page, Placed, draw_page
from edge_runtime.pages.style import PageStyle
from edge_runtime.records import Box
from edge_runtime.vision.glyphs import logistic
from edge_runtime.vision.line_confidence import LineWeights
from tests.commands import Call
from train import dataset, line_confidence
from train.line_confidence import FEATURES, SIGNS, Sample, cost, cut_out, exact, fit

TRUE = LineWeights(bias=0.5, **{name: 0.7 * (sign or 1) for name, sign in SIGNS.items()})


def drawn(count: int, seed: int = 1) -> Sample:
    """Return lines of any features, which are right as likely as TRUE says."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 1, (count, len(FEATURES)))
    odds = features @ [getattr(TRUE, name) for name in FEATURES] + TRUE.bias
    digits = rng.uniform(0.5, 1, count)
    return Sample(features, digits, rng.random(count) < digits * logistic(odds))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copy(model_file.SHIPPED, tmp_path / "model.tflite"))


def lines_of(path: Path) -> LineWeights:
    with DigitReader(path) as reader:
        return reader.line_weights


def test_every_feature_has_a_sign() -> None:
    assert SIGNS.keys() == set(FEATURES)


def test_the_weights_that_made_the_lines_are_found() -> None:
    sample = drawn(20_000)
    fitted = fit(sample)
    assert fitted == pytest.approx(TRUE, abs=0.1)
    assert cost(sample, fitted) < cost(sample, TRUE._replace(odds=0.0))


def test_no_weight_has_a_forbidden_sign() -> None:
    sample = drawn(4000)
    sample.features[:, [FEATURES.index("odds"), FEATURES.index("gap")]] *= -1
    fitted = fit(sample)
    assert (fitted.odds, fitted.gap) == (0, 0)
    assert fit(drawn(4000)).gap < -0.5


def test_an_exact_line_has_one_lines_digits() -> None:
    digits = dataset.load("held_out")
    page = draw_page(digits.images[:8], digits.labels[:8], np.random.default_rng(1), PageStyle(digit_height=(40, 40)))
    with DigitReader() as reader:
        reading = reader.read(page.pixels)
    assert reading.text == page.text
    assert exact(reading, page.digits) == [True] * len(reading.lines)
    # One that was drawn and not read, one that was read and not drawn, and one that was read as another.
    assert exact(reading, page.digits[1:])[0] is False
    first, *rest = page.digits
    assert exact(reading, [first, replace(first, box=Box(0, 0, 9, 9)), *rest])[0] is False
    assert exact(reading, [replace(first, label="x"), *rest])[0] is False
    assert exact(reading, []) == [False] * len(reading.lines)


def test_pages_are_read_and_judged(model: Path) -> None:
    sample = line_confidence.gather(model, 4)
    assert sample.features.shape == (len(sample.right), len(FEATURES))
    assert len(sample.right) > 2
    again = line_confidence.gather(model, 4)
    assert np.array_equal(sample.features, again.features)


def test_a_piece_of_a_page_has_whole_digits() -> None:
    pixels = np.zeros((200, 300, 3), np.uint8)
    boxes = {4: Box(40, 50, 20, 40), 7: Box(200, 120, 30, 40)}
    for label, (x, y, width, height) in boxes.items():
        pixels[y : y + height, x : x + width] = label
    page = Page(pixels, tuple(Placed(str(label), box, line) for line, (label, box) in enumerate(boxes.items())))
    held = set()
    for seed in range(200):
        piece = cut_out(page, np.random.default_rng(seed))
        told = {int(digit.label): digit.box for digit in piece.digits}
        for label, box in boxes.items():
            shown = piece.pixels[:, :, 0] == label
            assert (np.count_nonzero(shown) >= 0.8 * box.width * box.height) == (label in told)
            if label in told:
                assert told[label] == cv2.boundingRect(shown.astype(np.uint8))
        held.add(tuple(told))
    assert held == {(), (4,), (7,)}


def test_the_command_prints_and_writes_the_weights(model: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = drawn(2000)
    monkeypatch.setattr(line_confidence, "gather", lambda *_: sample)
    before = model.read_bytes()
    done = call(line_confidence.main, "--model", model)
    assert done.code == 0, done.err
    for name in LineWeights._fields:
        assert re.search(rf"^{name} +-?\d+\.\d{{3}}$", done.out, re.MULTILINE), name
    assert model.read_bytes() == before
    assert call(line_confidence.main, "--model", model, "--write").code == 0
    assert lines_of(model) == pytest.approx(fit(sample), abs=1e-4)
    assert model_file.read(model).sha256 == model_file.read(model_file.SHIPPED).sha256
