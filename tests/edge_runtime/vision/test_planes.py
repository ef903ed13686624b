import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from edge_runtime.records import Uint8
from edge_runtime.vision.planes import Plane, ink_planes, rescaled

SHAPE = (480, 640)  # neither enlarged nor reduced
STROKE = np.s_[200:260, 300:308]
BLACK, RED, BLUE = (20, 20, 20), (20, 20, 200), (200, 60, 20)  # blue-green-red, all as dark in their darkest channel


def page(paper: int = 200, mark: int = 0) -> Uint8:
    pixels = np.full(SHAPE, paper, np.uint8)
    pixels[STROKE] = mark
    return pixels


def colored(paper: tuple[int, int, int], pen: tuple[int, int, int]) -> Uint8:
    pixels = np.empty((*SHAPE, 3), np.uint8)
    pixels[:], pixels[STROKE] = paper, pen
    return pixels


def three(gray: Uint8) -> Uint8:
    return np.repeat(gray[:, :, None], 3, axis=2)


def finest(pixels: Uint8, light: bool = False) -> Uint8:
    """Return the ink of one polarity on the finest level."""
    (ink,) = [plane.ink for plane in ink_planes(pixels) if (plane.level, plane.light) == (0, light)]
    return ink


def without(ink: Uint8, mask: Uint8, reach: int = 3) -> Uint8:
    """Return the ink further than so many pixels from a mask."""
    near = cv2.dilate(np.asarray(mask > 0, np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return np.where(near > 0, 0, ink).astype(np.uint8)


def ring(*centers: tuple[int, int]) -> Uint8:
    """Return a mask, 1 on 0, of rings as large as digits."""
    mask = np.zeros(SHAPE, np.uint8)
    for center in centers:
        cv2.circle(mask, center, 18, 1, 5)
    return mask


@pytest.mark.parametrize(("paper", "mark", "expected"), [(200, 0, 255), (200, 40, 204), (255, 128, 127)])
def test_ink_is_how_much_darker_than_paper(paper: int, mark: int, expected: int) -> None:
    ink = finest(page(paper, mark))
    assert ink[STROKE].min() == pytest.approx(expected, abs=1)
    assert ink[STROKE].max() == pytest.approx(expected, abs=1)
    assert np.count_nonzero(ink) == 60 * 8


def test_a_stroke_is_ink_of_one_polarity() -> None:
    assert finest(page()).max() == 255
    assert finest(page(), light=True)[STROKE].max() == 0


@pytest.mark.parametrize("pen", [RED, BLUE, (200, 20, 200)])
def test_a_colored_pen_is_as_much_ink(pen: tuple[int, int, int]) -> None:
    paper = (230, 230, 230)
    assert np.array_equal(finest(colored(paper, pen)), finest(colored(paper, BLACK)))


@pytest.mark.parametrize("chalk", [(90, 220, 220), (70, 70, 220), (220, 90, 70), (70, 220, 70)])
def test_colored_chalk_is_as_much_ink(chalk: tuple[int, int, int]) -> None:
    board = (40, 60, 40)
    white = finest(colored(board, (220, 220, 220)), light=True)
    assert np.array_equal(finest(colored(board, chalk), light=True), white)
    assert white[STROKE].min() > 150


def same(planes: tuple[Plane, ...], others: tuple[Plane, ...], apart: int = 0) -> bool:
    """Tell whether planes are the same, but for so many levels of ink."""
    return len(planes) == len(others) and all(
        one[1:] == other[1:]
        and one.ink.shape == other.ink.shape
        and np.abs(one.ink.astype(int) - other.ink).max(initial=0) <= apart
        for one, other in zip(planes, others, strict=True)
    )


def test_a_broad_dark_desk_is_no_ink() -> None:
    pixels = np.full(SHAPE, 30, np.uint8)
    cv2.fillConvexPoly(pixels, np.array([(150, 90), (520, 60), (560, 400), (120, 420)]), 220)  # a sheet
    sheet, mask = pixels.copy(), ring((300, 200), (400, 250))
    pixels[mask > 0] = 20
    ink = finest(pixels)
    assert ink[mask > 0].min() >= 225
    assert without(ink, mask).max() < 8
    assert finest(sheet).max() < 8


def test_ink_near_a_dark_edge_stays() -> None:
    # A strip narrower than a stroke is ink; on the first row of samples, it must not count as the grain of the paper.
    pixels = np.random.default_rng(1).integers(222, 232, SHAPE, np.uint8)
    pixels[15:45, 300:305] = 60
    alone = finest(pixels)[15:45, 300:305]
    assert alone.min() > 150
    pixels[:5] = 50
    assert np.abs(finest(pixels)[15:45, 300:305].astype(int) - alone).max() <= 10


def test_paper_beside_a_board_both_give_ink() -> None:
    chalk, pen = ring((100, 120), (180, 340)), ring((420, 100), (520, 240), (460, 380))
    pixels = np.full(SHAPE, 200, np.uint8)
    pixels[:, :300] = 50
    pixels[chalk > 0], pixels[pen > 0] = 230, 20
    assert finest(pixels)[pen > 0].min() > 200
    assert finest(pixels, light=True)[chalk > 0].min() > 200
    assert finest(pixels)[:, :290].max() < finest(pixels)[pen > 0].min()
    assert without(finest(pixels), pen)[:, 310:].max() == 0


@pytest.mark.parametrize("soft", [1, 15])
def test_ink_stays_the_same_in_a_shadow(soft: int) -> None:
    mask = ring((160, 240)) + ring((480, 240))
    lit = np.full(SHAPE, 1.0, np.float32)
    lit[:, 320:] = 0.5
    light = np.asarray(cv2.GaussianBlur(lit, (0, 0), soft))
    ink = finest((np.where(mask > 0, 22, 220) * light).round().astype(np.uint8))
    assert np.abs(ink[:, 100:220].astype(int) - ink[:, 420:540]).max() <= 3
    assert ink[mask > 0].min() >= 225
    assert without(ink, mask)[:, :290].max() < 8
    assert without(ink, mask)[:, 350:].max() < 8


def test_shading_and_vignette_are_no_ink() -> None:
    rows, columns = (np.linspace(-1, 1, side) for side in SHAPE)
    lens = 1 - 0.25 * np.add.outer(rows**2, columns**2)  # half the light in the corners
    shaded = np.tile(np.linspace(110, 250, SHAPE[1]), (SHAPE[0], 1))
    for pixels in (220 * lens, shaded):
        assert all(plane.ink.max() < 26 for plane in ink_planes(pixels.round().astype(np.uint8)) if plane.level == 0)


@pytest.mark.parametrize("sigma", [3, 6, 10, 16])
def test_noise_leaves_little(sigma: float) -> None:
    noise = np.random.default_rng(5).normal(190, sigma, SHAPE).clip(0, 255).round().astype(np.uint8)
    for plane in ink_planes(noise):
        assert np.mean(plane.ink > 25) < 0.002


def test_a_sheet_on_leather_keeps_faint_ink() -> None:
    desk = np.random.default_rng(6).normal(60, 20, SHAPE)
    leather = cv2.GaussianBlur(desk, (0, 0), 1.5) * 3 - 120  # coarse grain over most of the picture
    pixels = leather.clip(0, 255).round().astype(np.uint8)
    pixels[120:360, 180:460] = 230
    mask = ring((260, 200), (380, 280))
    pixels[mask > 0] = 150
    ink = finest(pixels)
    assert np.median(ink[:100]) == 0  # the grain is no ink
    assert ink[mask > 0].min() >= 80


@pytest.mark.parametrize("brightness", [0, 1, 128, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (48, 64), (600, 400, 3)])
def test_an_empty_page_has_no_ink(brightness: int, shape: tuple[int, ...]) -> None:
    assert all(plane.ink.max() == 0 for plane in ink_planes(np.full(shape, brightness, np.uint8)))


def test_each_level_is_half_as_fine() -> None:
    planes = ink_planes(page())
    assert [plane.level for plane in planes] == [level for level in range(len(planes) // 2) for _ in range(2)]
    for plane in planes:
        assert plane.scale == 2**plane.level
        assert plane.ink.shape == (480 // 2**plane.level, 640 // 2**plane.level)
    assert len(planes) >= 6


def test_a_broad_stroke_is_ink_when_coarser() -> None:
    pixels = np.full(SHAPE, 220, np.uint8)
    pixels[100:380, 300:350] = 20  # a felt pen close to the camera
    dark = [plane for plane in ink_planes(pixels) if not plane.light]
    assert dark[0].ink[240, 325] == 0
    assert dark[-1].ink[240 >> dark[-1].level, 325 >> dark[-1].level] > 200


@pytest.mark.parametrize(
    ("shape", "becomes"),
    [((30, 40), "larger"), (SHAPE, "the same"), ((1000, 1400), "the same"), ((3000, 4000), "smaller")],
)
def test_small_pictures_are_enlarged_and_large_reduced(shape: tuple[int, int], becomes: str) -> None:
    pixels = np.full(shape, 200, np.uint8)
    picture, scale = rescaled(pixels)
    assert (picture is pixels) == (becomes == "the same")
    assert {scale < 1: "larger", scale == 1: "the same", scale > 1: "smaller"}[True] == becomes
    assert np.multiply(picture.shape, scale) == pytest.approx(shape, abs=scale)
    assert ink_planes(pixels)[0].scale == scale


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2), (1, 3000), (3000, 1), (1000, 30), (159, 161)])
def test_any_proportions_work(shape: tuple[int, int]) -> None:
    pixels = np.full(shape, 200, np.uint8)
    pixels[-1, -1] = 0
    assert same(ink_planes(pixels), ink_planes(three(pixels)))


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_any_picture_has_planes_and_stays_unchanged(pixels: Uint8) -> None:
    before = pixels.copy()
    planes = ink_planes(pixels)
    assert all(plane.ink.dtype == np.uint8 and plane.ink.ndim == 2 for plane in planes)
    for dark, light in zip(planes[::2], planes[1::2], strict=True):
        assert (dark.level, dark.scale, dark.light, light.light) == (light.level, light.scale, False, True)
        assert dark.ink.shape == light.ink.shape
    assert np.multiply(planes[0].ink.shape, planes[0].scale) == pytest.approx(pixels.shape, abs=planes[0].scale)
    assert same(ink_planes(three(pixels)), planes)
    assert np.array_equal(pixels, before)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40).map(lambda s: (*s, 3))))
def test_inverted_colors_swap_the_planes(pixels: Uint8) -> None:
    swapped = [plane._replace(light=not plane.light) for plane in ink_planes(255 - pixels)]
    # Enlarging rounds halves up: a level of gray, which is three of ink on dark paper, and twice that of its grain.
    assert same(tuple(sorted(swapped, key=lambda plane: (plane.level, plane.light))), ink_planes(pixels), apart=9)
