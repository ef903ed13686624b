"""The line network that ships is the start of further training: the same answers, from real weights."""

from contextlib import closing
from pathlib import Path

import keras
import numpy as np
import pytest

from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.records import Uint8
from train import line_network, line_start
from train.line import chunk


@pytest.fixture(scope="module")
def strips() -> Uint8:
    return chunk("held_out", 2, 0).strips[:96]


@pytest.fixture(scope="module")
def network(strips: Uint8) -> keras.Model:
    made = line_network.build()
    line_start.initialize(made, model_file.SHIPPED, strips)
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
    for ours, stored in zip(line_start.folded(network), line_start.read(model_file.SHIPPED), strict=True):
        assert ours.kernel == pytest.approx(stored.kernel, rel=1e-3, abs=1e-6)
        assert ours.bias == pytest.approx(stored.bias, rel=1e-3, abs=1e-3)


def test_the_average_lies_halfway(strips: Uint8) -> None:
    stored = line_start.read(model_file.SHIPPED)
    trained = line_network.build()
    line_start.initialize(trained, model_file.SHIPPED, strips)
    last = trained.layers[-2]
    kernel, bias = last.get_weights()
    last.set_weights([3 * kernel, bias + 1])
    line_start.average(trained, model_file.SHIPPED, strips)
    *others, averaged = line_start.folded(trained)
    assert averaged.kernel == pytest.approx(2 * stored[-1].kernel, rel=1e-5)
    assert averaged.bias == pytest.approx(stored[-1].bias + 0.5, rel=1e-5)
    assert others[3].kernel == pytest.approx(stored[3].kernel, rel=1e-3, abs=1e-6)


def test_a_file_without_a_line_network_is_refused(tmp_path: Path, strips: Uint8) -> None:
    shipped = model_file.read(model_file.SHIPPED)
    bare = tmp_path / "digits.tflite"
    bare.write_bytes(shipped.flatbuffer)
    with pytest.raises(ModelError, match=r"digits\.tflite has no line network"):
        line_start.initialize(line_network.build(), bare, strips)


def test_another_line_network_is_refused(tmp_path: Path, strips: Uint8) -> None:
    shipped = model_file.read(model_file.SHIPPED)
    other = tmp_path / "digits.tflite"
    assert shipped.card is not None
    model_file.write(other, shipped.flatbuffer, shipped.card, shipped.golden(), shipped.flatbuffer)
    with pytest.raises(ModelError, match="has other layers than"):
        line_start.initialize(line_network.build(), other, strips)
