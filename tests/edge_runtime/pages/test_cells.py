from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.pages.draw import Page, PageStyle, draw_page
from edge_runtime.pages.layout import DoNotFit
from edge_runtime.pages.style import Layout
from edge_runtime.records import Uint8


def drawn(digits: tuple[Uint8, Uint8], layout: Layout, count: int, seed: int = 1, **others: Any) -> Page:
    images, labels = (array[:: len(array) // count][:count] for array in digits)
    style = PageStyle(**{"layout": layout, "digit_height": (24, 24), **others})
    return draw_page(images, labels, np.random.default_rng(seed), style)


@settings(max_examples=25)
@given(layout=st.sampled_from(["table", "sudoku", "column", "sum"]), count=st.integers(0, 12), seed=st.integers(0, 99))
def test_every_digit_is_there_in_reading_order(
    digits: tuple[Uint8, Uint8], layout: Layout, count: int, seed: int
) -> None:
    images, labels = (array[:: len(array) // max(1, count)][:count] for array in digits)
    style = PageStyle(layout=layout, digit_height=(24, 24))
    page = draw_page(images, labels, np.random.default_rng(seed), style)
    assert "".join(page.text).replace(" ", "") == "".join(map(str, labels))
    for one, other in pairwise(page.digits):
        assert (one.line, one.word) <= (other.line, other.word)
        assert one.box.right <= other.box.x + 2 or one.line < other.line
    assert all(page.text)


def test_a_table_has_lines_around_every_word(digits: tuple[Uint8, Uint8]) -> None:
    page = drawn(digits, "table", 12, word_length=(2, 2), tilt=(0, 0))
    rules = [other.box for other in page.others if other.name == "rules"]
    upright = sorted(box.x for box in rules if box.height > box.width)
    level = sorted(box.y for box in rules if box.width > box.height)
    assert len(rules) == len(upright) + len(level)
    cells = {(sum(x <= digit.box.x for x in upright), sum(y <= digit.box.y for y in level)) for digit in page.digits}
    assert len(cells) == 6
    assert all(0 < column < len(upright) and 0 < row < len(level) for column, row in cells)


def test_a_printed_grid_has_the_rulings_color(digits: tuple[Uint8, Uint8]) -> None:
    look: dict[str, Any] = {"inks": ((0, 0, 200),), "ruling_ink": (200, 0, 0), "ruling_strength": (1, 1), "grain": 0}
    for grid, channel in (("hand", 2), ("print", 0)):
        page = drawn(digits, "table", 4, grid=grid, ruling_width=(3, 3), blur=(0, 0), **look)
        rule = max((other.box for other in page.others if other.name == "rules"), key=lambda box: box.width)
        darkest = page.pixels[rule.y : rule.bottom, rule.x : rule.right].reshape(-1, 3).astype(int)
        line = darkest[darkest.sum(axis=1).argmin()]
        assert line.argmax() == channel


def test_a_sudoku_has_nine_cells_a_side(digits: tuple[Uint8, Uint8]) -> None:
    page = drawn(digits, "sudoku", 81)
    assert [len(line.split(" ")) for line in page.text] == [9] * 9
    assert all(len(word) == 1 for line in page.text for word in line.split(" "))
    assert sum(other.name == "rules" for other in page.others) == 20
    with pytest.raises(DoNotFit):
        drawn(digits, "sudoku", 82)


def test_a_column_of_numbers_ends_above_a_rule(digits: tuple[Uint8, Uint8]) -> None:
    page = drawn(digits, "column", 9, word_length=(3, 3))
    assert [len(line) for line in page.text] == [3, 3, 3]
    ends = [max(digit.box.right for digit in page.digits if digit.line == line) for line in range(3)]
    assert np.ptp(ends) <= 6
    assert sorted(other.name for other in page.others) == ["rules", "signs"]
    (rule,) = (other.box for other in page.others if other.name == "rules")
    below = [digit.line for digit in page.digits if digit.box.y + digit.box.height / 2 > rule.y]
    assert below == [2, 2, 2]


def test_signs_stand_between_the_words_of_a_sum(digits: tuple[Uint8, Uint8]) -> None:
    page = drawn(digits, "sum", 8, word_length=(2, 2), word_gap=(2, 2))
    assert page.text == (page.text[0],)
    words = [[digit.box for digit in page.digits if digit.word == word] for word in range(4)]
    signs = sorted(other.box.x for other in page.others)
    assert {other.name for other in page.others} == {"signs"}
    for sign, one, other in zip(signs, words, words[1:], strict=False):
        assert one[-1].right <= sign < other[0].x
    assert len(signs) == 3


def test_digits_too_large_for_cells_are_refused(digits: tuple[Uint8, Uint8]) -> None:
    with pytest.raises(DoNotFit, match="do not fit in cells on the page"):
        drawn(digits, "sudoku", 9, digit_height=(60, 60))
    with pytest.raises(DoNotFit):
        drawn(digits, "table", 30, digit_height=(90, 90))
