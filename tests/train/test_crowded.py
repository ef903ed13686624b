import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.records import Uint8
from edge_runtime.vision.normalize import normalize
from train import crowded
from train.crowded import crowd, crowd_one
from train.dataset import Digits


def bar(x: int, y: int, width: int, height: int) -> Uint8:
    drawn = np.zeros((28, 28), np.uint8)
    drawn[y : y + height, x : x + width] = 255
    return drawn


STEM, DASH, BLOCK = bar(13, 4, 2, 20), bar(4, 13, 20, 1), bar(4, 4, 20, 20)
SHAPES = st.sampled_from([STEM, DASH, BLOCK, bar(14, 14, 1, 1)])


def test_digits_keep_labels_and_seeds_repeat() -> None:
    digits = Digits(np.array([STEM, BLOCK]), np.array([1, 8]))
    one, other = (crowd(digits, 50, np.random.default_rng(3)) for _ in range(2))
    assert one.images.shape == (50, 28, 28)
    assert one.images.dtype == np.uint8
    assert np.array_equal(one.images, other.images)
    assert np.array_equal(one.labels, other.labels)
    assert set(one.labels) == {1, 8}
    # A stem has far less ink than a block, whatever is beside it.
    ink = (one.images > 127).sum(axis=(1, 2))
    assert ink[one.labels == 1].max() < ink[one.labels == 8].min()


@given(SHAPES, SHAPES, SHAPES, st.integers(0, 2**32 - 1))
def test_anything_comes_out_in_the_contract(digit: Uint8, left: Uint8, right: Uint8, seed: int) -> None:
    image = crowd_one(digit, left, right, np.random.default_rng(seed))
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.max() == 255


def test_without_neighbors_a_digit_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowded, "SIDES", 0)
    monkeypatch.setattr(crowded, "RULE", 0)
    for seed in range(5):
        image = crowd_one(BLOCK, STEM, STEM, np.random.default_rng(seed))
        assert np.abs(image.astype(int) - normalize(BLOCK)).max() <= 1


def test_at_most_a_third_is_a_neighbors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowded, "SIDES", 1)
    monkeypatch.setattr(crowded, "RULE", 0)
    tall = bar(8, 4, 10, 20)
    beside = [crowd_one(tall, BLOCK, BLOCK, np.random.default_rng(seed)) for seed in range(40)]
    widths = np.array([np.count_nonzero(image.max(axis=0)) for image in beside])
    assert (widths > 11).any()  # there is something
    assert widths.max() <= 10 + 2 * 10 / 3 + 2


def test_no_digits_are_asked_for_and_none_come() -> None:
    none = crowd(Digits(np.array([STEM]), np.array([1])), 0, np.random.default_rng(1))
    assert none.images.shape == (0, 28, 28)
    assert none.labels.shape == (0,)
