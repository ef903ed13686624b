from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge_runtime.pages import Page, PageStyle, draw_page
from edge_runtime.records import Uint8
from edge_runtime.spoil import pose, seen, through

GRAY = PageStyle(grain=0, shade=0, blur=(0, 0), paper=(128, 128))


def drawn(digits: tuple[Uint8, Uint8], style: PageStyle, seed: int = 3) -> Page:
    images, labels = digits
    return draw_page(images[::20], labels[::20], np.random.default_rng(seed), style)


def middles(page: Page) -> np.ndarray:
    return np.array([(d.box.x + d.box.width / 2, d.box.y + d.box.height / 2) for d in page.digits])


@pytest.mark.parametrize("angle", [1, 9, 30])
def test_a_page_is_tilted_by_just_that_angle_to_either_side(digits: tuple[Uint8, Uint8], angle: float) -> None:
    signs = set()
    for seed in range(4):
        straight, tilted = (middles(drawn(digits, PageStyle(tilt=t), seed)) for t in ((0, 0), (angle, angle)))
        found, _ = cv2.estimateAffinePartial2D(straight, tilted)
        turn = np.degrees(np.arctan2(found[1, 0], found[0, 0]))
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
    view = np.array([[0.0, -1.0, 100.0], [1.0, 0.0, 20.0], [0.0, 0.0, 1.0]])  # a quarter turn
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


@pytest.mark.parametrize("sigma", [5, 20])
def test_the_noise_is_as_strong_as_it_says(digits: tuple[Uint8, Uint8], sigma: float) -> None:
    clean, noisy = (drawn(digits, replace(GRAY, noise=(s, s))).pixels.astype(float) for s in (0, sigma))
    noise = (noisy - clean)[200:]
    assert noise.std() == pytest.approx(sigma, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.1)
    assert abs(np.corrcoef(noise[:, :, 0].ravel(), noise[:, :, 2].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]) < 0.02


def test_a_page_is_compressed_as_a_jpeg_of_that_quality(digits: tuple[Uint8, Uint8]) -> None:
    plain, packed = (drawn(digits, PageStyle(jpeg=jpeg)).pixels for jpeg in (None, (30, 30)))
    _, data = cv2.imencode(".jpg", plain, (cv2.IMWRITE_JPEG_QUALITY, 30))
    assert np.array_equal(packed, np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))
    assert not np.array_equal(packed, plain)


def test_blur_is_a_gaussian_of_that_sigma(digits: tuple[Uint8, Uint8]) -> None:
    sharp, soft = (drawn(digits, replace(GRAY, blur=(sigma, sigma))).pixels for sigma in (0, 2))
    expected = cv2.GaussianBlur(sharp.astype(float), (0, 0), 2)
    assert np.abs(expected - soft).max() <= 1
