import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.records import Uint8
from edge_runtime.vision.rules import without_rules

LONGEST, WINDOW = 84, 7


def page(height: int = 120, width: int = 300) -> Uint8:
    return np.zeros((height, width), np.uint8)


def seven(binary: Uint8) -> Uint8:
    """Draw a 7 whose strokes are 6 pixels wide, 40 pixels high."""
    cv2.line(binary, (100, 40), (124, 40), 255, 6)
    cv2.line(binary, (124, 40), (110, 80), 255, 6)
    return binary


@pytest.mark.parametrize("thickness", [1, 3, WINDOW - 1])
@pytest.mark.parametrize("across", [True, False])
def test_a_rule_is_removed(thickness: int, across: bool) -> None:
    binary = page(300, 300)
    binary[100 : 100 + thickness, 10:290] = 255
    cleaned = without_rules(binary if across else np.ascontiguousarray(binary.T), LONGEST, WINDOW)
    assert cleaned is not None
    assert not cleaned.any()


def test_a_stroke_that_crosses_a_rule_stays_whole() -> None:
    ruled, alone = seven(page()), seven(page())
    ruled[58:61] = 255
    cleaned = without_rules(ruled, LONGEST, WINDOW)
    assert cleaned is not None
    assert np.count_nonzero(cleaned & ~alone) <= 2 * 3 * WINDOW  # of the rule, what is nearest to the stroke
    assert np.count_nonzero(alone & ~cleaned) == 0


def test_a_rule_may_rise_and_bend() -> None:
    binary = page()
    for x in range(10, 290):
        y = round(60 + 0.1 * x + 6 * np.sin(x / 40))
        binary[y - 1 : y + 2, x] = 255
    cleaned = without_rules(binary, LONGEST, WINDOW)
    assert cleaned is not None
    assert not cleaned.any()


def test_nothing_is_left_where_rules_cross() -> None:
    binary = page(300, 300)
    binary[::60] = binary[1::60] = 255
    binary[:, 20::60] = binary[:, 21::60] = 255
    cleaned = without_rules(binary, LONGEST, WINDOW)
    assert cleaned is not None
    assert not cleaned.any()


def test_digits_and_thick_bars_are_no_rules() -> None:
    assert without_rules(seven(page()), LONGEST, WINDOW) is None
    binary = page()
    binary[40 : 40 + WINDOW, 10:290] = 255
    assert without_rules(binary, LONGEST, WINDOW) is None
    short = page()
    short[40:42, 10 : 10 + LONGEST] = 255
    assert without_rules(short, LONGEST, WINDOW) is None
    assert without_rules(page(), LONGEST, WINDOW) is None


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.floats(0, 1))
def test_nothing_is_added(seed: int, height: int, width: int, share: float) -> None:
    binary = np.where(np.random.default_rng(seed).random((height, width)) < share, 255, 0).astype(np.uint8)
    cleaned = without_rules(binary, 10, WINDOW)
    if cleaned is not None:
        assert cleaned.shape == binary.shape
        assert not (cleaned & ~binary).any()
        assert not np.array_equal(cleaned, binary)
