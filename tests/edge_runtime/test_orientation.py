from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import DigitReader
from edge_runtime.errors import OptionError
from edge_runtime.orientation import quarter_turn, reads_better, turned, turned_back
from edge_runtime.pages.draw import Page, PageStyle, draw_page
from edge_runtime.records import Box, Frame, Uint8
from edge_runtime.tracking.live_reader import LiveReader
from edge_runtime.vision.boxes import overlap
from tests.edge_runtime.vision.made import glyphs, row, shipped
from train.conditions import style

Digits = tuple[Uint8, Uint8]


class Counting(DigitReader):
    """Counts the pictures that the network is shown."""

    def __init__(self, turn: int | None = None) -> None:
        super().__init__(turn=turn)
        self.rows = 0
        shown = self.classifier.confidences

        def counted(images: Uint8) -> np.ndarray:
            self.rows += len(images)
            return shown(images)

        self.classifier.confidences = counted  # type: ignore[method-assign]


@pytest.fixture
def counting() -> Iterator[Counting]:
    with Counting() as reader:
        yield reader


def page(digits: Digits, text: str = "347254", seed: int = 3) -> Page:
    images, labels = digits
    chosen = [int(np.flatnonzero(labels == int(label))[3]) for label in text]
    style = PageStyle(digit_height=(44, 44), drift=True)
    return draw_page(images[chosen], labels[chosen], np.random.default_rng(seed), style)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_page_reads_as_upright(digits: Digits, counting: Counting, degrees: int) -> None:
    upright = page(digits)
    expected = counting.read(upright.pixels)
    assert (expected.text, expected.turned) == (("347254",), 0)
    rows, counting.rows = counting.rows, 0
    pixels = np.ascontiguousarray(np.rot90(upright.pixels, degrees // 90))  # counterclockwise
    reading = counting.read(pixels)
    assert (reading.text, reading.turned) == (("347254",), degrees)
    assert (reading.height, reading.width) == pixels.shape[:2]
    assert counting.rows <= 1.5 * rows + 3 * 8
    # Boxes are those of the frame: turned, they are where they were on the upright page, but for a pixel of rounding.
    _, back = turned(pixels, degrees)
    for digit, before in zip(reading.digits, expected.digits, strict=True):
        x, y, width, height = digit.box
        assert 0 <= x < x + width <= pixels.shape[1]
        assert 0 <= y < y + height <= pixels.shape[0]
        assert np.abs(np.subtract(digit.box, turned_back(before.box, back, (reading.width, reading.height)))).max() <= 2


@pytest.mark.parametrize("degrees", [-40, -25, 30, 42])
def test_lines_may_rise_and_fall_by_45_degrees(digits: Digits, reader: DigitReader, degrees: int) -> None:
    tilted, _ = turned(page(digits, "3472546").pixels, degrees)
    reading = reader.read(tilted)
    assert reading.text == ("3472546",)
    assert reading.turned == 0


def test_boxes_on_a_tilted_page_cover_its_digits(digits: Digits, reader: DigitReader) -> None:
    images, labels = digits
    chosen = [int(np.flatnonzero(labels == int(label))[3]) for label in "3472546"]
    style = PageStyle(digit_height=(40, 40), tilt=(35, 35))
    tilted = draw_page(images[chosen], labels[chosen], np.random.default_rng(5), style)
    detected = reader.read(tilted.pixels).digits
    assert [digit.label for digit in detected] == list("3472546")
    for one, true in zip(detected, tilted.digits, strict=True):
        shared = (min(one.box.right, true.box.right) - max(one.box.x, true.box.x)) * (
            min(one.box.bottom, true.box.bottom) - max(one.box.y, true.box.y)
        )
        union = one.box.width * one.box.height + true.box.width * true.box.height - shared
        assert shared / union > 0.5


def test_a_page_that_reads_well_asks_nothing_more(digits: Digits, counting: Counting) -> None:
    pixels = page(digits).pixels
    counting.read(pixels)
    with Counting(turn=0) as fixed:
        fixed.read(pixels)
        assert counting.rows == fixed.rows


@pytest.mark.parametrize("text", ["808180", "1108", "696989"])
def test_lookalikes_upside_down_are_read_as_lying(digits: Digits, reader: DigitReader, text: str) -> None:
    reading = reader.read(np.ascontiguousarray(page(digits, text).pixels[::-1, ::-1]))
    assert reading.turned == 0


@pytest.mark.parametrize("text", ["522155", "2222", "80251"])
def test_2_and_5_show_which_way_is_up(digits: Digits, counting: Counting, text: str) -> None:
    upright = page(digits, text).pixels
    assert (counting.read(upright).text, counting.read(upright).turned) == ((text,), 0)
    reading = counting.read(np.ascontiguousarray(upright[::-1, ::-1]))
    assert (reading.text, reading.turned) == ((text,), 180)


def test_upright_pages_need_a_sure_digit_to_turn() -> None:
    def better(now: list[float], then: list[float]) -> bool:
        upright, other = (glyphs(row(len(sure)), sure, label=2) for sure in (now, then))
        return reads_better(upright, other, 180, "0123456789", shipped())

    assert better([0.9, 0.9], [0.99, 0.99])
    assert better([0.0], [0.985])
    assert not better([0.96, 0.96], [0.99, 0.99])  # half as much evidence again, but no sure digit more
    assert not better([0.0], [0.98])


def test_a_maybe_inverted_page_tries_that_alone(digits: Digits, counting: Counting) -> None:
    pixels = page(digits, "522155").pixels
    counting.read(pixels)
    with Counting(turn=0) as fixed:
        fixed.read(pixels)
        assert fixed.rows < counting.rows <= fixed.rows + 8


@pytest.mark.parametrize("seed", [1, 7, 1006, 1011])
def test_a_sheet_on_a_desk_stays(reader: DigitReader, samples: Path, seed: int) -> None:
    # 1 and 7: a keyboard, whose E is a 3 upside down; 1006 and 1011: a cloth whose stripes are larger than the digits.
    with np.load(samples / "digits.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(images), 12, replace=False)
    drawn = draw_page(images[chosen], labels[chosen], rng, style("desk", 3))
    reading = reader.read(drawn.pixels)
    assert reading.turned == 0
    boxes, truth = (np.array([digit.box for digit in one.digits], np.float64) for one in (reading, drawn))
    alike = np.array([[digit.label == true.label for digit in reading.digits] for true in drawn.digits])
    assert np.count_nonzero((alike & (overlap(truth, boxes, np.minimum) > 1 / 2)).any(axis=1)) >= 11


def test_a_chosen_turn_is_used_others_refused(digits: Digits) -> None:
    pixels = np.ascontiguousarray(np.rot90(page(digits).pixels))
    with DigitReader(turn=90) as right, DigitReader(turn=0) as as_it_lies:
        assert right.read(pixels).text == ("347254",)
        assert right.read(page(digits).pixels).turned == 90
        assert as_it_lies.read(pixels).turned == 0
        assert as_it_lies.read(pixels).text != ("347254",)
    with pytest.raises(OptionError, match="turn must be 0, 90, 180 or 270 degrees, not 45"):
        DigitReader(turn=45)


def test_a_moving_page_stays_turned_between_full_searches(digits: Digits, counting: Counting) -> None:
    moving = LiveReader(counting)
    pixels = np.ascontiguousarray(page(digits).pixels[::-1, ::-1])
    first = moving.trace(Frame(pixels, moving=True))
    full, counting.rows = counting.rows, 0
    second = moving.trace(Frame(pixels, moving=True))
    assert first.reading.text == second.reading.text == ("347254",)
    assert (first.turn, second.turn, second.reading.turned) == (180, 180, 180)
    assert counting.rows < full / 2


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_quarter_turns_move_pixels_and_nothing_else(degrees: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 8, 3), np.uint8)
    out, back = turned(pixels, degrees)
    np.testing.assert_array_equal(out, np.rot90(pixels, -degrees // 90))
    row, column = 1, 2
    x, y = np.floor(back @ (column + 0.5, row + 0.5, 1)).astype(int)
    np.testing.assert_array_equal(out[row, column], pixels[y, x])


@given(degrees=st.floats(0, 360), x=st.integers(0, 90), y=st.integers(0, 50), side=st.integers(1, 20))
def test_boxes_turned_back_lie_in_the_picture(degrees: float, x: int, y: int, side: int) -> None:
    out, back = turned(np.zeros((60, 100), np.uint8), degrees)
    assert out.size >= 6000 - 200
    box = turned_back(Box(x, y, side, side), back, (100, 60))
    assert box.width >= 1
    assert box.height >= 1
    assert box.x >= 0
    assert box.y >= 0
    assert box.right <= 100
    assert box.bottom <= 60


def test_a_mark_is_found_again_by_any_turn() -> None:
    pixels = np.full((200, 300), 200, np.uint8)
    cv2.circle(pixels, (220, 60), 12, 0, cv2.FILLED)
    for degrees in (10, 33, 100, 250):
        out, back = turned(pixels, degrees)
        assert out[0, 0] == 200
        x, y, width, height = cv2.boundingRect((out < 100).astype(np.uint8))
        box = turned_back(Box(x, y, width, height), back, (300, 200))
        assert np.abs(np.subtract(box, (208, 48, 25, 25))).max() <= 2


def test_the_nearest_quarter_turn() -> None:
    assert [quarter_turn(degrees) for degrees in (0, 44, 46, 90, 181, 300, 330)] == [0, 0, 90, 90, 180, 270, 0]
