import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from edge_runtime.ink import ink_plane
from edge_runtime.marks import MIN_INK
from edge_runtime.records import Uint8

STROKE = np.s_[30:90, 70:78]
SHAPE = (240, 320)
BLACK, RED, BLUE = (20, 20, 20), (20, 20, 200), (200, 60, 20)  # blue-green-red, all as dark in their darkest channel


def three(gray: Uint8) -> Uint8:
    return np.repeat(gray[:, :, None], 3, axis=2)


def page(paper: int = 200, mark: int = 0, size: tuple[int, int] = (120, 160)) -> Uint8:
    pixels = np.full(size, paper, np.uint8)
    pixels[STROKE] = mark
    return pixels


def colored(paper: tuple[int, int, int], pen: tuple[int, int, int]) -> Uint8:
    pixels = np.empty((120, 160, 3), np.uint8)
    pixels[:], pixels[STROKE] = paper, pen
    return pixels


def off(ink: Uint8, expected: float) -> float:
    """Return how far ink is from what it should be, at most."""
    return float(np.abs(ink.astype(float) - expected).max())


def rings(*centers: tuple[int, int], pen: int = 5) -> Uint8:
    """Return a mask, 1 on 0, of rings as large as digits."""
    mask = np.zeros(SHAPE, np.uint8)
    for center in centers:
        cv2.circle(mask, center, 14, 1, pen)
    return mask


@pytest.mark.parametrize(("paper", "mark", "expected"), [(200, 0, 255), (200, 40, 204), (255, 128, 127), (60, 30, 128)])
def test_ink_is_how_much_darker_the_mark_is_than_its_paper(paper: int, mark: int, expected: int) -> None:
    ink = ink_plane(page(paper, mark))
    assert off(ink[STROKE], expected) <= 1
    ink[STROKE] = 0
    assert ink.max() == 0


def test_light_on_dark_gives_the_ink_of_dark_on_light() -> None:
    assert np.array_equal(ink_plane(255 - page(200, 40)), ink_plane(page(200, 40)))


@pytest.mark.parametrize("pen", [RED, BLUE, (200, 20, 200)])
def test_a_colored_pen_is_as_much_ink_as_a_black_one(pen: tuple[int, int, int]) -> None:
    paper = (230, 230, 230)
    assert np.array_equal(ink_plane(colored(paper, pen)), ink_plane(colored(paper, BLACK)))
    assert ink_plane(colored(paper, pen))[60, 74] == pytest.approx(255 * (230 - 20) / 230, abs=1)


@pytest.mark.parametrize("chalk", [(220, 220, 220), (90, 220, 220), (70, 70, 220), (220, 90, 70), (70, 220, 70)])
def test_chalk_of_any_color_on_a_dark_board_is_as_much_ink_as_white_chalk(chalk: tuple[int, int, int]) -> None:
    ink = ink_plane(colored((40, 60, 40), chalk))
    assert off(ink[60, 74], 255 * (220 - 60) / (255 - 60)) <= 1
    assert np.array_equal(ink, ink_plane(colored((40, 60, 40), (220, 220, 220))))


def test_gray_in_three_channels_gives_the_ink_of_one() -> None:
    for pixels in (page(180, 35), page(35, 180)):
        assert np.array_equal(ink_plane(three(pixels)), ink_plane(pixels))


@pytest.mark.parametrize(("paper", "pen"), [(200, 20), (255, 20), (200, 60)])
@pytest.mark.parametrize(("board", "chalk"), [(0, 255), (50, 230), (50, 180)])
@pytest.mark.parametrize("color", [False, True])
def test_paper_beside_a_board_both_give_ink(paper: int, pen: int, board: int, chalk: int, color: bool) -> None:
    left, right = rings((40, 60), (100, 170)), rings((210, 50), (280, 120), (230, 190))
    pixels = np.full(SHAPE, paper, np.uint8)
    pixels[:, :150] = board
    pixels[left > 0], pixels[right > 0] = chalk, pen
    ink = ink_plane(three(pixels) if color else pixels)
    assert off(ink[left > 0], 255 * (chalk - board) / (255 - board)) <= 1
    assert off(ink[right > 0], 255 * (paper - pen) / paper) <= 1
    bare = (left | right) == 0
    bare[:, 145:155] = False  # the edge of the board
    assert ink[bare].max() == 0


def test_a_shadow_with_a_hard_edge_is_no_ink_and_what_is_written_in_it_stays_the_same() -> None:
    ring = rings((60, 120)) + rings((240, 120))
    pixels = np.where(ring > 0, 22, 220).astype(np.uint8)
    pixels[:, 160:] //= 2
    ink = ink_plane(pixels)
    assert np.abs(ink[:, 30:90].astype(int) - ink[:, 210:270]).max() <= 1
    assert ink[ring > 0].min() >= 228
    ink[ring > 0] = 0
    ink[:, 158:165] = 0  # the edge
    assert ink.max() == 0


