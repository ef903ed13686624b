from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge_runtime.pages.draw import Page, PageStyle, draw_page
from edge_runtime.records import Uint8

GRAY = PageStyle(grain=0, shade=0, blur=(0, 0), paper=(128, 128))


def drawn(digits: tuple[Uint8, Uint8], style: PageStyle, seed: int = 3) -> Page:
    images, labels = digits
    return draw_page(images[::20], labels[::20], np.random.default_rng(seed), style)


@pytest.mark.parametrize("sigma", [5, 20])
def test_the_noise_is_as_strong_as_it_says(digits: tuple[Uint8, Uint8], sigma: float) -> None:
    clean, noisy = (drawn(digits, replace(GRAY, noise=(s, s))).pixels.astype(float) for s in (0, sigma))
    noise = (noisy - clean)[200:]
    assert noise.std() == pytest.approx(sigma, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.1)
    assert abs(np.corrcoef(noise[:, :, 0].ravel(), noise[:, :, 2].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]) < 0.02


def test_a_page_has_its_jpeg_quality(digits: tuple[Uint8, Uint8]) -> None:
    plain, packed = (drawn(digits, PageStyle(jpeg=jpeg)).pixels for jpeg in (None, (30, 30)))
    _, data = cv2.imencode(".jpg", plain, (cv2.IMWRITE_JPEG_QUALITY, 30))
    assert np.array_equal(packed, np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))
    assert not np.array_equal(packed, plain)


def test_blur_is_a_gaussian_of_that_sigma(digits: tuple[Uint8, Uint8]) -> None:
    sharp, soft = (drawn(digits, replace(GRAY, blur=(sigma, sigma))).pixels for sigma in (0, 2))
    expected = cv2.GaussianBlur(sharp.astype(float), (0, 0), 2)
    assert np.abs(expected - soft).max() <= 1
