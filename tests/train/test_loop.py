"""Training: the same seed gives the same weights, bit for bit, also after an interruption."""

import csv
import dataclasses
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.errors import OptionError
from tests.builds import FEW, ROOT, few
from train import dataset, loop, model
from train.checkpoint import Row
from train.recipes import Augmentation, Convolution, Recipe

pytestmark = pytest.mark.usefixtures("few_digits")

QUICK = Recipe(name="quick", hidden=(8,), epochs=2, batch_size=300)
DISTORTED = Recipe(name="distorted", hidden=(8,), epochs=3, batch_size=300, augmentation=Augmentation())
REFITTED = dataclasses.replace(DISTORTED, refit=2)
CONVOLUTIONAL = Recipe(
    name="convolutional", convolutions=(Convolution(filters=4, size=5, stride=4, pool=2),), epochs=2, batch_size=100
)
TUTORIAL = Recipe(name="tutorial", hidden=(8,), epochs=3, batch_size=400, learning_rate=1e-3, tutorial=True)

Weights = list[NDArray[np.float32]]
Rows = list[Row]


def fit(recipe: Recipe, seed: int, folder: Path, resume: bool = False) -> tuple[Weights, Rows]:
    network, history, *_ = (loop.fit_article if recipe.tutorial else loop.fit)(recipe, seed, folder, resume)
    return network.get_weights(), history


def same(one: Weights, other: Weights) -> bool:
    return [a.tobytes() for a in one] == [b.tobytes() for b in other]


def without_seconds(history: Rows) -> Rows:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Weights, Rows, Path]:
    folder = tmp_path_factory.mktemp("quick")
    return *fit(QUICK, 1, folder), folder


@pytest.fixture(scope="module")
def refitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Weights, Rows]:
    return fit(REFITTED, 1, tmp_path_factory.mktemp("refitted"))


def test_same_seed_gives_the_same_weights_and_history(quick: tuple[Weights, Rows, Path], tmp_path: Path) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(b"left over: without resume, nobody reads it")
    weights, history = fit(QUICK, 1, tmp_path)
    assert same(weights, quick[0])
    assert without_seconds(history) == without_seconds(quick[1])


def test_convolutions_train_and_resume_like_dense_layers(tmp_path: Path) -> None:
    weights, history = fit(CONVOLUTIONAL, 1, tmp_path)
    assert weights[0].shape == (5, 5, 1, 4)
    assert history[1]["loss"] < history[0]["loss"]
    again, _ = fit(CONVOLUTIONAL, 1, tmp_path, resume=True)  # everything is in the checkpoint
    assert same(again, weights)


def test_another_seed_gives_other_weights(quick: tuple[Weights, Rows, Path], tmp_path: Path) -> None:
    weights, history = fit(QUICK, 2, tmp_path, resume=True)  # there is nothing to go on from
    assert [row["epoch"] for row in history] == [1, 2]
    assert not any(np.array_equal(one, other) for one, other in zip(weights, quick[0], strict=True))


def test_history_has_a_row_for_each_epoch(quick: tuple[Weights, Rows, Path]) -> None:
    _, history, _ = quick
    assert [tuple(row) for row in history] == [loop.HISTORY_COLUMNS] * 2
    assert [row["epoch"] for row in history] == [1, 2]
    assert history[1]["loss"] < history[0]["loss"]
    assert 0.1 < history[0]["accuracy"] < history[1]["accuracy"] < 1
    assert all(row["seconds"] > 0 for row in history)


def test_validation_is_on_the_held_out_digits(quick: tuple[Weights, Rows, Path]) -> None:
    weights, history, _ = quick
    network = model.build(QUICK)
    network.set_weights(weights)
    images, labels = dataset.load("held_out")
    right = np.argmax(network(images), axis=1) == labels
    assert history[-1]["val_accuracy"] == pytest.approx(right.mean(), abs=1e-4)