def test_the_edge_of_a_shadow_is_a_narrow_band_of_faint_ink() -> None:
    pixels = np.full(SHAPE, 220, np.uint8)
    pixels[:, 160:] = 110
    ink = ink_plane(pixels)
    assert np.count_nonzero(ink.max(axis=0)) <= 3
    assert ink.max() < 90


@pytest.mark.parametrize("edge", [0.3, 0.45, 0.6, 0.75, 1.1, 1.5])
@pytest.mark.parametrize("pen", [2, 3, 5])
def test_a_shadow_across_the_page_does_not_turn_dark_ink_into_light(edge: float, pen: int) -> None:
    ring = rings((40, 60), (80, 60), (120, 60), (160, 60), pen=pen)
    place = np.add.outer(*(np.linspace(0, 1, side) for side in SHAPE))
    ink = ink_plane((np.where(ring > 0, 22, 220) // np.where(place > edge, 2, 1)).astype(np.uint8))
    assert ink[ring > 0].min() > 200
    assert ink[(ring == 0) & (abs(place - edge) > 0.05)].max() < MIN_INK


@pytest.mark.parametrize("shape", [(240, 320), (480, 640), (100, 100)])
def test_corners_darkened_by_the_lens_are_no_ink(shape: tuple[int, int]) -> None:
    rows, columns = (np.linspace(-1, 1, side) for side in shape)
    falloff = 1 - 0.25 * np.add.outer(rows**2, columns**2)  # half the light in the corners
    ink = ink_plane((220 * falloff).round().astype(np.uint8))
    assert ink.max() < 12


@pytest.mark.parametrize(("table", "paper"), [(20, 220), (40, 220), (0, 255), (40, 180)])
def test_the_edges_of_the_paper_on_a_dark_table_are_no_ink(table: int, paper: int) -> None:
    pixels = np.full(SHAPE, table, np.uint8)
    pixels[40:200, 60:260] = paper
    ring = rings((160, 120))
    pixels[ring > 0] = 20
    ink = ink_plane(pixels)
    assert off(ink[ring > 0], 255 * (paper - 20) / paper) <= 1
    ink[ring > 0] = 0
    assert ink.max() < MIN_INK


def test_shading_across_the_page_is_no_ink() -> None:
    shaded = np.tile(np.linspace(110, 250, 320).astype(np.uint8), (240, 1))
    assert ink_plane(shaded).max() < 12
    assert ink_plane(np.ascontiguousarray(shaded.T)).max() < 12
    shaded[100:140, 150:158] //= 4
    ink = ink_plane(shaded)
    assert off(ink[100:140, 150:158], 192) <= 6
    ink[100:140, 150:158] = 0
    assert ink.max() < 12


@pytest.mark.parametrize("brightness", [0, 1, 128, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (48, 64), (600, 400, 3)])
def test_an_empty_page_has_no_ink(brightness: int, shape: tuple[int, ...]) -> None:
    assert ink_plane(np.full(shape, brightness, np.uint8)).max() == 0


def test_a_black_border_is_no_ink_beyond_its_edge() -> None:
    pixels = np.full((200, 300), 220, np.uint8)
    pixels[:, :150] = 0
    assert ink_plane(pixels)[:, :50].max() == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2), (1, 3000), (3000, 1), (1000, 30), (159, 161)])
def test_any_proportions_work(shape: tuple[int, int]) -> None:
    pixels = np.full(shape, 200, np.uint8)
    pixels[-1, -1] = 0
    for picture in (pixels, three(pixels)):
        ink = ink_plane(picture)
        assert ink.shape == shape
        assert ink.dtype == np.uint8


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_any_picture_has_ink_of_its_own_size_and_stays_as_it_was(pixels: Uint8) -> None:
    before = pixels.copy()
    ink = ink_plane(pixels)
    assert ink.dtype == np.uint8
    assert ink.shape == pixels.shape
    assert np.array_equal(ink_plane(three(pixels)), ink)
    assert np.array_equal(pixels, before)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=24).map(lambda s: (*s, 3))))
def test_any_colors_give_ink_of_their_own_size_and_stay_as_they_were(pixels: Uint8) -> None:
    before = pixels.copy()
    ink = ink_plane(pixels)
    assert ink.shape == pixels.shape[:2]
    assert ink.dtype == np.uint8
    assert np.array_equal(pixels, before)
