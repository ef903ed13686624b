from typing import get_args

import numpy as np
import pytest

from edge_runtime.pages.draw import Page
from train import fonts, letters, line_texts, line_words, vocabulary, word_pages
from train.line_signs import BAND, TALL
from train.strings import LONGEST, hands

LETTERS = set("abcdefghijklmnopqrstuvwxyz")


@pytest.fixture(scope="module", params=get_args(word_pages.Kind))
def page(request: pytest.FixtureRequest) -> Page:
    return word_pages.draw("held_out", np.random.default_rng(3), request.param)


def test_every_digit_lies_on_ink(page: Page) -> None:
    height, width = page.pixels.shape[:2]
    for digit in page.digits:
        assert digit.label in fonts.DIGITS
        assert digit.box.within((width, height)) == digit.box
        part = page.pixels[digit.box.slices]
        assert int(part.max()) - int(part.min()) > 20


def test_pages_of_words_have_no_digit() -> None:
    assert not word_pages.draw("held_out", np.random.default_rng(1), "words").digits
    assert word_pages.draw("held_out", np.random.default_rng(1), "sums").digits


def test_the_same_seed_gives_the_same_page() -> None:
    one, other = (word_pages.draw("train", np.random.default_rng(5)) for _ in range(2))
    assert one.digits == other.digits
    assert np.array_equal(one.pixels, other.pixels)


def test_no_word_is_in_both_splits() -> None:
    train, held_out = (set(vocabulary.words(each)) for each in (False, True))
    assert not train & held_out
    assert len(train) > 3 * len(held_out) > 6000
    assert not any(character.isdigit() for word in train | held_out for character in word)


@pytest.mark.parametrize("kind", line_texts.KINDS)
def test_a_text_shows_its_digits(kind: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        said = line_texts.text(kind, vocabulary.words(True), rng)
        assert said.digits == tuple(int(character) for character in str(said) if character.isdigit())
        assert len(said.digits) <= LONGEST
        assert bool(said.digits) <= (kind != "words")


def test_lines_of_words_have_ink() -> None:
    ways, rng = hands("held_out"), np.random.default_rng(4)
    for _ in range(20):
        canvas, digits, (start, end) = line_words.draw(ways[0], ways[2], rng)
        assert canvas.shape[0] == BAND
        assert canvas[:, start : end + TALL].any()
        assert len(digits) <= LONGEST


def test_boxes_of_digits_hold_their_ink() -> None:
    ways, canvas = hands("held_out"), np.zeros((BAND, 4 * line_words.LONG), np.uint8)
    said = line_texts.Text(("12", "ab", "7"), (True, True, False))
    _, count, boxes = line_words.compose(canvas, said, ways[0], ways[2], None, np.random.default_rng(6))
    assert count == 3
    assert len(boxes) == 3
    assert all(canvas[box.slices].max() > 100 for box in boxes)


@pytest.mark.parametrize("joined", [False, True])
def test_every_letter_is_written_as_a_stroke(joined: bool) -> None:
    rng = np.random.default_rng(0)
    assert set(letters.LOWER) == LETTERS
    assert set(letters.UPPER) == {letter.upper() for letter in LETTERS}
    for letter in letters.LETTERS:
        word = letters.write(letter, joined, rng)
        assert word.ink.max() == 255
        assert 0 < word.x_height < word.cap_height


def test_accents_are_left_out() -> None:
    rng = [np.random.default_rng(8) for _ in range(2)]
    assert np.array_equal(
        letters.write("e\N{COMBINING ACUTE ACCENT}", False, rng[0]).ink, letters.write("e", False, rng[1]).ink
    )
    assert letters.write("?", False, rng[0]).ink.max() <= 255


def test_typeset_words_know_their_baseline() -> None:
    word = letters.typeset(fonts.names(True)[0], "xg")
    assert 0 < word.baseline < word.ink.shape[0]
