import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from edge_runtime.ink import ink_plane
from edge_runtime.records import Uint8

STROKE = np.s_[30:90, 70:78]


def three(gray: Uint8) -> Uint8:
    return np.repeat(gray[:, :, None], 3, axis=2)


def page(paper: int = 200, mark: int = 0, size: tuple[int, int] = (120, 160)) -> Uint8:
    pixels = np.full(size, paper, np.uint8)
    pixels[STROKE] = mark
    return pixels


@pytest.mark.parametrize(("paper", "mark", "expected"), [(200, 0, 255), (200, 40, 204), (255, 128, 127), (60, 30, 128)])
def test_ink_is_how_much_darker_the_mark_is_than_its_paper(paper: int, mark: int, expected: int) -> None:
    ink = ink_plane(page(paper, mark))
    assert ink[60, 74] == pytest.approx(expected, abs=1)
    assert ink[:20].max() == ink[100:].max() == ink[:, :60].max() == ink[:, 90:].max() == 0


def test_light_on_dark_gives_the_ink_of_dark_on_light() -> None:
    dark_on_light = ink_plane(page(200, 40))
    light_on_dark = ink_plane(255 - page(200, 40))
    assert np.abs(dark_on_light.astype(int) - light_on_dark).max() <= 2
    assert dark_on_light[60, 74] > 200


def test_shading_across_the_page_is_no_ink() -> None:
    shaded = np.tile(np.linspace(110, 250, 320).astype(np.uint8), (240, 1))
    shaded[100:140, 150:158] = shaded[100:140, 150:158] // 4
    ink = ink_plane(shaded)
    assert ink[120, 154] > 180
    ink[98:142, 148:160] = 0
    assert ink.max() < 40


def test_a_colored_pen_is_ink_too() -> None:
    pixels = three(page(230, 230))
    pixels[STROKE] = 200, 60, 40  # a blue pen
    assert ink_plane(pixels)[60, 74] > 120


def test_gray_in_three_channels_gives_the_ink_of_one() -> None:
    pixels = page(180, 35)
    assert np.array_equal(ink_plane(three(pixels)), ink_plane(pixels))


@pytest.mark.parametrize("brightness", [0, 1, 128, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (48, 64), (600, 400, 3)])
def test_an_empty_page_has_no_ink(brightness: int, shape: tuple[int, ...]) -> None:
    assert ink_plane(np.full(shape, brightness, np.uint8)).max() == 0


def test_a_black_border_is_no_ink_beyond_its_edge() -> None:
    pixels = np.full((200, 300), 220, np.uint8)
    pixels[:, :150] = 0
    assert ink_plane(pixels)[:, :50].max() == 0


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (2, 2), (1000, 30)])
def test_any_proportions_work(shape: tuple[int, int]) -> None:
    pixels = np.full(shape, 200, np.uint8)
    pixels[-1, -1] = 0
    assert ink_plane(pixels).shape == shape


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_any_picture_has_ink_of_its_own_size_and_stays_as_it_was(pixels: Uint8) -> None:
    before = pixels.copy()
    for picture in (pixels, three(pixels)):
        ink = ink_plane(picture)
        assert ink.dtype == np.uint8
        assert ink.shape == pixels.shape
    assert np.array_equal(pixels, before)
