from typing import Any

import numpy as np
import pytest

from edge_runtime.pages.draw import PageStyle, draw_page

WHITE: dict[str, Any] = {"grain": 0, "shade": 0, "blur": (0, 0), "paper": (200, 200), "size": (320, 240)}


def brightness(seed: int = 1, **style: Any) -> np.ndarray:
    """Return how bright an empty page is under a light, as a factor: (H, W), of its red channel."""
    empty = np.zeros((0, 28, 28), np.uint8)
    page = draw_page(empty, [], np.random.default_rng(seed), PageStyle(**WHITE, **style))
    return page.pixels[:, :, 2] / 200


def test_a_shadow_falls_within_its_penumbra() -> None:
    angles = []
    for seed in range(8):
        light = brightness(seed, shadow=(0.5, 0.5), penumbra=(4, 4))
        assert light.max() == pytest.approx(1, abs=0.005)
        assert light.min() == pytest.approx(0.5, abs=0.005)
        dark = (light < 0.55).mean()
        assert 0.1 < dark < 0.9
        down, across = np.gradient(light)
        slope = np.hypot(down, across)
        assert slope.max() == pytest.approx(0.5 / 4, rel=0.1)
        edge = slope > 0.1
        assert edge.sum() < 5 * np.hypot(320, 240)
        angles.append(np.arctan2(down[edge].mean(), across[edge].mean()))
    assert np.std(angles) > 0.5


def test_a_gradient_falls_evenly_across_corners() -> None:
    light = brightness(gradient=(0.4, 0.4))
    assert light.max() == pytest.approx(1, abs=0.01)
    assert light.min() == pytest.approx(0.4, abs=0.01)
    corners = [light[y, x] for y in (0, -1) for x in (0, -1)]
    assert (light.max(), light.min()) == (max(corners), min(corners))
    down, across = np.gradient(light[::20, ::20])
    assert max(down.std(), across.std()) < 0.005


def test_a_vignette_darkens_the_corners_alike() -> None:
    light = brightness(vignette=(0.6, 0.6))
    assert light[120, 160] == pytest.approx(1, abs=0.005)
    assert [light[y, x] for y in (0, -1) for x in (0, -1)] == pytest.approx([0.6] * 4, abs=0.005)


def test_glare_adds_brightness_around_one_spot() -> None:
    extra = 200 * (brightness(glare=(40, 40)) - 1)
    assert extra.max() == pytest.approx(40, abs=1)
    y, x = np.unravel_index(extra.argmax(), extra.shape)
    assert extra[y, x] > extra[y, x - 30] > extra[y, x - 60] >= 0 or extra[y, x] > extra[y, x + 30] >= 0
    assert (extra < 1).mean() > 0.3


def test_a_cast_dims_each_channel_by_another_factor() -> None:
    empty = np.zeros((0, 28, 28), np.uint8)
    plain, tinted = (
        draw_page(empty, [], np.random.default_rng(1), PageStyle(**WHITE, cast=cast)).pixels for cast in (0, 0.4)
    )
    factors = tinted.mean(axis=(0, 1)) / plain.mean(axis=(0, 1))
    assert 0.6 <= factors.min() < factors.max() <= 1
    assert len(set(np.round(factors, 3))) == 3


def test_light_of_factor_1_changes_nothing() -> None:
    assert np.array_equal(brightness(), brightness(shadow=(1, 1), gradient=(1, 1), glare=(0, 0), penumbra=(9, 9)))
