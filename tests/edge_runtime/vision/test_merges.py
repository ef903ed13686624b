import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.records import Box
from edge_runtime.vision.merges import merges

MANY = 100
Corners = tuple[int, int, int, int]


def merged(*boxes: Corners, most: int = MANY) -> list[tuple[int, ...]]:
    return of_one_pen([Box(*box) for box in boxes], most)


def of_one_pen(boxes: list[Box], most: int = MANY) -> list[tuple[int, ...]]:
    return merges(boxes, np.full(len(boxes), 150.0), most)


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([(50, 40, 26, 5), (50, 48, 24, 40)], id="the flag of a 5 above its body"),
        pytest.param([(60, 40, 26, 12), (50, 43, 12, 45)], id="the flag of a 5 beside its body"),
        pytest.param([(50, 20, 30, 40), (52, 40, 20, 5)], id="the dash of a 7"),
        pytest.param([(50, 20, 20, 25), (50, 48, 20, 25)], id="an 8 in two halves"),
        pytest.param([(0, 0, 60, 80), (20, 30, 8, 9)], id="a blot inside a 0"),
    ],
)
def test_pieces_of_one_digit_are_merged(boxes: list[Corners]) -> None:
    assert merged(*boxes) == [(0, 1)]
    assert merged(*boxes[::-1]) == [(0, 1)]


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
def test_what_is_no_one_digit_stays_apart(boxes: list[Corners]) -> None:
    assert merged(*boxes) == []
    assert merged(*boxes[::-1]) == []


@pytest.mark.parametrize(("frame", "expected"), [(58.0, []), (100.0, [(0, 1)])])
def test_a_digit_and_its_pale_box_stay_apart(frame: float, expected: list[tuple[int, ...]]) -> None:
    boxes = [Box(24, 19, 34, 45), Box(30, 25, 23, 33)]
    assert merges(boxes, np.array([frame, 180.0]), MANY) == expected
    assert merges(boxes[::-1], np.array([180.0, frame]), MANY) == expected


def test_three_pieces_are_merged_by_twos_too() -> None:
    column = [(50, 40, 20, 14), (50, 56, 20, 14), (50, 72, 20, 14)]
    assert merged(*column) == [(0, 1), (1, 2), (0, 1, 2)]
    assert merged(*column, (200, 40, 20, 40)) == [(0, 1), (1, 2), (0, 1, 2)]


@pytest.mark.parametrize("most", [0, 1, 5])
def test_pairs_and_triples_are_bounded(most: int) -> None:
    groups = merged(*[(50, 11 * i, 20, 10) for i in range(20)], most=most)
    assert [len(group) for group in groups].count(2) == most
    assert [len(group) for group in groups].count(3) <= most


BOXES = st.lists(st.builds(Box, *[st.integers(0, 100)] * 2, *[st.integers(1, 60)] * 2), max_size=12)


@given(BOXES, st.integers(0, 8))
def test_merges_are_rising_numbers_of_near_marks(boxes: list[Box], most: int) -> None:
    groups = of_one_pen(boxes, most)
    assert len(set(groups)) == len(groups)
    pairs = {group for group in groups if len(group) == 2}
    for group in groups:
        assert list(group) == sorted(set(group))
        assert 0 <= group[0] < group[-1] < len(boxes)
        if len(group) == 3:
            i, j, k = group
            assert len(pairs & {(i, j), (j, k), (i, k)}) >= 2
    for one, other in ((boxes[i], boxes[j]) for i, j in pairs):
        gap = max(one.x - other.right, other.x - one.right, one.y - other.bottom, other.y - one.bottom)
        assert gap < max(one.height, other.height)


@given(BOXES, st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_merges_stay_the_same_wherever_marks_are(boxes: list[Box], x: int, y: int) -> None:
    moved = [Box(box.x + x, box.y + y, box.width, box.height) for box in boxes]
    assert of_one_pen(moved) == of_one_pen(boxes)


@given(BOXES, st.sampled_from([2, 4, 8]))
def test_merges_stay_the_same_at_any_size(boxes: list[Box], times: int) -> None:
    larger = [Box(*(times * side for side in box)) for box in boxes]
    assert of_one_pen(larger) == of_one_pen(boxes)
