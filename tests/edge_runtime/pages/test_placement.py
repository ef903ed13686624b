from typing import Any

import numpy as np
import pytest

from edge_runtime.pages.draw import Page, PageStyle, draw_page
from edge_runtime.pages.placement import FreeSpace
from edge_runtime.pages.style import DISTRACTORS, THINGS
from edge_runtime.records import Box, Uint8


def drawn(digits: tuple[Uint8, Uint8], seed: int, **counts: int) -> Page:
    images, labels = (array[seed::40] for array in digits)
    style = PageStyle(digit_height=(30, 30), blur=(0, 0), distractors=tuple(counts.items()))
    return draw_page(images, labels, np.random.default_rng(seed), style)


def apart(one: Box, other: Box) -> bool:
    return one.right <= other.x or other.right <= one.x or one.bottom <= other.y or other.bottom <= one.y


@pytest.mark.parametrize("name", DISTRACTORS)
def test_each_distractor_is_drawn_beside_the_digits(digits: tuple[Uint8, Uint8], name: str) -> None:
    for seed in range(3):
        page, plain = drawn(digits, seed, **{name: 2}), drawn(digits, seed)
        assert page.digits == plain.digits
        assert [other.name for other in page.others] == [name] * (1 if name == "table" else 2)
        changed = (page.pixels != plain.pixels).any(axis=2)
        for other in page.others:
            x, y, width, height = other.box
            assert changed[y : y + height, x : x + width].any()
            changed[y : y + height, x : x + width] = False
            if name not in ("frames", "cable"):  # those may lie around digits
                assert all(apart(other.box, digit.box) for digit in page.digits)
        assert not changed.any()


@pytest.mark.parametrize("name", THINGS)
def test_a_thing_is_inside_and_covers_no_digit(digits: tuple[Uint8, Uint8], name: str) -> None:
    images, labels = (array[::40] for array in digits)
    desk: dict[str, Any] = {"desk": ("plain",), "sheet": (0.6, 0.6), "tilt": (9, 9), "grain": 0, "blur": (0, 0)}
    for seed in range(3):
        plain, page = (
            draw_page(images, labels, np.random.default_rng(seed), PageStyle(**desk, distractors=kinds))
            for kinds in ((), ((name, 2),))
        )
        assert page.digits == plain.digits
        assert {other.name for other in page.others} == {name}
        changed = (page.pixels != plain.pixels).any(axis=2)
        assert changed.mean() > 0.002
        assert not any(changed[y : y + h, x : x + w].any() for x, y, w, h in (digit.box for digit in page.digits))


def test_distractors_keep_clear_of_each_other(digits: tuple[Uint8, Uint8]) -> None:
    for seed in range(5):
        page = drawn(digits, seed, words=2, coins=2, scribbles=2, dots=4, smudges=2)
        boxes = [other.box for other in page.others]
        assert len(boxes) == 12
        assert all(apart(one, other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_a_frame_may_surround_a_line_of_digits(digits: tuple[Uint8, Uint8]) -> None:
    around = 0
    for seed in range(10):
        page = drawn(digits, seed, frames=1)
        (frame,) = (other.box for other in page.others)
        inside = [digit for digit in page.digits if not apart(frame, digit.box)]
        around += bool(inside)
        assert all(frame.union(digit.box) == frame for digit in inside)
        lines = {digit.line for digit in inside}
        assert len(inside) == sum(digit.line in lines for digit in page.digits)
    assert 1 <= around <= 9


def test_what_finds_no_room_is_left_out(digits: tuple[Uint8, Uint8]) -> None:
    counts = {"coins": 60, "words": 60}
    page = drawn(digits, 1, **counts)
    assert 10 < len(page.others) < 120
    assert page.digits == drawn(digits, 1).digits


def test_letters_are_made_of_the_stamps_given(digits: tuple[Uint8, Uint8]) -> None:
    stamp = np.full((40, 10), 255, np.uint8)
    style = PageStyle(grain=0, shade=0, blur=(0, 0), inks=((0, 0, 0),), distractors=(("letters", 3),))
    page = draw_page(digits[0][:1], [0], np.random.default_rng(1), style, [stamp])
    assert len(page.others) == 3
    for other in page.others:
        x, y, width, height = other.box
        assert height / width == pytest.approx(4, rel=0.25)
        assert page.pixels[y : y + height, x : x + width].max() < 60


def test_room_is_found_where_there_is_any() -> None:
    space = FreeSpace((100, 60), 5)
    space.take(Box(0, 0, 100, 40))
    rng = np.random.default_rng(1)
    places = {space.find(20, 20, rng) for _ in range(200)}
    assert places == {Box(x, 40, 20, 20) for x in range(0, 85, 5)}
    assert space.find(20, 21, rng) is None
    assert space.find(101, 5, rng) is None
    assert {space.find(20, 20, rng, 1) for _ in range(9)} == {Box(80, 40, 20, 20)}
    assert {space.find(20, 20, rng, 3) for _ in range(9)} == {Box(0, 40, 20, 20)}
    assert space.find(20, 20, rng, 2) is None
    assert space.is_free(Box(0, 40, 100, 20))
    assert not space.is_free(Box(0, 39, 1, 1))
    assert not space.is_free(Box(90, 50, 11, 5))
