import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.inference.contract import COLUMNS, ROWS
from edge_runtime.records import Box, Uint8
from edge_runtime.vision.strips import HIGH, LEVEL, cut_out, fitted, strip_of

INK = np.zeros((200, 400), np.uint8)


def page(*boxes: Box) -> Uint8:
    ink = INK.copy()
    for box in boxes:
        ink[box.y : box.bottom, box.x : box.right] = 100
    return ink


def test_digits_are_20_centered_rows_at_full_ink() -> None:
    boxes = [Box(100, 60, 20, 40), Box(140, 60, 20, 40)]
    strip = strip_of(page(*boxes), boxes, 1.0)
    assert strip.image.shape == (ROWS, COLUMNS)
    assert strip.height == 40
    inked = np.flatnonzero(strip.image.max(axis=1) > LEVEL / 2)
    assert (inked[0], inked[-1] + 1) == ((ROWS - HIGH) // 2, (ROWS + HIGH) // 2)
    assert strip.image.max() == pytest.approx(LEVEL, abs=2)
    # A digit fits in beside the line, at either end.
    columns = np.flatnonzero(strip.image.max(axis=0) > LEVEL / 2)
    assert (columns[0], columns[-1] + 1) == (24, 54)
    assert strip.width == 78
    assert not strip.image[:, strip.width :].any()


def test_taller_digits_stay_taller_on_the_strip() -> None:
    boxes = [Box(100, 60, 20, 40), Box(140, 60, 20, 40)]
    strip = strip_of(page(*boxes), boxes, 1.25)
    assert strip.height == 50
    inked = np.flatnonzero(strip.image.max(axis=1) > LEVEL / 2)
    assert (inked[0], inked[-1] + 1) == ((ROWS - HIGH / 1.25) // 2, (ROWS + HIGH / 1.25) // 2)


def test_strip_boxes_match_the_picture() -> None:
    boxes = [Box(100, 60, 20, 40), Box(140, 60, 20, 40)]
    strip = strip_of(page(*boxes), boxes, 1.0)
    for box, columns in zip(boxes, ((24, 34), (44, 54)), strict=True):
        assert np.abs(np.subtract(strip.box(*columns), box)).max() <= 1


def test_a_line_that_falls_is_laid_straight() -> None:
    boxes = [Box(60 + 50 * i, 40 + 20 * i, 20, 40) for i in range(4)]
    strip = strip_of(page(*boxes), boxes, 1.0)
    assert strip.step[1] / strip.step[0] == pytest.approx(0.4)
    rows = np.flatnonzero(strip.image.max(axis=1) > LEVEL / 2)
    assert rows[0] >= 2
    assert rows[-1] <= ROWS - 3


def test_a_long_line_is_squeezed_and_ends_inside() -> None:
    boxes = [Box(4 + 30 * i, 90, 10, 20) for i in range(13)]
    strip = strip_of(page(*boxes), boxes, 1.0)
    assert strip.width == COLUMNS
    assert strip.origin[0] == pytest.approx(0, abs=0.5)
    assert strip.origin[0] + COLUMNS * strip.step[0] == pytest.approx(INK.shape[1], abs=2)


def test_a_line_alone_takes_in_what_fits() -> None:
    boxes = [Box(100, 60, 20, 20)]
    strip = strip_of(page(*boxes), boxes, 1.0, alone=True)
    assert strip.origin[0] == pytest.approx(0)  # the picture's edge
    assert strip.width == 120 + (COLUMNS - HIGH) / 2
    assert strip.step[0] == pytest.approx(1)  # not squeezed
    long = [Box(4 + 30 * i, 90, 10, 20) for i in range(13)]
    one, other = (strip_of(page(*long), long, 1.0, alone=alone) for alone in (False, True))
    assert np.array_equal(one.image, other.image)


@given(
    st.lists(
        st.tuples(st.integers(-9, 399), st.integers(-9, 199), st.integers(1, 300), st.integers(1, 300)), min_size=1
    ),
    st.integers(0, 255),
    st.booleans(),
)
def test_any_boxes_give_a_strip(boxes: list[tuple[int, int, int, int]], level: int, alone: bool) -> None:
    strip = strip_of(np.full_like(INK, level), [Box(*box) for box in boxes], 1.0, alone=alone)
    assert strip.image.shape == (ROWS, COLUMNS)
    assert strip.image.dtype == np.uint8
    assert 1 <= strip.width <= COLUMNS


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (64, 900)])
def test_a_band_of_any_size_is_fitted(shape: tuple[int, int]) -> None:
    assert fitted(np.full(shape, 7, np.uint8)).shape == (ROWS, COLUMNS)


def test_a_cut_out_digit_is_whole_and_alone() -> None:
    boxes = [Box(100, 60, 20, 40), Box(140, 60, 20, 40)]
    dot, rule, below = Box(126, 94, 4, 6), Box(90, 104, 90, 2), Box(100, 112, 20, 40)
    ink = page(*boxes, dot, rule, below)
    strip = strip_of(ink, boxes, 1.0)
    for digit in cut_out(ink, strip, [(0.0, 36.5), (36.5, 60.0)]):
        width, height = cv2.boundingRect((digit > 50).astype(np.uint8))[2:]
        assert abs(width - 30) <= 1  # three times as large as on the strip
        assert abs(height - 60) <= 1
        assert digit.max() == 100


def test_a_cut_between_columns_without_ink_is_empty() -> None:
    strip = strip_of(INK, [Box(100, 60, 20, 40)], 1.0)
    (digit,) = cut_out(INK, strip, [(5.0, 5.0)])
    assert digit.shape == (96, 1)
    assert not digit.any()
