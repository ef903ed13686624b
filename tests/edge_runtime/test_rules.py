import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_runtime.marks import MIN_INK, find_marks
from edge_runtime.records import Box, Uint8
from edge_runtime.rules import REACH, without_rules

SHAPE = (120, 320)


def ruled(angle: float = 0, thickness: int = 3, y: int = 60) -> Uint8:
    """Return a plane with a rule from one side to the other, through the row `y` in the middle."""
    ink = np.zeros(SHAPE, np.uint8)
    fall = round(np.tan(np.radians(angle)) * 150)
    cv2.line(ink, (10, y - fall), (310, y + fall), 255, thickness)
    return ink


def ring(ink: Uint8, x: int, y: int, width: int = 28, height: int = 40) -> Uint8:
    drawn = ink.copy()
    cv2.ellipse(drawn, (x + width // 2, y + height // 2), (width // 2 - 3, height // 2 - 3), 0, 0, 360, 255, 5)
    return drawn


def bar(ink: Uint8, x: int, y: int, width: int = 6, height: int = 40) -> Uint8:
    drawn = ink.copy()
    drawn[y : y + height, x : x + width] = 255
    return drawn


def boxes(ink: Uint8) -> list[Box]:
    return sorted(mark.box for mark in find_marks(ink, MIN_INK)[0])


def close(found: list[Box], wanted: list[Box], pixels: int) -> bool:
    """Tell whether boxes are those that are wanted, each edge within so many pixels."""
    return len(found) == len(wanted) and all(
        max(abs(a.x - b.x), abs(a.y - b.y), abs(a.right - b.right), abs(a.bottom - b.bottom)) <= pixels
        for a, b in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("thickness", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("upright", [False, True])
def test_a_rule_alone_leaves_nothing(thickness: int, upright: bool) -> None:
    ink = ruled(thickness=thickness)
    assert without_rules(np.ascontiguousarray(ink.T) if upright else ink, MIN_INK).max() == 0


@pytest.mark.parametrize("angle", [-15, -10, -5, 5, 10, 15])
@pytest.mark.parametrize("thickness", [2, 3, 5])
def test_a_tilted_rule_leaves_nothing_as_large_as_a_digit(angle: float, thickness: int) -> None:
    left = without_rules(ruled(angle, thickness), MIN_INK)
    assert all(max(box.width, box.height) <= 6 for box in boxes(left))


@pytest.mark.parametrize("angle", [-15, -7, 0, 7, 15])
@pytest.mark.parametrize("rise", [5, 15, 25])
def test_strokes_that_cross_a_rule_stay_whole_and_in_their_place(angle: float, rise: int) -> None:
    alone, crossed = np.zeros(SHAPE, np.uint8), ruled(angle)
    for x in (60, 130, 200):
        y = 60 - 40 + rise + round(np.tan(np.radians(angle)) * (x - 160))
        alone, crossed = bar(ring(alone, x, y), x + 45, y), bar(ring(crossed, x, y), x + 45, y)
    found = [box for box in boxes(without_rules(crossed, MIN_INK)) if box.height > 10]
    assert close(found, boxes(alone), 4)


def test_ink_away_from_a_rule_stays_as_it_was() -> None:
    ink = ring(ruled(y=100), 100, 20)
    left = without_rules(ink, MIN_INK)
    assert np.array_equal(left[:80], ink[:80])
    assert left[80:].max() == 0


def test_the_soft_edges_of_strokes_stay_and_those_of_rules_go() -> None:
    ink = np.asarray(cv2.GaussianBlur(ring(ruled(y=100), 100, 20), (3, 3), 0), np.uint8)
    left = without_rules(ink, 128)
    assert np.array_equal(left[:80], ink[:80])
    assert left[80:].max() == 0


def test_a_rule_with_gaps_goes_as_a_whole() -> None:
    ink = ruled()
    ink[:, 100:102] = ink[:, 200:202] = 0
    assert without_rules(ink, MIN_INK).max() == 0


def test_a_table_goes_and_what_stands_in_it_stays() -> None:
    table = np.zeros((205, 205), np.uint8)
    for at in (1, 51, 101, 151, 201):
        table[at : at + 3, 1:204] = table[1:204, at : at + 3] = 255
    inside = bar(ring(np.zeros_like(table), 61, 56), 25, 106)
    left = without_rules(table | inside, MIN_INK)
    assert close([box for box in boxes(left) if box.height > 10], boxes(inside), 1)


@pytest.mark.parametrize(
    "ink",
    [
        pytest.param(np.zeros(SHAPE, np.uint8), id="nothing"),
        pytest.param(ring(np.zeros(SHAPE, np.uint8), 20, 5, 200, 110), id="a curve"),
        pytest.param(np.full(SHAPE, 255, np.uint8), id="too dense for paper with lines"),
    ],
)
def test_ink_without_a_straight_line_is_the_same_array(ink: Uint8) -> None:
    assert without_rules(ink, MIN_INK) is ink


def test_a_beam_is_no_rule() -> None:
    ink = ruled(thickness=2 * REACH + 5)
    assert without_rules(ink, MIN_INK).sum() > 0.9 * ink.sum()


@given(arrays(np.uint8, st.tuples(st.integers(5, 40), st.integers(5, 40))), st.integers(1, 255), st.integers(0, 39))
def test_of_any_ink_only_some_is_taken_and_none_is_changed(ink: Uint8, threshold: int, row: int) -> None:
    ink[row % len(ink)] = 255
    before = ink.copy()
    left = without_rules(ink, threshold)
    assert left.shape == ink.shape
    assert left.dtype == np.uint8
    assert np.array_equal(ink, before)
    assert ((left == ink) | (left == 0)).all()
