"""The product's promises, kept on MNIST's test digits by the model that ships."""

import cv2
import numpy as np
import pytest

from benchmarks.accuracy.score import edit_distance
from edge_runtime import DigitReader
from edge_runtime.pages.draw import PageStyle, draw_page
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


def test_the_shipped_model_matches_its_card(reader: DigitReader, mnist_test: Digits) -> None:
    read = reader.classifier.scores(mnist_test.images).argmax(axis=1)
    accuracy = 100 * float((read == mnist_test.labels).mean())
    card = reader.classifier.model.card
    assert card is not None
    assert accuracy >= 99.30
    assert accuracy == pytest.approx(card["measured"]["accuracy"], abs=0.02)  # another CPU may round another way
    assert reader.classifier.model.path.stat().st_size <= 1_048_576


@pytest.mark.slow
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


@pytest.mark.slow
def test_enlarged_digits_keep_their_labels(mnist_test: Digits) -> None:
    reader = DigitReader(min_confidence=0)  # what is tested is finding and normalizing, not what is rejected
    rng = np.random.default_rng(2000)
    chosen = rng.choice(len(mnist_test.images), ENLARGED, replace=False)
    before = reader.classifier.scores(mnist_test.images[chosen]).argmax(axis=1)
    kept = 0
    for i, label in zip(chosen, before, strict=True):
        height = float(rng.uniform(24, 120))
        style = PageStyle(size=(320, 320), digit_height=(height, height))
        page = draw_page(mnist_test.images[i : i + 1], [int(label)], rng, style)
        kept += reader.read(page.pixels).text == (str(label),)
    assert kept >= 0.98 * ENLARGED


def test_pages_read_the_same_smaller_larger_and_inverted(reader: DigitReader, mnist_test: Digits) -> None:
    style = PageStyle(digit_height=(48.0, 64.0))  # at half the size still 24 pixels
    same = 0
    for seed in range(PAGES):
        rng = np.random.default_rng([7, seed])
        chosen = rng.choice(len(mnist_test.images), 8, replace=False)
        page = draw_page(mnist_test.images[chosen], mnist_test.labels[chosen], rng, style)
        factor = float(rng.uniform(0.5, 2))
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        other = np.asarray(cv2.resize(page.pixels, None, fx=factor, fy=factor, interpolation=how), np.uint8)
        if seed % 2:
            other = 255 - other
        same += reader.read(other).text == reader.read(page.pixels).text
    assert same >= 0.98 * PAGES


def test_a_shifted_page_reads_the_same(reader: DigitReader, mnist_test: Digits) -> None:
    for seed in range(20):
        rng = np.random.default_rng([8, seed])
        chosen = rng.choice(len(mnist_test.images), 6, replace=False)
        style = PageStyle(shade=0.0, grain=0.0, blur=(0.0, 0.0))
        page = draw_page(mnist_test.images[chosen], mnist_test.labels[chosen], rng, style)
        paper = page.pixels[-1, -1].tolist()
        right, down = (int(shift) for shift in rng.integers(1, 40, 2))
        large = cv2.copyMakeBorder(page.pixels, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=paper)
        moved = np.roll(large, (down, right), axis=(0, 1))
        before, after = reader.read(np.asarray(large, np.uint8)), reader.read(np.asarray(moved, np.uint8))
        assert after.text == before.text
        for one, other in zip(before.digits, after.digits, strict=True):
            expected = one.box.x + right, one.box.y + down, one.box.width, one.box.height
            assert np.abs(np.subtract(expected, other.box)).max() <= 1
