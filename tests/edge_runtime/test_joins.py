import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.joins import CLEAR, CRACK, FRAGMENT, FRAMED, NEAR, UPRIGHT, frames, joins
from edge_runtime.records import Box

MANY = 100


def joined(*boxes: tuple[int, int, int, int], most: int = MANY) -> list[tuple[int, ...]]:
    return joins([Box(*box) for box in boxes], most)


def framed(outer: tuple[int, int, int, int], inner: tuple[int, int, int, int]) -> bool:
    found = frames([Box(*outer), Box(*inner)])
    assert not found.diagonal().any()
    assert not found[1, 0]
    return bool(found[0, 1])


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([(50, 40, 26, 5), (50, 48, 24, 40)], id="the flag of a 5 above its body"),
        pytest.param([(60, 40, 26, 12), (50, 43, 12, 45)], id="the flag of a 5 beside its body"),
        pytest.param([(50, 20, 30, 40), (52, 40, 20, 5)], id="the dash of a 7"),
        pytest.param([(50, 20, 20, 25), (50, 48, 20, 25)], id="an 8 in two halves"),
        pytest.param([(50, 20, 12, 40), (62, 20, 12, 40)], id="a 0 cracked from top to bottom"),
    ],
)
def test_the_pieces_of_one_digit_are_joined_in_any_order(boxes: list[tuple[int, int, int, int]]) -> None:
    assert joined(*boxes) == [(0, 1)]
    assert joined(*boxes[::-1]) == [(0, 1)]


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([], id="nothing"),
        pytest.param([(50, 20, 25, 40)], id="one mark"),
        pytest.param([(50, 20, 25, 40), (50, 80, 25, 40)], id="digits on two lines"),
        pytest.param([(50, 20, 25, 40), (80, 20, 25, 40)], id="digits beside each other"),
        pytest.param([(50, 20, 25, 40), (90, 50, 6, 10)], id="a comma farther off"),
        pytest.param([(20, 40, 100, 12), (20, 54, 100, 12)], id="two wide bars"),
    ],
)
def test_marks_that_are_no_one_digit_are_not_joined(boxes: list[tuple[int, int, int, int]]) -> None:
    assert joined(*boxes) == []


def test_marks_are_near_up_to_a_part_of_the_higher_ones_height() -> None:
    gap = int(NEAR * 100)
    assert joined((0, 0, 60, 100), (0, 100 + gap, 60, 30)) == [(0, 1)]
    assert joined((0, 0, 60, 100), (0, 101 + gap, 60, 30)) == []


def test_what_is_wider_than_a_digit_can_be_is_not_joined() -> None:
    width = int(70 / UPRIGHT)
    assert joined((0, 0, width, 40), (0, 40, 50, 30)) == [(0, 1)]
    assert joined((0, 0, width + 1, 40), (0, 40, 50, 30)) == []


def test_of_two_marks_side_by_side_one_has_to_be_a_fragment() -> None:
    height = int(FRAGMENT * 100)
    assert joined((0, 0, 30, 100), (45, 0, 30, height - 1)) == [(0, 1)]
    assert joined((0, 0, 30, 100), (45, 0, 30, height)) == []


def test_marks_of_one_height_are_joined_across_a_crack() -> None:
    gap = int(CRACK * 100)
    assert joined((0, 0, 30, 100), (30 + gap, 0, 30, 100)) == [(0, 1)]
    assert joined((0, 0, 30, 100), (31 + gap, 0, 30, 100)) == []


def test_a_mark_lies_above_another_if_they_share_more_than_half_of_the_narrower_ones_width() -> None:
    assert joined((0, 0, 40, 60), (19, 70, 40, 60)) == [(0, 1)]
    assert joined((0, 0, 40, 60), (20, 70, 40, 60)) == []


def test_three_pieces_in_a_column_are_joined_as_pairs_and_as_a_triple() -> None:
    boxes = [(50, 40, 20, 14), (50, 56, 20, 14), (50, 72, 20, 14)]
    assert joined(*boxes) == [(0, 1), (1, 2), (0, 1, 2)]
    assert joined(*boxes, (200, 40, 20, 40)) == [(0, 1), (1, 2), (0, 1, 2)]


def test_there_are_at_most_so_many_pairs_and_so_many_triples() -> None:
    column = [(50, 12 * i, 20, 10) for i in range(20)]
    for most in (0, 1, 5):
        found = joined(*column, most=most)
        assert [len(join) for join in found].count(2) == most
        assert [len(join) for join in found].count(3) <= most


def test_a_box_drawn_around_a_digit_is_not_joined_with_it() -> None:
    assert joined((0, 0, 60, 80), (15, 20, 30, 45)) == []
    assert joined((0, 0, 60, 80), (20, 30, 8, 9)) == [(0, 1)]  # a blot inside a 0


def test_a_box_is_clear_on_every_side_of_what_stands_in_it() -> None:
    clear = int(CLEAR * 100)
    assert framed((0, 0, 80, 100), (clear, clear, 80 - 2 * clear, 100 - 2 * clear))
    assert not framed((0, 0, 80, 100), (clear - 1, clear, 80 - 2 * clear, 100 - 2 * clear))
    assert not framed((0, 0, 80, 100), (clear, clear - 1, 80 - 2 * clear, 100 - 2 * clear))
    assert not framed((0, 0, 80, 100), (clear, clear, 81 - 2 * clear, 100 - 2 * clear))
    assert not framed((0, 0, 80, 100), (clear, clear, 80 - 2 * clear, 101 - 2 * clear))


def test_what_stands_in_a_box_is_a_part_of_its_height() -> None:
    height = int(FRAMED * 100)
    assert framed((0, 0, 80, 100), (30, 30, 10, height))
    assert not framed((0, 0, 80, 100), (30, 30, 10, height - 1))


def test_no_boxes_have_no_frames() -> None:
    assert frames([]).shape == (0, 0)


BOXES = st.lists(st.builds(Box, *[st.integers(0, 100)] * 2, *[st.integers(1, 60)] * 2), max_size=12)


@given(BOXES, st.integers(0, 8))
def test_joins_are_rising_numbers_of_marks_that_are_near(boxes: list[Box], most: int) -> None:
    found = joins(boxes, most)
    assert len(set(found)) == len(found)
    pairs = {join for join in found if len(join) == 2}
    for join in found:
        assert list(join) == sorted(set(join))
        assert 0 <= join[0] < join[-1] < len(boxes)
        if len(join) == 3:
            i, j, k = join
            assert len(pairs & {(i, j), (j, k), (i, k)}) >= 2
    inside = frames(boxes)
    assert inside.shape == (len(boxes), len(boxes))
    assert not (inside & inside.T).any()
    assert not any(inside[i, j] or inside[j, i] for i, j in pairs)


@given(BOXES, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_joins_stay_the_same_wherever_the_marks_are(boxes: list[Box], x: int, y: int) -> None:
    moved = [Box(box.x + x, box.y + y, box.width, box.height) for box in boxes]
    assert joins(moved, MANY) == joins(boxes, MANY)
    assert np.array_equal(frames(moved), frames(boxes))
