"""`python -m convert`: what it writes, what it will not write over, and how it fails."""

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import pytest

from convert.__main__ import main
from edge_runtime.inference import model_file
from tests import builds
from tests.commands import Call

FILES = [f"digits-{name}.tflite" for name in ("float32", "float16", "dynamic", "int8")]


@pytest.fixture
def trained(smoke_build: Path, tmp_path: Path) -> Path:
    """A folder as training leaves it."""
    folder = tmp_path / "trained"
    folder.mkdir()
    for name in ("digits.keras", "run.json"):
        shutil.copy(smoke_build / name, folder)
    return folder


def other_network(path: Path) -> None:
    keras.utils.set_random_seed(5)
    stack = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(10), keras.layers.Softmax()]
    keras.Sequential([keras.Input((28, 28)), *stack]).save(path)


def test_all_four_are_written_beside_the_network(trained: Path, smoke_build: Path, call: Call) -> None:
    done = call(main, trained)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [f"{trained / name}: {(trained / name).stat().st_size:,} bytes" for name in FILES]
    assert sorted(path.name for path in trained.iterdir()) == sorted([*FILES, "digits.keras", "run.json"])
    for name in FILES:
        assert model_file.read(trained / name).flatbuffer == model_file.read(smoke_build / name).flatbuffer


def test_one_recipe_of_one_network_into_another_folder(trained: Path, tmp_path: Path, call: Call) -> None:
    network = shutil.copy(trained / "digits.keras", tmp_path / "mine.keras")
    done = call(main, network, "--recipe", "dynamic", "--output", tmp_path / "deep" / "out")
    assert done.code == 0
    assert [path.name for path in (tmp_path / "deep" / "out").iterdir()] == ["digits-dynamic.tflite"]
    card = model_file.read(tmp_path / "deep" / "out" / "digits-dynamic.tflite").card
    assert card is not None
    assert card["training"] == {"recipe": None}  # nobody knows how it was trained


def test_same_model_may_be_written_again(trained: Path, call: Call) -> None:
    assert call(main, trained, "--recipe", "int8").code == 0
    before = (trained / "digits-int8.tflite").read_bytes()
    assert call(main, trained, "--recipe", "int8").code == 0
    assert (trained / "digits-int8.tflite").read_bytes() == before


def test_different_model_is_not_written_over_without_force(trained: Path, smoke_build: Path, call: Call) -> None:
    path = trained / "digits-int8.tflite"
    shutil.copy(smoke_build / path.name, path)
    before = path.read_bytes()
    other_network(trained / "digits.keras")
    line = call(main, trained, "--recipe", "int8").one_line(6)
    assert f"{path} is a different model: overwrite it with --force" in line
    assert path.read_bytes() == before
    assert call(main, trained, "--recipe", "int8", "--force").code == 0
    assert path.read_bytes() != before


def test_a_file_that_is_no_model_stays(trained: Path, call: Call) -> None:
    (trained / "digits-int8.tflite").write_text("my notes")
    assert "is a different model" in call(main, trained, "--recipe", "int8").one_line(6)
    assert (trained / "digits-int8.tflite").read_text() == "my notes"


# How it fails


@pytest.mark.slow  # TensorFlow starts in a process of its own, where it could write to standard error too
def test_garbage_for_a_network_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "garbage.keras").write_bytes(b"PK\x03\x04 garbage")
    line = builds.python("-m", "convert", tmp_path / "garbage.keras").one_line(4)  # TensorFlow's own start included
    assert f"cannot load {tmp_path / 'garbage.keras'}: " in line
    assert [path.name for path in tmp_path.iterdir()] == ["garbage.keras"]


def test_network_cut_short_is_one_line(trained: Path, call: Call) -> None:
    path = trained / "digits.keras"
    path.write_bytes(path.read_bytes()[:-5000])
    assert f"cannot load {path}: " in call(main, trained).one_line(4)


def test_an_unusable_network_is_one_line_without_output(tmp_path: Path, call: Call) -> None:
    stack = [keras.layers.Flatten(), keras.layers.Dense(10, "sigmoid", name="last")]
    keras.Sequential([keras.Input((28, 28)), *stack]).save(tmp_path / "mine.keras")
    line = call(main, tmp_path / "mine.keras").one_line(4)
    assert "layer last has the activation sigmoid" in line
    assert [path.name for path in tmp_path.iterdir()] == ["mine.keras"]


def test_missing_network_is_exit_code_2(tmp_path: Path, call: Call) -> None:
    done = call(main, tmp_path / "none.keras")
    assert (done.code, done.out) == (2, "")
    assert "none.keras' does not exist" in done.err


def test_network_of_other_classes_is_one_line(tmp_path: Path, call: Call) -> None:
    layers = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(7, activation="softmax")]
    keras.Sequential(layers).save(tmp_path / "seven.keras")
    assert "has 7 classes" in call(main, tmp_path / "seven.keras").one_line(4)


def test_folder_without_a_network_is_one_line(tmp_path: Path, call: Call) -> None:
    assert "digits.keras" in call(main, tmp_path).one_line(4)


@pytest.mark.parametrize("text", ["{", "[1]", "3", ""])
def test_damaged_run_json_is_one_line(text: str, trained: Path, call: Call) -> None:
    (trained / "run.json").write_text(text)
    line = call(main, trained, "--recipe", "float32").one_line(4)
    assert f"{trained / 'run.json'} is damaged" in line
    assert not (trained / "digits-float32.tflite").exists()


@pytest.mark.parametrize(("options", "named"), [(["--recipe", "int4"], "int4"), (["--fast"], "--fast"), ([], "KERAS")])
def test_wrong_option_is_exit_code_2(options: list[str], named: str, call: Call) -> None:
    assert named in call(main, *options).one_line(2)


def test_output_below_a_file_cannot_be_written(trained: Path, call: Call) -> None:
    assert "run.json" in call(main, trained, "--output", trained / "run.json" / "folder").one_line(6)


def test_help_names_every_option(call: Call) -> None:
    done = call(main, "--help")
    assert (done.code, done.err) == (0, "")
    assert all(word in done.out for word in ("KERAS", "--output", "--recipe", "--force", "float16", "int8"))


def test_cards_carry_the_run(trained: Path, call: Call) -> None:
    run: dict[str, Any] = json.loads((trained / "run.json").read_text())
    assert call(main, trained, "--recipe", "float16").code == 0
    card = model_file.read(trained / "digits-float16.tflite").card
    assert card is not None
    assert card["training"] == run