def test_learning_rate_warms_up_and_ends_at_nothing(quick: tuple[Weights, Rows, Path]) -> None:
    steps, warm_up = 2 * (FEW // QUICK.batch_size), 3
    first = 0.5 * (1 + math.cos(math.pi * (steps // 2 - warm_up) / (steps - warm_up)))
    assert quick[1][0]["learning_rate"] == pytest.approx(QUICK.learning_rate * first, rel=1e-3)
    assert quick[1][1]["learning_rate"] == pytest.approx(0, abs=1e-9)


def test_finished_run_is_resumed_without_another_epoch(quick: tuple[Weights, Rows, Path], tmp_path: Path) -> None:
    shutil.copy(quick[2] / "checkpoint.npz", tmp_path)
    weights, history = fit(QUICK, 1, tmp_path, resume=True)
    assert same(weights, quick[0])
    assert history == quick[1]


@pytest.mark.parametrize(
    ("recipe", "seed"),
    [
        (QUICK, 2),
        (dataclasses.replace(QUICK, hidden=(9,)), 1),
        (dataclasses.replace(QUICK, epochs=3), 1),
        (dataclasses.replace(QUICK, augmentation=Augmentation()), 1),
    ],
    ids=["seed", "network", "epochs", "distortions"],
)
def test_checkpoint_of_another_run_is_refused(
    quick: tuple[Weights, Rows, Path], recipe: Recipe, seed: int, tmp_path: Path
) -> None:
    shutil.copy(quick[2] / "checkpoint.npz", tmp_path)
    before = (tmp_path / "checkpoint.npz").read_bytes()
    with pytest.raises(OptionError, match=r"\A.*checkpoint.npz belongs to another recipe, seed, start or"):
        fit(recipe, seed, tmp_path, resume=True)
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_damaged_checkpoint_is_one_clear_line(quick: tuple[Weights, Rows, Path], keep: int, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.npz").write_bytes((quick[2] / "checkpoint.npz").read_bytes()[:keep])
    with pytest.raises(OptionError, match=r"\Acannot resume from .*checkpoint.npz.*remove it to start again\Z"):
        fit(QUICK, 1, tmp_path, resume=True)


# A process that dies, as from a power cut, right after a checkpoint.
DIE = """
import os, signal, sys
from pathlib import Path
from tests.builds import few
from tests.train.test_loop import REFITTED
from train import dataset, loop
from train.checkpoint import Checkpoint

dataset.load = few
save = Checkpoint.save
def save_and_die(checkpoint, network):
    save(checkpoint, network)
    if len(checkpoint.history) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

Checkpoint.save = save_and_die
loop.fit(REFITTED, 1, Path(sys.argv[1]), False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 3, 4], ids=["at first", "before refitting", "refitting"])
def test_a_killed_run_resumes_to_the_same_bits(epoch: int, refitted: tuple[Weights, Rows], tmp_path: Path) -> None:
    command = [sys.executable, "-c", DIE, str(tmp_path), str(epoch)]
    killed = subprocess.run(command, cwd=ROOT, stderr=subprocess.DEVNULL, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]
    resumed, history = fit(REFITTED, 1, tmp_path, resume=True)
    assert same(resumed, refitted[0])
    assert str(without_seconds(history)) == str(without_seconds(refitted[1]))  # as text: nan is not itself
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_the_last_epochs_use_held_out_digits(
    refitted: tuple[Weights, Rows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, history = refitted
    before, so_far = fit(DISTORTED, 1, tmp_path)
    assert str(without_seconds(history[:3])) == str(without_seconds(so_far))
    assert not same(weights, before)
    # A digit that is trained on says nothing of others.
    assert [math.isnan(row["val_accuracy"]) for row in history] == [False] * 3 + [True] * 2
    # The learning rate goes up once more, then down to nothing.
    assert history[2]["learning_rate"] == pytest.approx(0, abs=1e-9)
    assert history[3]["learning_rate"] > 1e-4
    assert history[4]["learning_rate"] == pytest.approx(0, abs=1e-9)
    loaded: list[str] = []

    def load(split: dataset.Split) -> dataset.Digits:
        loaded.append(split)
        return few(split)

    monkeypatch.setattr(dataset, "load", load)
    fit(REFITTED, 1, tmp_path / "again")
    assert [split for split in loaded if split != "held_out"] == ["train", "all_train"]


def test_tutorial_validates_on_a_fifth_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, history = fit(dataclasses.replace(TUTORIAL, epochs=1), 1, tmp_path)
    assert "10/10" in capsys.readouterr().out  # batches of 400 in four fifths of 5,000 digits
    assert set(history[0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
    with pytest.raises(OptionError, match="belongs to another"):
        fit(TUTORIAL, 1, tmp_path, resume=True)
    _, whole = fit(TUTORIAL, 1, tmp_path)
    _, resumed = fit(TUTORIAL, 1, tmp_path, resume=True)
    assert [row["epoch"] for row in whole] == [1, 2, 3]
    assert whole[2]["val_accuracy"] > whole[0]["val_accuracy"] > 0.1
    assert resumed == whole


@pytest.mark.parametrize("recipe", [QUICK, DISTORTED], ids=["as they are", "distorted"])
def test_every_epoch_shuffles_and_distorts_whole_batches(recipe: Recipe) -> None:
    images, labels = few("train")
    epochs = [digits for _, digits in loop._epochs(recipe, 1, dataset.Digits(images, labels), [], 0, recipe.epochs)]
    whole = FEW // recipe.batch_size * recipe.batch_size
    assert [len(x) for x, _ in epochs] == [len(y) for _, y in epochs] == [whole] * recipe.epochs
    (first, first_labels), (second, second_labels) = epochs[:2]
    assert (first_labels != second_labels).mean() > 0.8
    of_first, of_second = ({image.tobytes() for image in epoch} for epoch in (first, second))
    if recipe.augmentation:
        assert len(of_first & of_second) < 50  # no two distortions are the same, but for thin digits by chance
    else:
        label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
        assert [label_of[image.tobytes()] for image in first] == first_labels.tolist()
        assert len(of_first - of_second) > 0  # what the last batch had no room for


def test_history_is_written_as_csv(tmp_path: Path) -> None:
    loop.write_history(tmp_path / "history.csv", [{"epoch": 1, "loss": 0.25}, {"epoch": 2, "loss": 0.125}])
    with (tmp_path / "history.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["epoch", "loss"], ["1", "0.25"], ["2", "0.125"]]


# The networks


def test_networks_take_pixels_and_answer_with_ten_probabilities() -> None:
    images = dataset.load("test").images[:50]
    for network in (
        model.with_probabilities(model.build(QUICK)),
        model.with_pixels(model.build_article(TUTORIAL)),
    ):
        assert network.input_shape == (None, 28, 28)
        probabilities = np.asarray(network(images))
        assert probabilities.shape == (50, 10)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_the_tutorials_network_sees_flat_pixels() -> None:
    bare = model.build_article(TUTORIAL)
    images = dataset.load("test").images[:50]
    expected = np.asarray(bare(images.reshape(50, 784).astype(np.float32) / 255))
    np.testing.assert_allclose(np.asarray(model.with_pixels(bare)(images)), expected, atol=1e-6)


def test_one_hot_marks_the_label() -> None:
    assert model.one_hot(np.array([3, 0], np.uint8)).tolist() == [[0, 0, 0, 1] + [0] * 6, [1] + [0] * 9]


def test_hidden_layers_are_dense_normalized_and_rectified() -> None:
    network = model.build(dataclasses.replace(QUICK, hidden=(8, 7)))
    kinds = [type(layer) for layer in network.layers]
    block = [keras.layers.Dense, keras.layers.BatchNormalization, keras.layers.ReLU]
    assert kinds == [keras.layers.Rescaling, keras.layers.Flatten, *block, *block, keras.layers.Dense]
    assert network.count_params() == 784 * 8 + 4 * 8 + 8 * 7 + 4 * 7 + 7 * 10 + 10
