"""Conversion, recipe by recipe: what the flatbuffers hold, what is refused, and what travels with them."""

import dataclasses
import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from convert import calibration, package, quantize
from convert.calibration import Calibration
from convert.equalize import equalize
from convert.fold import UnusableModel, fold
from convert.layers import Layer
from convert.recipes import CONVERSIONS, Conversion
from convert.rounding import round_weights
from convert.verify import verify
from edge_runtime.inference import model_file
from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.contract import CONTRACT_VERSION
from edge_runtime.system.native_logs import stderr_silenced
from tests import flatbuffers as flatbuffers_of
from train import dataset

NAMES = list(CONVERSIONS)


@pytest.fixture(scope="module")
def dense(smoke_build: Path) -> list[Layer]:
    return equalize(fold(keras.models.load_model(smoke_build / "digits.keras")))


@pytest.fixture(scope="module")
def chosen() -> Calibration:
    return calibration.choose()


@pytest.fixture(scope="module")
def flatbuffers(smoke_build: Path) -> dict[str, bytes]:
    """The flatbuffers that `python -m convert` made, in another process."""
    return {name: model_file.read(smoke_build / f"digits-{name}.tflite").flatbuffer for name in NAMES}


@pytest.fixture(scope="module")
def per_channel(dense: Sequence[Layer], chosen: Calibration) -> bytes:
    return flatbuffers_of.per_channel(dense, chosen.images)


def interpreter(flatbuffer: bytes) -> Interpreter:
    with stderr_silenced():
        made = Interpreter(model_content=flatbuffer)
        made.allocate_tensors()
    return made


def kernel_scales(flatbuffer: bytes) -> list[int]:
    """Return how many different scales each dense layer's int8 kernel has."""
    tensors = interpreter(flatbuffer).get_tensor_details()
    kernels = [tensor for tensor in tensors if tuple(tensor["shape"]) in ((128, 784), (10, 128))]
    assert [tensor["dtype"] for tensor in kernels] == [np.int8, np.int8]
    return sorted(len(np.unique(tensor["quantization_parameters"]["scales"])) for tensor in kernels)


# Flatbuffers


@pytest.mark.parametrize("name", NAMES)
def test_converting_twice_gives_the_same_bytes(
    name: str, dense: Sequence[Layer], chosen: Calibration, flatbuffers: dict[str, bytes]
) -> None:
    layers = round_weights(dense, chosen.images) if CONVERSIONS[name].weights == "int8" else dense
    with stderr_silenced():
        again = quantize.quantize(layers, CONVERSIONS[name], chosen.images)
    assert again == flatbuffers[name]


@pytest.mark.parametrize(
    ("name", "taken", "answered"),
    [
        ("float32", np.float32, np.float32),
        ("float16", np.float32, np.float32),
        ("dynamic", np.float32, np.float32),
        ("int8", np.uint8, np.int8),
    ],
)
def test_graph_takes_pixels_and_answers_with_logits(
    name: str, taken: type, answered: type, flatbuffers: dict[str, bytes]
) -> None:
    made = interpreter(flatbuffers[name])
    input_details, output_details = made.get_input_details()[0], made.get_output_details()[0]
    assert (input_details["dtype"], output_details["dtype"]) == (taken, answered)
    assert input_details["shape_signature"].tolist() == [-1, 28, 28]
    assert output_details["shape_signature"].tolist() == [-1, 10]


def test_int8_graph_is_integer_and_takes_bytes(flatbuffers: dict[str, bytes]) -> None:
    made = interpreter(flatbuffers["int8"])
    assert {tensor["dtype"] for tensor in made.get_tensor_details()} <= {np.int8, np.uint8, np.int32}
    assert made.get_input_details()[0]["quantization"] == (1.0, 0)


@pytest.mark.parametrize(("name", "bytes_each"), [("float32", 4.0), ("float16", 2.0), ("dynamic", 1.0), ("int8", 1.0)])
def test_weights_take_the_room_they_should(name: str, bytes_each: float, flatbuffers: dict[str, bytes]) -> None:
    weights = 784 * 128 + 128 * 10
    assert 0 < len(flatbuffers[name]) - bytes_each * weights < 12_000


