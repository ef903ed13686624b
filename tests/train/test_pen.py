import cv2
import numpy as np
import pytest

from edge_runtime.records import Uint8
from train.pen import with_pen


def seven(bar: int, stem: int) -> Uint8:
    """Return a 7 with strokes of these widths, in pixels."""
    ink = np.zeros((60, 40), np.uint8)
    ink[10 : 10 + bar, 5:30] = 255
    ink[10:50, 30 - stem : 30] = 255
    return ink


@pytest.mark.parametrize(("pen", "width"), [(-2, 6), (0, 8), (2, 10)])
def test_strokes_change_by_the_pen(pen: int, width: int) -> None:
    assert np.count_nonzero(with_pen(seven(8, 8), pen)[35]) == width


@pytest.mark.parametrize("pen", range(-6, 0))
def test_thin_strokes_survive_beside_thick_ones(pen: int) -> None:
    thinner = with_pen(seven(9, 2), pen)
    assert np.count_nonzero(thinner[45]) == (1 if pen == -1 else 2)  # the stem
    assert cv2.connectedComponents((thinner > 0).astype(np.uint8))[0] - 1 == 1
