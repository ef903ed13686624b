import cv2
import numpy as np
import pytest

from edge_runtime.records import Uint8
from edge_runtime.sinks.canvas import CELL, CROP, FRAME, PALE, TEXT, WIDTH, blank, cell, grid, scaled, write
from edge_runtime.sinks.draw import FONT


def written(text: str, space: int = WIDTH) -> Uint8:
    block = blank(60)
    write(block, text, (20, 30), 0.5, space=space)
    return block


def inked(block: Uint8) -> tuple[int, int, int, int]:
    x, y, width, height = cv2.boundingRect((block != 255).any(axis=2).astype(np.uint8))
    return x, y, width, height


def test_text_stands_on_its_baseline() -> None:
    x, y, width, height = inked(written("Read 7"))
    assert abs(x - 20) <= 2
    assert abs(y + height - 31) <= 2
    assert abs(width - cv2.getTextSize("Read 7", FONT, 0.5, 1)[0][0]) <= 3


def test_text_without_room_is_shortened() -> None:
    long = "a line of text that is too long for the place there is"
    assert inked(written(long))[2] > 200
    x, _, width, _ = inked(written(long, space=100))
    assert 70 < x + width - 20 <= 100
    assert np.array_equal(written("7", space=0), written("..."))


@pytest.mark.parametrize(
    ("text", "same"),
    [("d\u00e9j\u00e0", "d?j?"), ("\udcff.png", "?.png"), ("two\nlines\t\0", "two?lines??"), ("\u4e03", "?")],
)
def test_what_the_font_lacks_becomes_a_question_mark(text: str, same: str) -> None:
    assert np.array_equal(written(text), written(same))


def test_very_long_text_takes_no_time() -> None:
    assert inked(written("x" * 10_000_000))[2] > 1500


def test_pixels_that_are_enlarged_stay_squares() -> None:
    gray = np.array([[10, 20], [30, 40]], np.uint8)
    assert np.array_equal(scaled(gray, (6, 6)), np.kron(gray, np.ones((3, 3), np.uint8)))
    assert scaled(np.dstack([gray] * 3), (1, 1)).tolist() == [[[25, 25, 25]]]
    assert scaled(gray, (7, 1)).shape == (1, 7)


def test_a_crop_is_enlarged_above_its_lines(digits: tuple[Uint8, Uint8]) -> None:
    image = digits[0][0]
    block = cell(image, ["7  99%", "mark 3"], (1, 2, 3))
    assert block.shape == (CELL[1], CELL[0], 3)
    side = 28 * CROP + 2 * FRAME
    inner = block[FRAME : side - FRAME, FRAME : side - FRAME]
    assert np.array_equal(inner[::CROP, ::CROP, 1], image)
    assert np.array_equal(inner, np.kron(image, np.ones((CROP, CROP), np.uint8))[..., None].repeat(3, axis=2))
    assert (block[:side, :side] == (1, 2, 3)).all(axis=2).sum() == side**2 - (side - 2 * FRAME) ** 2
    assert (block[:side, side:] == 255).all()
    below = block[side:]
    assert TEXT[0] <= below[:20].min() < 100 < PALE[0] <= below[20:40].min() < 250
    assert (below[42:] == 255).all()


def test_three_lines_fit_into_a_cell() -> None:
    lines = ["9  100%", "low confidence", "marks 118+119"]
    block = cell(np.zeros((28, 28), np.uint8), lines, (0, 0, 0))
    assert (block[-3:] == 255).all()
    assert (block[28 * CROP + 2 * FRAME :, -1:] == 255).all()


@pytest.mark.parametrize(("count", "rows"), [(0, 0), (1, 1), (14, 1), (15, 2)])
def test_cells_stand_in_rows(count: int, rows: int) -> None:
    cells = [np.full((CELL[1], CELL[0], 3), i, np.uint8) for i in range(count)]
    block = grid("title", cells, (0, 0, 0))
    assert block.shape == (40 + rows * CELL[1], WIDTH, 3)
    assert (block[:40] != 255).any()
    starts = block[40 :: CELL[1], 12 : 12 + 14 * CELL[0] : CELL[0], 0].ravel()
    assert starts[:count].tolist() == list(range(count))
    assert (starts[count:] == 255).all()
