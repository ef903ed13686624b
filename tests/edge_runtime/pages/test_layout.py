import numpy as np
import pytest

from edge_runtime.pages.draw import Page, PageStyle, draw_page
from edge_runtime.records import Uint8


def drawn(digits: tuple[Uint8, Uint8], seed: int, style: PageStyle, count: int = 20) -> Page:
    images, labels = (array[seed :: 200 // count][:count] for array in digits)
    return draw_page(images, labels, np.random.default_rng(seed), style)


def test_words_have_their_lengths_and_gaps(digits: tuple[Uint8, Uint8]) -> None:
    style = PageStyle(digit_height=(30, 30), word_length=(2, 3), word_gap=(1.2, 1.5))
    for seed in range(10):
        page = drawn(digits, seed, style)
        for one, other in zip(page.digits, page.digits[1:], strict=False):
            gap = other.box.x - one.box.right
            if other.line != one.line:
                assert other.word == 0
            elif other.word != one.word:
                assert other.word == one.word + 1
                assert 1.2 * 30 - 1 <= gap <= 1.5 * 30 + 8
            else:
                assert gap < 0.9 * 30
        assert "".join(page.text).replace(" ", "") == "".join(digit.label for digit in page.digits)
        words = " ".join(page.text).split(" ")
        assert max(map(len, words)) == 3
        assert all(line == line.strip() and "  " not in line for line in page.text)
        assert sum(len(line.split(" ")) for line in page.text) == len({(d.line, d.word) for d in page.digits})


def test_without_words_lines_are_as_they_were(digits: tuple[Uint8, Uint8]) -> None:
    page = drawn(digits, 1, PageStyle())
    assert not any(" " in line for line in page.text)
    assert {digit.word for digit in page.digits} == {0}


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_touching_digits_form_groups_of_2_to_4(digits: tuple[Uint8, Uint8], share: float) -> None:
    style = PageStyle(grain=0, shade=0, blur=(0, 0), paper=(255, 255), inks=((0, 0, 0),), touching=share)
    touching = []
    for seed in range(10):
        page = drawn(digits, seed, style)
        run = [1]
        for one, other in zip(page.digits, page.digits[1:], strict=False):
            joined = one.line == other.line and other.box.x <= one.box.right + 1
            run = [*run[:-1], run[-1] + 1] if joined else [*run, 1]
            if joined:
                union = one.box.union(other.box)
                ink = page.pixels[union.y : union.bottom, union.x : union.right, 2] < 200
                assert ink.any(axis=0).all()  # no empty column between them
        assert max(run) <= 4
        touching.append(sum(length for length in run if length > 1) / len(page.digits))
    assert np.mean(touching) == pytest.approx(share, abs=0.15)


def test_touching_digits_overlap_by_few_pixels(digits: tuple[Uint8, Uint8]) -> None:
    style = {"grain": 0, "shade": 0, "blur": (0, 0), "inks": ((0, 0, 0),), "digit_height": (24, 24)}
    lost = []
    for seed in range(10):
        together, apart = (drawn(digits, seed, PageStyle(**style, touching=share), 8) for share in (1, 0))  # type: ignore[arg-type]
        assert together.digits[-1].line == apart.digits[-1].line == 0
        lost.append(int((apart.pixels[:, :, 2] < 128).sum()) - int((together.pixels[:, :, 2] < 128).sum()))
    assert min(lost) > -5  # two soft edges together may be as dark as one hard one
    assert 0 < np.mean(lost) < 7 * 6  # at most seven meet their neighbor


def test_mixed_sizes_stand_on_one_line(digits: tuple[Uint8, Uint8]) -> None:
    style = PageStyle(digit_height=(30, 30), spread=(0.5, 2.0))
    heights = []
    for seed in range(10):
        page = drawn(digits, seed, style, 10)
        heights += [digit.box.height for digit in page.digits]
        low = [digit.box.bottom for digit in page.digits if digit.line == 0]
        assert np.ptp(low) < 30
    assert min(heights) < 0.7 * 30 < 1.6 * 30 < max(heights)


@pytest.mark.parametrize("size", [(320, 240), (240, 320), (640, 480)])
def test_digits_may_be_half_the_frames_height(digits: tuple[Uint8, Uint8], size: tuple[int, int]) -> None:
    for height in (12, min(size) / 2):
        for seed in range(10):
            page = drawn(digits, seed, PageStyle(size=size, digit_height=(height, height)), 1)
            assert page.text == (page.digits[0].label,)
            assert 0.6 * height < max(page.digits[0].box[2:]) < 1.3 * height


def test_several_megapixels_are_drawn(digits: tuple[Uint8, Uint8]) -> None:
    page = drawn(digits, 1, PageStyle(size=(2000, 1500), digit_height=(200, 200), pen=(0.6, 0.6)), 10)
    assert page.pixels.shape == (1500, 2000, 3)
    assert len(page.digits) == 10