@pytest.mark.parametrize(("name", "close"), [("float32", 1e-3), ("float16", 0.05), ("dynamic", 0.3), ("int8", 1.0)])
def test_logits_are_those_of_the_folded_layers(
    name: str, close: float, smoke_build: Path, dense: Sequence[Layer], chosen: Calibration
) -> None:
    images = dataset.load("test").images[:300]
    values = np.maximum(images.reshape(300, 784).astype(np.float64) @ dense[0].kernel + dense[0].bias, 0)
    expected = values @ dense[1].kernel + dense[1].bias
    with Classifier(smoke_build / f"digits-{name}.tflite") as classifier:
        scores = classifier.scores(images).astype(np.float64)
        scale, zero = interpreter(classifier.model.flatbuffer).get_output_details()[0]["quantization"]
        confidences = classifier.confidences(images)
    logits = (scores - zero) * (scale or 1)
    assert np.abs(logits - expected).max() < close
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(confidences, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)


def test_kernels_have_one_scale(flatbuffers: dict[str, bytes], per_channel: bytes) -> None:
    assert kernel_scales(flatbuffers["int8"]) == [1, 1]
    assert kernel_scales(flatbuffers["dynamic"]) == [1, 1]
    assert kernel_scales(per_channel) == [10, 128]


# Verification


