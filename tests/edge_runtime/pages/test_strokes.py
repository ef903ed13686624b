import cv2
import numpy as np
import pytest

from edge_runtime.pages.strokes import break_strokes, depth, enlarge, measure, visible, write
from edge_runtime.records import Uint8


def bar(width: int) -> Uint8:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 14 - width // 2 : 14 - width // 2 + width] = 255
    return image


def ring(radius: float, width: float) -> Uint8:
    y, x = np.mgrid[-13.5:14.5, -13.5:14.5]
    away = np.abs(np.hypot(x, y) - radius)
    return np.asarray(255 * np.clip(width / 2 - away + 0.5, 0, 1), np.uint8)


def test_depths_are_roots_of_whole_numbers() -> None:
    shapes = np.pad(np.ones((40, 30), np.uint8), 20)
    expected = np.zeros(shapes.shape, np.float32)
    rows, columns = np.mgrid[:40, :30]
    expected[20:60, 20:50] = np.minimum.reduce([rows + 1, 40 - rows, columns + 1, 30 - columns])
    assert np.array_equal(depth(shapes), expected)
    speckled = (np.random.default_rng(1).random((600, 333)) < 0.9).astype(np.uint8)
    depths = [depth(np.concatenate([np.zeros((i, 333), np.uint8), speckled])[i:]) for i in (0, 1, 2, 3, 5)]
    assert all(np.array_equal(depths[0], other) for other in depths)
    square = np.square(depths[0].astype(np.float64))
    assert np.abs(square - np.rint(square)).max() < 1e-4


@pytest.mark.parametrize("width", [2, 3, 4])
@pytest.mark.parametrize("pen", [0.4, 0.5, 1.0, 2.0, 2.5])
def test_a_pen_is_scaled_by_its_factor(width: int, pen: float) -> None:
    for image in (bar(width), ring(8, width)):
        ink = write(measure(image[None])[0], pen, 100)
        across = ink[ink.shape[0] // 2]
        measured = across.sum() / 5 / (2 if across[len(across) // 2] < 0.5 else 1)  # 5 pixels are one of MNIST's
        assert measured == pytest.approx(pen * width, abs=0.15 * width * pen + 0.1)


def test_real_digits_take_half_and_double_pens(digits: tuple[Uint8, Uint8]) -> None:
    measured = measure(digits[0][::5])
    stroke = {pen: [stroke_width(write(one, pen, 120)) for one in measured] for pen in (0.5, 1.0, 2.0)}
    assert np.median(np.divide(stroke[0.5], stroke[1.0])) == pytest.approx(0.5, abs=0.04)
    assert np.median(np.divide(stroke[2.0], stroke[1.0])) == pytest.approx(2.0, abs=0.15)
    drawn = [stroke_width(enlarge(image, 120)) for image in digits[0][::5]]
    assert np.median(np.divide(stroke[1.0], drawn)) == pytest.approx(1.0, abs=0.08)


def stroke_width(ink: np.ndarray) -> float:
    """Return the median of twice the distance from the middle of a stroke to its rim."""
    inside = cv2.distanceTransform((ink >= 0.5).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    middle = (inside >= cv2.dilate(inside, np.ones((3, 3)))) & (inside > 0)
    return float(np.median(2 * inside[middle] - 0.5))


def test_a_thin_pen_breaks_no_stroke(digits: tuple[Uint8, Uint8]) -> None:
    for image, one in zip(digits[0][::5], measure(digits[0][::5]), strict=True):
        assert pieces(write(one, 0.5, 160)) <= pieces(enlarge(image, 160), 0.5)


def pieces(ink: np.ndarray, least: float = 0.3) -> int:
    return cv2.connectedComponents((ink >= least).astype(np.uint8))[0] - 1


def test_a_small_digit_is_written_smoothly() -> None:
    ink = write(measure(bar(3)[None])[0], 0.5, 12)
    assert ink.shape[0] == pytest.approx(14, abs=1)
    assert ink.sum(axis=1).max() == pytest.approx(0.5 * 3 * 12 / 20, rel=0.2)


def test_faint_ink_is_still_a_stroke() -> None:
    ink = write(measure((bar(3) // 4)[None])[0], 1.0, 40)
    assert ink.max() == 1


@pytest.mark.parametrize("gaps", [1, 2, 3])
def test_each_gap_splits_one_piece_within_the_box(gaps: int) -> None:
    ink = enlarge(bar(3), 120)
    cut = break_strokes(ink, gaps, (4, 4), np.random.default_rng(gaps))
    assert pieces(cut) == gaps + 1
    assert visible(cut, 0, 0) == visible(ink, 0, 0)
    lost = (ink - cut).sum() / ink.sum(axis=1).max()
    assert lost == pytest.approx(4 * gaps, rel=0.15)


def test_a_dot_too_small_stays_whole() -> None:
    ink = np.zeros((7, 7), np.float32)
    ink[3, 3] = 1
    assert np.array_equal(break_strokes(ink, 3, (1, 2), np.random.default_rng(1)), ink)
    assert np.array_equal(break_strokes(ink * 0, 3, (1, 2), np.random.default_rng(1)), ink * 0)
