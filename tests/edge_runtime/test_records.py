"""Boxes, held against the pixels that they hold."""

import numpy as np
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
def test_the_union_is_the_smallest_holding_both(one: Box, other: Box) -> None:
    union = one.union(other)
    both = pixels(one) | pixels(other)
    assert both <= pixels(union)
    assert (union.x, union.y) == (min(x for x, _ in both), min(y for _, y in both))
    assert (union.right - 1, union.bottom - 1) == (max(x for x, _ in both), max(y for _, y in both))


@given(BOXES, st.integers(-15, 15), st.integers(-15, 15), st.tuples(st.integers(1, 12), st.integers(1, 12)))
def test_a_moved_box_is_cut_at_the_sides(box: Box, x: int, y: int, size: tuple[int, int]) -> None:
    moved = box.moved(x, y)
    assert pixels(moved) == {(column + x, row + y) for column, row in pixels(box)}
    inside = {(column, row) for column, row in pixels(moved) if 0 <= column < size[0] and 0 <= row < size[1]}
    assert pixels(moved.within(size)) == inside
    picture = np.zeros(size[::-1], np.uint8)
    picture[moved.within(size).slices] = 1
    assert {(column, row) for row, column in np.argwhere(picture).tolist()} == inside


@given(BOXES)
def test_a_box_holds_its_center_and_its_corner(box: Box) -> None:
    assert box.holds(box.center)
    assert box.holds((box.x, box.y))
    assert not box.holds((box.right, box.y))
    assert not box.holds((box.x, box.bottom))
    assert box.center == ((box.x + box.right) / 2, (box.y + box.bottom) / 2)


@given(BOXES)
def test_a_rim_is_a_pixel_inside_the_picture(box: Box) -> None:
    size = (box.right + 1, box.bottom)
    around = {(x + across, y + down) for x, y in pixels(box) for across in (-1, 0, 1) for down in (-1, 0, 1)}
    assert pixels(box.rimmed(size)) == {(x, y) for x, y in around if 0 <= x < size[0] and 0 <= y < size[1]}


@given(
    *[st.integers(0, 300)] * 2, *[st.integers(1, 300)] * 2,
    st.floats(0.25, 8), st.tuples(st.integers(1, 400), st.integers(1, 400)),
)  # fmt: skip
def test_any_scaled_box_lies_in_the_picture(
    x: int, y: int, width: int, height: int, scale: float, size: tuple[int, int]
) -> None:
    box = Box(x, y, width, height).scaled(size, scale)
    assert 0 <= box.x < box.right <= size[0]
    assert 0 <= box.y < box.bottom <= size[1]
    if scale == 1 and x + width <= size[0] and y + height <= size[1]:
        assert box == (x, y, width, height)