@pytest.mark.parametrize("claimed", NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_flatbuffer_is_taken_for_nothing_else(name: str, claimed: str, flatbuffers: dict[str, bytes]) -> None:
    if name == claimed:
        verify(flatbuffers[name], CONVERSIONS[claimed])
        return
    with pytest.raises(UnusableModel, match=f"the {claimed} model "):
        verify(flatbuffers[name], CONVERSIONS[claimed])


def test_float_tensors_of_an_int8_model_are_named(flatbuffers: dict[str, bytes]) -> None:
    with pytest.raises(UnusableModel, match=r"the int8 model contains tensors that are not integers: .*pixels"):
        verify(flatbuffers["dynamic"], CONVERSIONS["int8"])


def test_scales_for_each_output_are_refused(per_channel: bytes) -> None:
    with pytest.raises(UnusableModel, match="the int8 model contains kernels with a scale for each output"):
        verify(per_channel, CONVERSIONS["int8"])


def test_int8_takes_raw_bytes_whatever_the_calibration_digits(dense: Sequence[Layer], chosen: Calibration) -> None:
    with stderr_silenced():
        flatbuffer = quantize.quantize(dense, CONVERSIONS["int8"], chosen.images[:100] // 2)
    verify(flatbuffer, CONVERSIONS["int8"])
    assert interpreter(flatbuffer).get_input_details()[0]["quantization"] == (1.0, 0)


def test_calibration_digits_set_the_ranges_of_activations(dense: Sequence[Layer], chosen: Calibration) -> None:
    values = chosen.images.reshape(len(chosen.images), -1) @ dense[0].kernel + dense[0].bias
    with stderr_silenced():
        flatbuffer = quantize.quantize(dense, CONVERSIONS["int8"], chosen.images)
    made = interpreter(flatbuffer)
    between = [tensor["quantization"] for tensor in made.get_tensor_details() if tuple(tensor["shape"]) == (1, 128)]
    assert between == [(pytest.approx(values.max() / 255, rel=1e-4), -128)]


def test_integer_activations_need_integer_weights() -> None:
    with pytest.raises(ValueError, match="integer activations need int8 weights"):
        Conversion(name="impossible", weights="float32", activations="int8")
    with pytest.raises(ValueError, match="integer activations need int8 weights"):
        dataclasses.replace(CONVERSIONS["float16"], activations="int8")


def test_four_conversions_each_with_its_file() -> None:
    assert {name: conversion.file_name for name, conversion in CONVERSIONS.items()} == {
        "float32": "digits-float32.tflite",
        "float16": "digits-float16.tflite",
        "dynamic": "digits-dynamic.tflite",
        "int8": "digits-int8.tflite",
    }


# Calibration


def test_calibration_is_of_training_digits_alone(chosen: Calibration) -> None:
    assert chosen.images.shape == (1000, 28, 28)
    assert chosen.images.dtype == np.uint8
    assert len(np.unique(chosen.indices)) == 1000
    assert chosen.indices.min() >= 0
    assert chosen.indices.max() < 50_000
    np.testing.assert_array_equal(chosen.images, dataset.load("all_train").images[chosen.indices])


def test_calibration_is_fixed_and_has_every_digit(chosen: Calibration) -> None:
    np.testing.assert_array_equal(calibration.choose().indices, chosen.indices)
    assert np.bincount(dataset.load("train").labels[chosen.indices], minlength=10).min() > 60
    assert (chosen.images.min(), chosen.images.max()) == (0, 255)


# The card


@pytest.fixture(scope="module")
def card(smoke_build: Path) -> dict[str, Any]:
    with zipfile.ZipFile(smoke_build / "digits-int8.tflite") as archive:
        return dict(json.loads(archive.read("card.json")))


def test_card_says_what_the_model_takes_and_answers(card: dict[str, Any], smoke_build: Path) -> None:
    assert card["contract"] == CONTRACT_VERSION
    assert card["labels"] == list("0123456789")
    assert card["input"]["shape"] == [None, 28, 28]
    assert card["output"] == "logits"
    assert 0 < card["thresholds"]["min_confidence"] < 1
    with zipfile.ZipFile(smoke_build / "digits-int8.tflite") as archive:
        assert archive.read("labels.txt").decode().split() == list("0123456789")


def test_card_says_how_the_model_was_quantized(smoke_build: Path) -> None:
    for name in NAMES:
        quantization = (model_file.read(smoke_build / f"digits-{name}.tflite").card or {})["quantization"]
        assert quantization == dataclasses.asdict(CONVERSIONS[name])


def test_card_names_the_calibration_digits(card: dict[str, Any], chosen: Calibration, smoke_build: Path) -> None:
    record = card["calibration"]
    assert record["split"] == "train"
    assert record["count"] == len(record["indices"]) == 1000
    assert record["indices"] == chosen.indices.tolist()
    packed = np.array(record["indices"], "<i8").tobytes()
    assert record["indices_sha256"] == hashlib.sha256(packed).hexdigest()
    redrawn = np.random.default_rng(record["seed"]).choice(50_000, record["count"], replace=False)
    assert sorted(redrawn.tolist()) == record["indices"]
    for name in ("float32", "float16", "dynamic"):
        assert (model_file.read(smoke_build / f"digits-{name}.tflite").card or {})["calibration"] is None


def test_card_carries_the_training_run(card: dict[str, Any], smoke_build: Path) -> None:
    assert card["training"] == json.loads((smoke_build / "run.json").read_text())
    assert card["training"]["data"]["sha256"] == dataset.SHA256
    assert {"tensorflow", "ai-edge-litert", "numpy"} <= set(card["versions"])
    assert card["measured"] is None  # until the gate was passed


def test_card_knows_its_flatbuffer(card: dict[str, Any], flatbuffers: dict[str, bytes], smoke_build: Path) -> None:
    data = (smoke_build / "digits-int8.tflite").read_bytes()
    assert data.startswith(flatbuffers["int8"])
    assert card["flatbuffer"]["bytes"] == len(flatbuffers["int8"]) < len(data)
    assert card["flatbuffer"]["sha256"] == hashlib.sha256(flatbuffers["int8"]).hexdigest()


# Golden vectors and the file


@pytest.mark.parametrize("name", NAMES)
def test_golden_vectors_replay_exactly(name: str, smoke_build: Path) -> None:
    with Classifier(smoke_build / f"digits-{name}.tflite") as classifier:
        golden = classifier.model.golden()
        assert golden["inputs"].shape == (26, 28, 28)
        assert golden["outputs"].shape == (26, 10)
        for image, expected in zip(golden["inputs"], golden["outputs"], strict=True):
            np.testing.assert_array_equal(classifier.scores(image[None])[0], expected)


def test_golden_inputs_cover_each_class_and_none(smoke_build: Path) -> None:
    inputs = package.golden_inputs()
    np.testing.assert_array_equal(inputs, package.golden_inputs())
    train = dataset.load("train")
    labels = {image.tobytes(): label for image, label in zip(train.images, train.labels.tolist(), strict=True)}
    assert [labels.get(image.tobytes()) for image in inputs[:20]] == [label for label in range(10) for _ in range(2)]
    assert all(image.tobytes() not in labels for image in inputs[20:])
    assert len(np.unique(inputs.reshape(26, -1), axis=0)) == 26


def test_packing_twice_gives_the_same_single_file(
    flatbuffers: dict[str, bytes], chosen: Calibration, tmp_path: Path
) -> None:
    about = package.card(CONVERSIONS["int8"], chosen, {"recipe": None})
    for name in ("one.tflite", "two.tflite"):
        package.package(tmp_path / name, flatbuffers["int8"], about)
    assert (tmp_path / "one.tflite").read_bytes() == (tmp_path / "two.tflite").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.tflite", "two.tflite"]


def test_model_that_cannot_run_leaves_no_file(chosen: Calibration, tmp_path: Path) -> None:
    garbage = b"\x1c\0\0\0TFL3" + b"\xff" * 100
    with pytest.raises(ValueError, match="garbage"):
        package.package(tmp_path / "garbage.tflite", garbage, package.card(CONVERSIONS["int8"], chosen, {}))
    assert list(tmp_path.iterdir()) == []
