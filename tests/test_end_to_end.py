"""The product's promises, kept on MNIST's test digits by the model that ships."""

import numpy as np
import pytest

from benchmarks.score import edit_distance
from edge_runtime import DigitReader
from edge_runtime.pages import PageStyle, draw_page
from train import dataset
from train.dataset import Digits

PAGES = 200
ENLARGED = 2000


@pytest.fixture(scope="module")
def mnist_test() -> Digits:
    return dataset.load("test")


@pytest.fixture(scope="module")
def reader() -> DigitReader:
    return DigitReader()


def test_shipped_model_is_as_good_as_its_card_says(reader: DigitReader, mnist_test: Digits) -> None:
    read = reader.classifier.scores(mnist_test.images).argmax(axis=1)
    accuracy = 100 * float((read == mnist_test.labels).mean())
    card = reader.classifier.model.card
    assert card is not None
    assert accuracy >= 99.30
    assert accuracy == pytest.approx(card["measured"]["accuracy"], abs=0.02)  # another CPU may round another way
    assert reader.classifier.model.path.stat().st_size <= 1_048_576


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_ten_digits_on_a_page(reader: DigitReader, mnist_test: Digits, light_on_dark: bool) -> None:
    style = PageStyle(light_on_dark=light_on_dark)
    wrong = 0
    for seed in range(PAGES):
        rng = np.random.default_rng(seed)
        chosen = rng.choice(len(mnist_test.images), 10, replace=False)
        page = draw_page(mnist_test.images[chosen], mnist_test.labels[chosen], rng, style)
        wrong += edit_distance("\n".join(reader.read(page.pixels).text), "\n".join(page.text))
    assert wrong <= 0.01 * PAGES * 10


def test_enlarged_digits_keep_their_labels(mnist_test: Digits) -> None:
    reader = DigitReader(min_confidence=0)  # what is tested is locate and normalize, not what is rejected
    rng = np.random.default_rng(2000)
    chosen = rng.choice(len(mnist_test.images), ENLARGED, replace=False)
    before = reader.classifier.scores(mnist_test.images[chosen]).argmax(axis=1)
    kept = 0
    for i, label in zip(chosen, before, strict=True):
        height = float(rng.uniform(24, 120))
        style = PageStyle(size=(320, 320), digit_height=(height, height))
        page = draw_page(mnist_test.images[i : i + 1], [int(label)], rng, style)
        kept += reader.read(page.pixels).text == (str(label),)
    assert kept >= 0.995 * ENLARGED
