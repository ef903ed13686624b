"""Models that others made: other shapes and types, probabilities. Only TensorFlow can make them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime import Classifier, DigitReader
from edge_runtime.errors import ModelError, OptionError
from edge_runtime.records import Uint8

tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.filterwarnings("default")  # whatever TensorFlow has to say

WEIGHTS = np.random.default_rng(1).normal(0, 1 / 28, (784, 10)).astype(np.float32)


def flatbuffer(
    shape: tuple[int | None, ...],
    call: Callable[[Any], Any],
    kind: Any = tf.float32,
    samples: list[np.ndarray[Any, Any]] | None = None,
    integers: Any = None,
) -> bytes:
    """Convert a function of one tensor; with `samples`, to whole integers of type `integers`."""
    module = tf.Module()
    function = tf.function(call, input_signature=[tf.TensorSpec(shape, kind)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], module)
    if samples is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = integers
    return bytes(converter.convert())


def dense(values: Any) -> Any:
    return tf.matmul(tf.reshape(values, (-1, 784)), WEIGHTS)


def expected_logits(images: Uint8) -> np.ndarray[Any, Any]:
    return np.asarray(images.reshape(-1, 784).astype(np.float64) / 255 @ WEIGHTS)


def softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[bytes], Path]:
    def save(data: bytes) -> Path:
        path = tmp_path / "own.tflite"
        path.write_bytes(data)
        return path

    return save


@pytest.mark.parametrize("batch", [None, 1], ids=["any batch", "one at a time"])
@pytest.mark.parametrize("shape", [(784,), (28, 28), (28, 28, 1)], ids=str)
@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_floats_take_pixels_from_0_to_1(
    saved: Callable[[bytes], Path],
    digits: tuple[Uint8, Uint8],
    shape: tuple[int, ...],
    batch: int | None,
    output: str,
) -> None:
    call = dense if output == "logits" else lambda values: tf.nn.softmax(dense(values))
    images = digits[0][::9]
    with Classifier(saved(flatbuffer((batch, *shape), call))) as classifier:
        assert not classifier.model.verified
        expected = softmax(expected_logits(images))
        assert classifier.confidences(images) == pytest.approx(expected, abs=1e-5)
        assert classifier.confidences(images[:1]) == pytest.approx(expected[:1], abs=1e-5)
        assert classifier.scores(images[:0]).shape == (0, 10)


@pytest.mark.parametrize("integers", [tf.int8, tf.uint8], ids=["int8", "uint8"])
@pytest.mark.parametrize("reach", [1.0, 255.0], ids=["0 to 1", "0 to 255"])
@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_integers_are_quantized_as_the_model_says(
    saved: Callable[[bytes], Path], digits: tuple[Uint8, Uint8], integers: Any, reach: float, output: str
) -> None:
    images = digits[0][::9]

    def call(values: Any) -> Any:
        logits = dense(values / reach)
        return logits if output == "logits" else tf.nn.softmax(logits)

    samples = [(image[None, :, :, None] * (reach / 255)).astype(np.float32) for image in images]
    with Classifier(saved(flatbuffer((1, 28, 28, 1), call, samples=samples, integers=integers))) as classifier:
        confidences = classifier.confidences(images)
        assert confidences == pytest.approx(softmax(expected_logits(images)), abs=0.03)
        assert confidences.sum(axis=1) == pytest.approx(1)
        assert classifier.confidences(images[:1]) == pytest.approx(confidences[:1])


@pytest.mark.parametrize("reach", [1.0, 255.0], ids=["0 to 1", "0 to 255"])
def test_each_pixel_value_becomes_the_nearest_integer(
    saved: Callable[[bytes], Path], tmp_path: Path, reach: float
) -> None:
    def call(values: Any) -> Any:
        return tf.reshape(values, (1, 784))[:, :256]

    every = np.zeros((1, 28, 28), np.uint8)
    every.reshape(-1)[:256] = range(256)
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(map(str, range(256))))

    def scores(brightest: float, pixels: Uint8) -> list[int]:
        samples = [every.astype(np.float32) / 255 * brightest]
        path = saved(flatbuffer((1, 28, 28), call, samples=samples, integers=tf.int8))
        with Classifier(path, labels=labels) as classifier:
            return [int(score) for score in classifier.scores(pixels)[0]]

    assert scores(reach, every) == [*range(-128, 128)]
    # A model that has never seen bright pixels takes them for the brightest that it has.
    assert scores(reach / 2, every)[:128:64] == [-128, 0]
    assert set(scores(reach / 2, every)[128:]) == {127}


def test_integers_without_quantization_hold_the_pixels(
    saved: Callable[[bytes], Path], digits: tuple[Uint8, Uint8]
) -> None:
    def call(values: Any) -> Any:
        return dense(tf.cast(values, tf.float32) / 255)

    with Classifier(saved(flatbuffer((1, 28, 28), call, tf.uint8))) as classifier:
        assert classifier.confidences(digits[0]) == pytest.approx(softmax(expected_logits(digits[0])), abs=1e-5)


def test_a_foreign_model_reads_a_page(
    saved: Callable[[bytes], Path], tmp_path: Path, digits: tuple[Uint8, Uint8]
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join("abcdefghij"))
    path = saved(flatbuffer((1, 784), dense))
    page = np.full((56, 56), 255, np.uint8)
    page[14:42, 14:42] -= digits[0][7]
    with DigitReader(path, labels=labels, min_confidence=0) as reader:
        (digit,) = reader.read(page).digits
        assert digit.label in "abcdefghij"


def test_another_number_of_classes_needs_labels(saved: Callable[[bytes], Path], tmp_path: Path) -> None:
    path = saved(flatbuffer((1, 784), lambda values: dense(values)[:, :2]))
    with pytest.raises(OptionError, match="has 2 classes, but there are 10 labels"):
        Classifier(path)
    (tmp_path / "labels.txt").write_text("odd\neven\n")
    with Classifier(path, labels=tmp_path / "labels.txt") as classifier:
        assert classifier.confidences(np.zeros((3, 28, 28), np.uint8)) == pytest.approx(np.full((3, 2), 0.5))


@pytest.mark.parametrize(
    ("shape", "call", "message"),
    [
        (
            (1, 32, 32),
            lambda values: tf.reshape(values, (1, 1024))[:, :10],
            r"input shape .*32.*, expected one picture of 28x28",
        ),
        ((1, 28, 28, 3), lambda values: dense(values[..., 0]), "expected one picture of 28x28"),
        ((16, 784), dense, "expected one picture of 28x28"),
        ((1, 784), lambda values: tf.reshape(dense(values), (1, 2, 5)), "expected one score per class"),
        ((1, 784), lambda values: dense(values)[:, :1], "expected one score per class"),
        ((1, 784), lambda values: (dense(values), values * 2), "has 1 inputs and 2 outputs, expected one of each"),
    ],
)
def test_a_model_that_cannot_read_digits_is_refused(
    saved: Callable[[bytes], Path], shape: tuple[int, ...], call: Callable[[Any], Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        Classifier(saved(flatbuffer(shape, call)))


def test_a_model_of_other_numbers_is_refused(saved: Callable[[bytes], Path]) -> None:
    path = saved(flatbuffer((1, 784), lambda values: dense(tf.cast(values, tf.float32)), tf.int32))
    with pytest.raises(ModelError, match="has input type int32, expected float32, uint8, int8 or int16"):
        Classifier(path)
