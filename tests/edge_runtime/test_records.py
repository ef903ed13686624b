"""Boxes, held against the pixels that they hold."""

from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.records import Box

BOXES = st.builds(Box, st.integers(0, 12), st.integers(0, 12), st.integers(1, 9), st.integers(1, 9))


def pixels(box: Box) -> set[tuple[int, int]]:
    return {(x, y) for x in range(box.x, box.right) for y in range(box.y, box.bottom)}


@given(BOXES, BOXES)
def test_boxes_overlap_where_they_share_a_pixel(one: Box, other: Box) -> None:
    assert one.overlaps(other) == other.overlaps(one) == bool(pixels(one) & pixels(other))


@given(BOXES, BOXES)
def test_the_union_is_the_smallest_box_that_holds_both(one: Box, other: Box) -> None:
    union = one.union(other)
    both = pixels(one) | pixels(other)
    assert both <= pixels(union)
    assert (union.x, union.y) == (min(x for x, _ in both), min(y for _, y in both))
    assert (union.right - 1, union.bottom - 1) == (max(x for x, _ in both), max(y for _, y in both))
