import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.matching import match
from edge_runtime.records import Box
from train.matches import alike

BOXES = st.builds(Box, *[st.integers(0, 30)] * 2, *[st.integers(1, 30)] * 2)


def test_overlap_is_intersection_over_union() -> None:
    box = Box(10, 10, 10, 20)
    assert alike(box, box) == 1
    assert alike(box, Box(10, 10, 10, 10)) == 0.5
    assert alike(box, Box(15, 10, 10, 20)) == pytest.approx(100 / 300)
    assert alike(box, Box(20, 10, 5, 5)) == 0
    assert alike(box, Box(25, 40, 5, 5)) == 0


def test_the_largest_overlap_is_matched_none_twice() -> None:
    true = [Box(0, 0, 10, 10), Box(20, 0, 10, 10)]
    detected = [Box(0, 0, 10, 8), Box(50, 0, 10, 10), Box(0, 0, 10, 9), Box(20, 0, 10, 5)]
    assert match(detected, true) == [(2, 0), (3, 1)]
    assert match([Box(0, 0, 10, 4)], true) == []
    assert match([], true) == match(detected, []) == []


@given(st.lists(BOXES, max_size=6), st.lists(BOXES, max_size=6))
def test_pairs_are_one_to_one_and_overlap(detected: list[Box], true: list[Box]) -> None:
    pairs = match(detected, true)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(alike(detected[i], true[j]) >= 0.5 for i, j in pairs)
    left = [(i, j) for i in range(len(detected)) for j in range(len(true))
            if i not in dict(pairs) and j not in dict(pairs).values()]  # fmt: skip
    assert all(alike(detected[i], true[j]) < 0.5 for i, j in left)


@given(BOXES, BOXES)
def test_overlap_is_the_share_of_pixels(one: Box, other: Box) -> None:
    a, b = ({(x, y) for x in range(box.x, box.right) for y in range(box.y, box.bottom)} for box in (one, other))
    assert alike(one, other) == alike(other, one) == pytest.approx(len(a & b) / len(a | b))
