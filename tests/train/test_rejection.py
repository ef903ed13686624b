import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.inference import model_file
from edge_runtime.pages.draw import draw_page
from edge_runtime.pages.style import PageStyle
from edge_runtime.records import Box
from edge_runtime.vision.glyphs import logistic
from edge_runtime.vision.weights import Weights
from tests.commands import Call
from train import dataset, rejection
from train.fitting import balance
from train.rejection import FEATURES, Sample, cost, fit

TRUE = Weights(bias=-0.5, digit=0.6, stroke=-1.2, piece=-0.7, stroke_piece=-0.5, size=-3.0, pale=1.5, pen=-2.0,
               stroke_pen=-1.0, attached=-1.0, stroke_attached=-0.4, alone=0.5, plane=0.3)  # fmt: skip


def drawn(count: int, seed: int = 1) -> Sample:
    """Return glyphs of any features, of which digits are drawn by the very odds that TRUE gives them."""
    rng = np.random.default_rng(seed)
    features, prior = rng.normal(0, 1, (count, len(FEATURES))), rng.normal(0, 1, count)
    odds = features @ [getattr(TRUE, name) for name in FEATURES] + TRUE.bias + prior
    return Sample(features, prior, rng.random(count) < logistic(odds))


def weights_of(path: Path) -> Weights:
    with DigitReader(path) as reader:
        return reader.weights


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copy(model_file.SHIPPED, tmp_path / "model.tflite"))


def test_every_weight_has_a_feature_but_the_bias() -> None:
    assert {*FEATURES, "bias"} == set(Weights._fields)


def test_the_weights_that_made_the_labels_are_found() -> None:
    sample = drawn(20_000)
    fitted = fit(sample)
    for name in FEATURES:
        assert getattr(fitted, name) == pytest.approx(getattr(TRUE, name), abs=0.2), name
    assert cost(sample, fitted) < cost(sample, TRUE._replace(size=0.0))
    assert fit(sample) == fitted


def test_the_prior_counts_as_it_is() -> None:
    # A feature that says once more what the prior says has nothing to add; one that says the contrary takes it back.
    sample = drawn(20_000)
    shifted = sample._replace(prior=sample.prior + sample.features[:, 0])
    assert getattr(fit(shifted), FEATURES[0]) == pytest.approx(getattr(fit(sample), FEATURES[0]) - 1, abs=1e-2)


def test_digits_and_others_weigh_the_same() -> None:
    sample = drawn(4000)
    twice = np.r_[np.flatnonzero(sample.digit), np.arange(4000)]
    more = Sample(sample.features[twice], sample.prior[twice], sample.digit[twice])
    assert fit(more) == pytest.approx(fit(sample), abs=1e-3)
    assert balance(more.digit)[more.digit].sum() == pytest.approx(0.5)
    assert balance(more.digit).sum() == pytest.approx(1)


def test_nothing_runs_away_where_a_feature_tells_all() -> None:
    sample = drawn(200)
    sample.features[:, 0] = np.where(sample.digit, 3.0, -3.0)
    assert all(abs(value) < 20 for value in fit(sample))


def test_glyphs_are_labeled_by_truth_without_doubt() -> None:
    digits = dataset.load("held_out")
    look = PageStyle(digit_height=(40, 40), distractors=(("words", 3),))
    page = draw_page(digits.images[:8], digits.labels[:8], np.random.default_rng(1), look)
    truth = [digit.box for digit in page.digits]
    with DigitReader() as reader:
        trace = reader.trace(page.pixels)
        glyphs = trace.glyphs
    before = weights_of(model_file.SHIPPED)
    sample = rejection.labeled(trace, glyphs, before, truth)
    assert len(glyphs) == len(trace.chosen)
    assert sample.features.shape == (len(sample.digit), len(FEATURES))
    assert sample.digit.sum() >= 7
    assert (~sample.digit).sum() >= 3
    assert sample.features[sample.digit, FEATURES.index("digit")].mean() > 3
    # Where the page model is mistaken about the size of digits, nothing can be learned.
    small = [Box(box.x, box.y, box.width // 3, box.height // 3) for box in truth]
    assert len(rejection.labeled(trace, glyphs, before, small).digit) == 0
    # Of digits two thirds of which are in the box nobody knows whether they are whole.
    higher = [Box(box.x, box.y - box.height // 2, box.width, box.height * 3 // 2) for box in truth]
    assert len(rejection.labeled(trace, glyphs, before, higher).digit) < len(sample.digit)


def test_a_page_without_anything_adds_nothing() -> None:
    with DigitReader() as reader:
        trace = reader.trace(np.full((60, 80), 230, np.uint8))
        sample = rejection.labeled(trace, trace.glyphs, reader.weights, [])
    assert sample.features.shape == (0, len(FEATURES))
    assert len(sample.prior) == len(sample.digit) == 0


@pytest.mark.slow
def test_the_command_prints_a_table_and_writes_nothing(model: Path, call: Call) -> None:
    before = model.read_bytes()
    done = call(rejection.main, "--pages", 4, "--model", model)
    assert done.code == 0, done.err
    for name in Weights._fields:
        assert re.search(rf"^{name} +-?\d+\.\d{{3}} +-?\d+\.\d{{3}}$", done.out, re.MULTILINE), name
    assert "on 4 pages" in done.out
    assert model.read_bytes() == before


@pytest.mark.parametrize("everything", [False, True])
def test_what_is_asked_for_is_written(
    model: Path, call: Call, monkeypatch: pytest.MonkeyPatch, everything: bool
) -> None:
    sample = drawn(2000)
    monkeypatch.setattr(rejection, "gather", lambda *_: sample)
    before, fitted = weights_of(model), fit(sample)
    done = call(rejection.main, "--model", model, "--write", *(["--all"] if everything else []))
    assert done.code == 0, done.err
    expected = (
        fitted if everything else fitted._replace(**{name: getattr(before, name) for name in rejection.OPERATING_POINT})
    )
    assert weights_of(model) == pytest.approx(expected, abs=1e-4)
    assert model_file.read(model).sha256 == model_file.read(model_file.SHIPPED).sha256
    with DigitReader(model) as reader:
        assert reader.read(np.full((60, 80), 230, np.uint8)).text == ()


def test_without_a_card_shipped_weights_are_first(model: Path) -> None:
    bare = model.with_name("bare.tflite")
    bare.write_bytes(model_file.read(model).flatbuffer)
    assert weights_of(bare) == weights_of(model_file.SHIPPED)
