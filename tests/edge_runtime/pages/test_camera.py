from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge_runtime.pages.camera import Pose, places, pose, seen, through
from edge_runtime.pages.draw import Page, PageStyle, draw_page
from edge_runtime.records import Uint8


def drawn(digits: tuple[Uint8, Uint8], style: PageStyle, seed: int = 3) -> Page:
    images, labels = digits
    return draw_page(images[::20], labels[::20], np.random.default_rng(seed), style)


def middles(page: Page) -> np.ndarray:
    return np.array([(d.box.x + d.box.width / 2, d.box.y + d.box.height / 2) for d in page.digits])


@pytest.mark.parametrize("angle", [1, 9, 30])
def test_a_page_is_tilted_by_its_exact_angle(digits: tuple[Uint8, Uint8], angle: float) -> None:
    signs = set()
    for seed in range(4):
        straight, tilted = (middles(drawn(digits, PageStyle(tilt=t), seed)) for t in ((0, 0), (angle, angle)))
        matrix, _ = cv2.estimateAffinePartial2D(straight, tilted)
        turn = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))
        assert abs(turn) == pytest.approx(angle, abs=0.4)
        signs.add(np.sign(turn))
    assert signs == {-1, 1}


@pytest.mark.parametrize("percent", [5, 15, 30])
def test_perspective_shortens_one_side_at_both_its_ends(percent: float) -> None:
    sides = set()
    for seed in range(12):
        style = PageStyle(size=(400, 200), perspective=(percent, percent))
        view = pose(style, [], np.random.default_rng(seed))
        assert view is not None
        corners = through(view, np.array([(0, 0), (400, 0), (400, 200), (0, 200)], float))
        lengths = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
        shorter = lengths / (400, 200, 400, 200)
        assert shorter.min() == pytest.approx(1 - 2 * percent / 100)
        assert np.sort(shorter)[-1] <= np.hypot(1, 2 * percent / 100) + 1e-6
        sides.add(int(shorter.argmin()))
    assert sides == {0, 1, 2, 3}


def test_seen_from_above_nothing_moves() -> None:
    assert pose(PageStyle(), [], np.random.default_rng(1)) is None
    ink = np.ones((3, 4), np.float32)
    assert seen(ink, 5, 6, None) == (ink, 5, 6)


def test_a_piece_is_seen_where_its_corners_are() -> None:
    view = Pose(np.array([[0.0, -1.0, 100.0], [1.0, 0.0, 20.0], [0.0, 0.0, 1.0]]))  # a quarter turn
    ink, x, y = seen(np.ones((3, 5), np.float32), 10, 40, view)
    rows, columns = np.nonzero(ink)
    assert (x + columns.min(), x + columns.max()) == (100 - 42, 100 - 40)
    assert (y + rows.min(), y + rows.max()) == (30, 34)


@pytest.mark.parametrize("size", [(640, 480), (320, 240), (240, 320)])
def test_all_digits_show_from_every_side(digits: tuple[Uint8, Uint8], size: tuple[int, int]) -> None:
    style = PageStyle(size=size, digit_height=(24, 30), tilt=(0, 45), perspective=(0, 35))
    for seed in range(12):
        for digit in drawn(digits, style, seed).digits:
            assert min(digit.box.x, digit.box.y) >= 1
            assert digit.box.right <= size[0] - 1
            assert digit.box.bottom <= size[1] - 1


VIEW = PageStyle(tilt=(7, 7), perspective=(9, 9), desk=("plain",), sheet=(0.6, 0.6))


@pytest.mark.parametrize("curl", [0, 8])
def test_page_and_picture_coordinates_are_inverse(curl: float) -> None:
    view = pose(replace(VIEW, curl=(curl, curl)), [], np.random.default_rng(2))
    assert view is not None
    x, y = places((640, 480), view)
    for row, column in ((30, 50), (200, 400), (470, 630)):
        point = np.array([[x[row, column], y[row, column]]], float)
        assert through(view, point)[0] == pytest.approx((column, row), abs=0.01)
    part = places((20, 10), view, (400, 200))
    assert part[0][0, 0] == pytest.approx(x[200, 400], abs=1e-3)
    assert part[1][9, 19] == pytest.approx(y[209, 419], abs=1e-3)


def test_a_sheet_lies_anywhere_at_its_scale() -> None:
    middles = []
    for seed in range(20):
        view = pose(PageStyle(desk=("wood",), sheet=(0.5, 0.5)), [], np.random.default_rng(seed))
        assert view is not None
        corners = through(view, np.array([(0, 0), (640, 0), (640, 480), (0, 480)], float))
        assert np.ptp(corners, axis=0) == pytest.approx((320, 240))
        assert view.scale == pytest.approx(0.5)
        assert corners.min() >= 0
        middles.append(corners.mean(axis=0))
    assert np.ptp(middles, axis=0).min() > 150


def test_the_middle_of_a_curl_has_its_height() -> None:
    rises = set()
    for seed in range(8):
        view = pose(PageStyle(curl=(5, 5)), [], np.random.default_rng(seed))
        assert view is not None
        left, middle, right = through(view, np.array([(0, 240), (320, 240), (640, 240)], float))
        assert (left[1], right[1]) == pytest.approx((240, 240))
        rises.add(round(float(240 - middle[1])))
    assert rises == {-24, 24}
