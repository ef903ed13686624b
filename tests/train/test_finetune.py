"""Fine-tuning: the network answers as the model file does, and its weights before and after are averaged."""

import dataclasses
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from convert.recipes import CONVERSIONS
from edge_runtime import Classifier
from edge_runtime.errors import ModelError, OptionError
from edge_runtime.records import Uint8
from tests.benchmarks import tiny_build
from tests.commands import Call
from train import dataset, finetune, int8_file, loop, model
from train.__main__ import main
from train.recipes import Recipe

pytestmark = pytest.mark.usefixtures("few_digits")

TUNED = Recipe(name="tuned", hidden=(24, 16), epochs=1, batch_size=300, learning_rate=1e-3, kept=0.5, runs=2)


@pytest.fixture(scope="module")
def images() -> Uint8:
    return dataset.load("train").images[:1000]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, images: Uint8) -> Path:
    return tiny_build.write(tmp_path_factory.mktemp("finetune") / "build", images)


@pytest.fixture(scope="module")
def start(build: Path) -> Path:
    return build / "digits-int8.tflite"


def logits(network: keras.Sequential, images: Uint8) -> NDArray[np.float32]:
    return np.asarray(network(images.astype(np.float32)))


def test_the_network_answers_as_the_file_does(start: Path, images: Uint8) -> None:
    network = model.build(TUNED)
    finetune.initialize(network, start, images)
    answers = logits(network, images[:100])
    step = int8_file.read(start)[-1].answered
    with Classifier(start) as classifier:
        expected = (np.concatenate([classifier.scores(one[None]) for one in images[:100]]) - step.zero) * step.scale
    # The file rounds what every layer answers to one of 256 steps.
    assert np.abs(answers - expected).max() < 6 * step.scale
    assert np.corrcoef(answers.ravel(), expected.ravel())[0, 1] > 0.999


def test_batch_normalization_begins_with_what_it_measures(start: Path, images: Uint8) -> None:
    network = model.build(TUNED)
    finetune.initialize(network, start, images)
    training = np.asarray(network(images.astype(np.float32), training=True))
    assert training == pytest.approx(logits(network, images), abs=1e-3)
    first = keras.Sequential([keras.Input((28, 28)), *network.layers[:5]])
    spread = logits(first, images).std(axis=0)
    assert spread[spread > 0.1] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kept", [0.0, 0.25, 0.9])
def test_what_was_not_trained_is_its_own_average(start: Path, images: Uint8, kept: float) -> None:
    network = model.build(TUNED)
    before = finetune.initialize(network, start, images)
    average = finetune.average([network], before, kept)
    assert logits(average, images) == pytest.approx(logits(network, images), abs=1e-4)


def test_weights_are_averaged(start: Path, images: Uint8) -> None:
    network = model.build(TUNED)
    before = finetune.initialize(network, start, images)
    last = network.layers[-1]
    kernel, bias = last.get_weights()
    last.set_weights([kernel + 1, bias - 2])
    average = finetune.average([network], before, 0.75)
    made = average.layers[-1].get_weights()
    assert made[0] == pytest.approx(kernel + 0.25, abs=1e-5)
    assert made[1] == pytest.approx(bias - 0.5, abs=1e-5)


def test_several_runs_share_what_is_not_kept(start: Path, images: Uint8) -> None:
    networks = [model.build(TUNED) for _ in range(2)]
    for network, more in zip(networks, (2, 4), strict=True):
        before = finetune.initialize(network, start, images)
        kernel, bias = network.layers[-1].get_weights()
        network.layers[-1].set_weights([kernel, bias + more])
    average = finetune.average(networks, before, 0.5)
    assert average.layers[-1].get_weights()[1] == pytest.approx(bias + 1.5, abs=1e-5)


def test_a_file_of_other_layers_is_refused(start: Path, images: Uint8) -> None:
    network = model.build(dataclasses.replace(TUNED, hidden=(24, 17)))
    with pytest.raises(ModelError, match=r"digits-int8\.tflite has layers of .*, which differ from the recipe"):
        finetune.initialize(network, start, images)


@pytest.mark.slow
def test_training_goes_on_from_the_file(start: Path, tmp_path: Path, images: Uint8) -> None:
    network, history, _ = loop.adapt(TUNED, 1, tmp_path / "one", resume=False, start=start)
    anew = loop.fit(dataclasses.replace(TUNED, kept=0.0, runs=1), 1, tmp_path / "anew", resume=False)
    assert [type(layer) for layer in network.layers[2:]] == [keras.layers.Dense, keras.layers.ReLU] * 2 + [
        keras.layers.Dense
    ]
    assert [row["epoch"] for row in history] == [1, 2]  # of both runs
    assert not np.array_equal(logits(network, images), logits(anew.network, images))
    again = loop.adapt(TUNED, 1, tmp_path / "two", resume=False, start=start)
    assert np.array_equal(logits(network, images), logits(again.network, images))


@pytest.mark.slow
def test_an_interrupted_training_ends_with_the_same_weights(start: Path, tmp_path: Path, images: Uint8) -> None:
    whole = loop.adapt(TUNED, 1, tmp_path, resume=False, start=start)
    shutil.rmtree(tmp_path / f"{loop.RUN}2")  # as if it had been interrupted after the first run
    again = loop.adapt(TUNED, 1, tmp_path, resume=True, start=start)
    assert again.history[0] == whole.history[0]  # read from its checkpoint, the seconds that it took included
    assert again.history[1]["loss"] == whole.history[1]["loss"]
    assert np.array_equal(logits(whole.network, images), logits(again.network, images))


@pytest.mark.slow
def test_a_run_continues_only_its_own_start(start: Path, tmp_path: Path, images: Uint8) -> None:
    loop.adapt(TUNED, 1, tmp_path / "out", resume=False, start=start)
    other = tmp_path / "other.tflite"
    tiny_build.write_converted(
        other, tiny_build.network(), CONVERSIONS["int8"], images[:50]
    )  # other ranges, other bytes
    with pytest.raises(OptionError, match="belongs to another recipe, seed, start or number of epochs"):
        loop.adapt(TUNED, 1, tmp_path / "out", resume=True, start=other)


def test_other_recipes_take_no_start(start: Path, tmp_path: Path, call: Call) -> None:
    done = call(main, "--recipe", "smoke", "--start", start, "--output", tmp_path / "out")
    assert done.code == 2
    assert "the recipe smoke does not fine-tune a model file" in done.err
    assert not (tmp_path / "out").exists()
