import numpy as np
import pytest

from edge_runtime.lines.transcript import lines_of, numbered, rejections_of, words_of
from edge_runtime.lines.written import Words, Written, text_of
from edge_runtime.records import Box, Digit, Line
from edge_runtime.vision.rejection import CLUTTER, READ_ELSEWHERE
from tests.edge_runtime.vision.made import glyphs, row

BOXES = [Box(0, 0, 20, 40), Box(30, 0, 20, 40), Box(100, 0, 20, 40), Box(0, 80, 20, 40)]
LINES = [[[0, 1], [2]], [[3]]]


def words() -> list[Words]:
    confidences = np.array([[0.7, 0.2, 0.1, 0.0], [0.1, 0.8, 0.0, 0.0], [0.0, 0.1, 0.6, 0.3], [0.0, 0.0, 0.1, 0.9]])
    return words_of(LINES, BOXES, confidences, "abcd")


def test_digits_are_in_order_with_likeliest_labels() -> None:
    assert list(numbered([Written(line, 1.0) for line in words()])) == [
        Digit("a", 0.7, BOXES[0], 0, (("a", 0.7), ("b", 0.2), ("c", 0.1))),
        Digit("b", 0.8, BOXES[1], 0, (("b", 0.8), ("a", 0.1), ("c", 0.0))),
        Digit("c", 0.6, BOXES[2], 0, (("c", 0.6), ("d", 0.3), ("b", 0.1))),
        Digit("d", 0.9, BOXES[3], 1, (("d", 0.9), ("c", 0.1), ("a", 0.0))),
    ]
    assert [text_of(line) for line in words()] == ["ab c", "d"]


def test_lines_have_the_likeliest_other_texts() -> None:
    lines = lines_of(list(map(Written, words(), [0.5, 0.99])))
    assert lines[0].box == Box(0, 0, 120, 40)
    assert [text for text, _ in lines[0].alternatives] == ["ab d", "bb c", "ab b"]
    assert [likely for _, likely in lines[0].alternatives] == pytest.approx([0.5 * 0.3 / 0.6, 0.5 * 0.2 / 0.7, 0.5 / 6])
    # No other text is likelier than that the line is wrong.
    assert dict(lines[1].alternatives) == {"c": pytest.approx(0.01), "a": 0.0}
    assert lines_of([]) == ()


def test_the_other_reading_is_an_alternative_once() -> None:
    first, second = lines_of(list(map(Written, words(), [0.5, 0.99], [("abbc", 0.4), ("c", 0.4)])))
    assert first.alternatives[0] == ("abbc", 0.4)
    assert [text for text, _ in first.alternatives[1:]] == ["ab d", "bb c"]
    # It is no likelier than that the line is wrong, either.
    assert dict(second.alternatives) == {"c": pytest.approx(0.01), "a": 0.0}


def test_digits_are_numbered_by_remaining_lines() -> None:
    assert [digit.line for digit in numbered([Written(words()[1], 1.0)])] == [0]


def test_wholly_uncertain_digits_still_have_alternatives() -> None:
    nothing = Digit("7", 0.0, BOXES[0], 0, (("7", 0.0), ("1", 0.0)))
    assert lines_of([Written([[nothing]], 0.0)]) == (Line("7", 0.0, BOXES[0], (("1", 0.0),)),)


def test_ink_that_was_read_is_not_rejected() -> None:
    boxes = row(3)
    page = glyphs([*boxes, boxes[0], (500, 100, 20, 40)], [0.9, 0.8, 0.7, 0.6, 0.5])
    at = [Box(*map(int, box)) for box in page.boxes]
    marks = rejections_of(page, at, [None, CLUTTER, READ_ELSEWHERE, CLUTTER, CLUTTER], page.confidences)
    assert [(mark.box, mark.reason, mark.confidence) for mark in marks] == [
        (at[1], CLUTTER, 0.8),
        (at[4], CLUTTER, 0.5),
    ]
