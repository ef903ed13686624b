"""The line network that ships is the start of further training: the same answers, from real weights."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file
from edge_runtime.inference.contract import COLUMNS
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.inference.model_file import ModelFile
from edge_runtime.records import Uint8
from train import int8_file, line_network, line_start
from train.line import chunk


@pytest.fixture(scope="module")
def strips() -> Uint8:
    return chunk("held_out", 2, 0).strips[:48]


@pytest.fixture(scope="module")
def network(strips: Uint8) -> keras.Model:
    made = line_network.build()
    line_start.initialize(made, line_start.read(made, model_file.SHIPPED), strips)
    return made


def test_the_start_answers_as_the_model_file(network: keras.Model, strips: Uint8) -> None:
    flatbuffer = model_file.read(model_file.SHIPPED).line
    assert flatbuffer is not None
    with closing(LineNetwork(model_file.SHIPPED, flatbuffer, 1)) as small:
        expected = np.array([small.probabilities(strip) for strip in strips])
    logits = network.predict(strips[..., None], batch_size=32, verbose=0)
    answers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    answers /= answers.sum(axis=-1, keepdims=True)
    # The file rounds the output of every layer to one of 256 values.
    assert np.abs(answers - expected).mean() < 0.005
    assert (answers.argmax(axis=-1) == expected.argmax(axis=-1)).mean() > 0.99


def test_normalization_starts_with_the_strips_statistics(network: keras.Model, strips: Uint8) -> None:
    first = next(each for each in network.layers if isinstance(each, keras.layers.BatchNormalization))
    taken = keras.Model(network.input, first.input).predict(strips[..., None], batch_size=32, verbose=0)
    _, _, mean, variance = first.get_weights()
    assert mean == pytest.approx(taken.mean(axis=(0, 1, 2)), abs=1e-3)
    assert variance == pytest.approx(taken.var(axis=(0, 1, 2)), rel=1e-2)


def test_folded_convolutions_are_those_of_the_file(network: keras.Model) -> None:
    for ours, stored in zip(line_start.folded(network), int8_file.convolutions(model_file.SHIPPED), strict=True):
        assert ours.kernel == pytest.approx(stored.kernel, rel=1e-3, abs=1e-6)
        assert ours.bias == pytest.approx(stored.bias, rel=1e-3, abs=1e-3)


def test_the_average_lies_halfway(strips: Uint8) -> None:
    trained = line_network.build()
    stored = line_start.read(trained, model_file.SHIPPED)
    line_start.initialize(trained, stored, strips)
    last = trained.layers[-2]
    kernel, bias = last.get_weights()
    last.set_weights([3 * kernel, bias + 1])
    line_start.average(trained, stored, strips)
    *others, averaged = line_start.folded(trained)
    assert averaged.kernel == pytest.approx(2 * stored[-1].kernel, rel=1e-5)
    assert averaged.bias == pytest.approx(stored[-1].bias + 0.5, rel=1e-5)
    assert others[3].kernel == pytest.approx(stored[3].kernel, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (lambda shipped: None, "has no line network"),
        (lambda shipped: shipped.flatbuffer, "has other layers than"),
        (lambda shipped: in_floats(), "is not in int8"),
        (lambda shipped: b"nothing", "is not a TensorFlow Lite file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, line: Callable[[ModelFile], bytes | None], said: str) -> None:
    shipped = model_file.read(model_file.SHIPPED)
    assert shipped.card is not None
    other = tmp_path / "digits.tflite"
    model_file.write(other, shipped.flatbuffer, shipped.card, shipped.golden(), line(shipped))
    with pytest.raises(ModelError, match=said):
        line_start.read(line_network.build(), other)


def in_floats() -> bytes:
    """Return a line network in float32."""
    return bytes(tf.lite.TFLiteConverter.from_keras_model(line_network.build(COLUMNS)).convert())
