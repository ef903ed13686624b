"""Every step of the release recipe, from a few pages: a network that knows what is no digit, calibrated and gated."""

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from benchmarks.__main__ import main
from convert import calibration, package, quantize
from convert.fold import fold
from convert.layers import Dense
from convert.recipes import CONVERSIONS
from edge_runtime import Classifier, DigitReader
from edge_runtime.bench import result
from edge_runtime.inference import model_file
from edge_runtime.sources.pictures import load
from edge_runtime.system.native_logs import stderr_silenced
from tests.builds import built
from tests.commands import Call
from train import crops, dataset
from train.recipes import RECIPES

pytestmark = pytest.mark.slow
PAGES = RECIPES["rehearsal"].mix.pages if RECIPES["rehearsal"].mix else 0


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("rehearsal"), "rehearsal")


@pytest.fixture
def copy(build: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(build, tmp_path / "build"))


def card(folder: Path) -> dict[str, Any]:
    return model_file.read(folder / "digits-int8.tflite").card or {}


def test_the_card_has_its_training_and_calibration(build: Path) -> None:
    model_card = card(build)
    assert model_card["labels"] == [*"0123456789", "not a digit"]
    assert model_card["training"]["recipe"]["mix"]["pages"] == PAGES
    fitted = model_card["training"]["calibration"]
    assert 0.2 < fitted["temperature"] < 5
    assert fitted["mnist_read"] > 0.9
    assert fitted["mnist_accepted"] == pytest.approx(0.99, abs=0.002)
    assert fitted["written_others_rejected"] > 0.3
    camera = model_card["calibration"]["camera"]
    assert camera["pages"] == PAGES
    assert 0 < camera["count"] <= 1000


def test_an_eleventh_output_tells_letters_from_digits(build: Path) -> None:
    written = crops.load("held_out", PAGES).written
    digits, letters = crops.parts(written)
    with Classifier(build / "digits-int8.tflite") as classifier:
        assert (classifier.digits, len(classifier.labels)) == (10, 11)
        none = [classifier.confidences(part.images)[:, 10] for part in (digits, letters)]
        mnist = classifier.confidences(dataset.load("held_out").images)
    assert none[1].mean() > 4 * none[0].mean()
    assert mnist[:, 10].mean() < 0.2
    assert mnist.sum(axis=1) == pytest.approx(np.ones(len(mnist)))


def test_the_reader_reads_digits_alone_with_it(build: Path, samples: Path) -> None:
    with DigitReader(build / "digits-int8.tflite", min_confidence=0) as reader:
        reading = reader.read(load(samples / "digit.png"))
        trace = reader.trace(load(samples / "paper.jpg"))
    assert len(reading.digits) == 1
    assert trace.confidences.shape[1] == 10
    assert all(label in "0123456789" for digit in trace.reading.digits for label, _ in digit.top)


def test_the_gate_passes_and_counts_rejections(copy: Path, call: Call) -> None:
    done = call(main, "parity", copy)
    assert done.code == 0, done.err
    assert "rejects alike" in done.out
    models = result.read(copy / "parity.json")["details"]["models"]
    assert all(98.5 <= model["rejection_agreement"] <= 100 for model in models.values())
    measured = card(copy)["measured"]
    assert measured["rejection_agreement"] == pytest.approx(models["int8"]["rejection_agreement"])


def test_a_model_that_rejects_otherwise_fails_the_gate(copy: Path, call: Call) -> None:
    # The output for what is no digit is raised: hardly a digit changes its label, but letters and digits are rejected.
    *layers, last = fold(keras.models.load_model(copy / "digits.keras"))
    bias = last.bias.copy()
    bias[10] += 4
    digits = calibration.choose(PAGES)
    with stderr_silenced():
        made = quantize.quantize([*layers, Dense(last.kernel, bias)], CONVERSIONS["int8"], digits.images)
    run = json.loads((copy / "run.json").read_text())
    about = package.card(CONVERSIONS["int8"], digits, run, model_file.LABELS)
    package.package(copy / "digits-int8.tflite", made, about)
    done = call(main, "parity", copy)
    assert done.code == 5
    assert "int8: rejects alike" in done.err
    assert "int8: calibration" in done.err
