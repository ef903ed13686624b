import keras
import numpy as np
import pytest
from scipy.special import softmax

from train import calibrate
from train.calibrate import Scaling, fit, fold

CLASSES = 11


def answers(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, and labels drawn by the very probabilities that these logits mean."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, CLASSES)).astype(np.float32)
    shares = softmax(logits.astype(np.float64), axis=1).cumsum(axis=1)
    return logits, (rng.random((count, 1)) > shares).sum(axis=1).astype(np.uint8)


@pytest.mark.parametrize(("temperature", "offset"), [(1.0, 0.0), (2.5, 0.0), (0.5, -2.0), (1.7, 1.0)])
def test_what_was_scaled_is_found(temperature: float, offset: float) -> None:
    logits, labels = answers(20_000)
    spoiled = logits.copy()
    spoiled[:, -1] -= offset
    fitted = fit(spoiled * np.float32(temperature), labels, np.ones(len(labels)))
    assert fitted.temperature == pytest.approx(temperature, rel=0.05)
    assert fitted.offset == pytest.approx(offset, abs=0.1)


def test_weights_say_how_often_each_answer_counts() -> None:
    logits, labels = answers(4000)
    twice = np.concatenate([np.arange(4000), np.arange(1000)])
    weights = np.where(np.arange(4000) < 1000, 2.0, 1.0)
    one, other = fit(logits[twice], labels[twice], np.ones(5000)), fit(logits, labels, weights)
    assert one == pytest.approx(other, abs=1e-3)


def test_a_network_answers_with_scaled_logits() -> None:
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(CLASSES, bias_initializer="random_normal")])
    x = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)
    before = np.asarray(network(x))
    scaling = Scaling(1.8, -1.25)
    fold(network, scaling._asdict())
    assert np.asarray(network(x)) == pytest.approx(scaling(before), abs=1e-5)


def test_the_offset_moves_no_digit_past_another() -> None:
    logits, _ = answers(500)
    scaled = Scaling(1.3, -3.0)(logits)
    assert np.array_equal(scaled[:, : calibrate.DIGITS].argmax(axis=1), logits[:, : calibrate.DIGITS].argmax(axis=1))
    assert (softmax(scaled, axis=1)[:, -1] < softmax(logits / 1.3, axis=1)[:, -1]).all()
