import pytest

from edge_runtime.pages.draw import Placed
from edge_runtime.records import Box
from train.matches import drawn_line

# Two lines, "123" each, of digits 20 pixels wide.
DIGITS = [Placed(label, Box(30 * i, 60 * line, 20, 40), line) for line in range(2) for i, label in enumerate("123")]


@pytest.mark.parametrize(
    ("boxes", "text"),
    [
        ([digit.box for digit in DIGITS[:2]], "123"),
        ([digit.box for digit in DIGITS[:3]] + [DIGITS[4].box], None),  # two lines
        ([Box(300, 300, 20, 40)], None),
        ([], None),
        ([DIGITS[0].box, Box(300, 300, 20, 40)], "123"),  # a false digit says nothing about the line
        ([Box(0, 10, 12, 25), Box(12, 10, 30, 25)], "123"),  # cuts in other places than the digits' sides
        ([Box(0, 20, 20, 45)], "123"),  # reaches into the line below
    ],
)
def test_boxes_find_the_line_they_share_most_with(boxes: list[Box], text: str | None) -> None:
    assert drawn_line(boxes, DIGITS) == text


def test_a_page_without_digits_has_no_line() -> None:
    assert drawn_line([Box(0, 0, 9, 9)], []) is None
