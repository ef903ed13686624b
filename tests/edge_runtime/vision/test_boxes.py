"""The arithmetic of arrays of boxes, held against that of single ones."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.records import Box
from edge_runtime.vision.boxes import at_sides, centers, lies_in, overlap, touching

BOXES = st.lists(
    st.builds(Box, st.integers(0, 12), st.integers(0, 12), st.integers(1, 9), st.integers(1, 9)), min_size=1
)


def test_overlap_is_a_part_of_either_box() -> None:
    boxes, others = np.array([[0, 0, 10, 10]], np.float64), np.array([[5, 0, 10, 20], [10, 0, 5, 5]], np.float64)
    assert overlap(boxes, others, np.minimum).tolist() == [[0.5, 0]]
    assert overlap(boxes, others, np.maximum).tolist() == [[0.25, 0]]


def test_boxes_a_pixel_from_sides_touch_them() -> None:
    boxes = np.array([[1, 2, 5, 5], [2, 1, 5, 5], [2, 2, 7, 6], [2, 2, 6, 7], [2, 2, 6, 6]], np.float64)
    across, down = at_sides(boxes, (10, 10))
    assert across.tolist() == [True, False, True, False, False]
    assert down.tolist() == [False, True, False, True, False]


@given(BOXES)
def test_many_boxes_are_as_single_ones(boxes: list[Box]) -> None:
    many = np.array(boxes, np.int64)
    assert np.transpose(centers(many)).tolist() == [[*box.center] for box in boxes]
    assert lies_in(many, many).tolist() == [[one.union(other) == other for other in boxes] for one in boxes]
    near = [Box(box.x, box.y, box.width + 3, box.height + 3) for box in boxes]  # two rims, and the touch of these
    assert touching(many).tolist() == [sum(one.overlaps(other) for other in near) > 1 for one in near]
