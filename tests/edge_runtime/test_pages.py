import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.pages import PageStyle, draw_page
from edge_runtime.records import Box, Uint8

CLEAN = PageStyle(grain=0, shade=0, blur=(0, 0), paper=(255, 255), inks=((0, 0, 0),))


def test_the_same_seed_draws_the_same_page_and_another_does_not(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    one, same, other = (draw_page(images[:20], labels[:20], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.pixels, same.pixels)
    assert one.digits == same.digits
    assert one.digits != other.digits


def test_a_page_tells_its_text_in_the_order_given(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    page = draw_page(images[::9], labels[::9], np.random.default_rng(5), PageStyle(digit_height=(40, 40)))
    assert page.pixels.shape == (480, 640, 3)
    assert page.pixels.dtype == np.uint8
    assert "".join(page.text) == "".join(map(str, labels[::9]))
    assert len(page.text) > 1
    assert all(line == "".join(d.label for d in page.digits if d.line == n) for n, line in enumerate(page.text))


def test_the_boxes_hold_the_ink_and_nothing_else_is_drawn(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    page = draw_page(images[::8], labels[::8], np.random.default_rng(6), CLEAN)
    ink = 255 - page.pixels[:, :, 2].astype(int)  # the red channel is not tinted
    for digit in page.digits:
        x, y, width, height = digit.box
        part = ink[y : y + height, x : x + width]
        assert part.max() > 200
        edges = (part[0].max(), part[-1].max(), part[:, 0].max(), part[:, -1].max())
        assert min(edges) >= 95
        part[:] = 0
    assert ink.max() <= 96


def test_boxes_lie_inside_the_page_and_digits_keep_their_distance(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    for seed in range(20):
        page = draw_page(images[seed::20], labels[seed::20], np.random.default_rng(seed))
        for digit in page.digits:
            assert digit.box.x >= 0
            assert digit.box.y >= 0
            assert digit.box.right <= 640
            assert digit.box.bottom <= 480
        for one, other in zip(page.digits, page.digits[1:], strict=False):
            assert one.line < other.line or one.box.right < other.box.x


def test_chalk_is_light_on_dark(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    pen = draw_page(images[:5], labels[:5], np.random.default_rng(1))
    chalk = draw_page(images[:5], labels[:5], np.random.default_rng(1), PageStyle(light_on_dark=True))
    assert np.median(pen.pixels) > 150
    assert np.median(chalk.pixels) < 100
    assert pen.digits == chalk.digits


def test_too_many_digits_are_refused(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    with pytest.raises(ValueError, match="200 digits 60 pixels high do not fit on 320x240"):
        draw_page(images, labels, np.random.default_rng(1), PageStyle(size=(320, 240), digit_height=(60, 60)))


def test_as_many_labels_as_digits_are_needed(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    with pytest.raises(ValueError, match="shorter"):
        draw_page(images[:3], labels[:2], np.random.default_rng(1))


@pytest.mark.parametrize("style", [{"size": (0, 480)}, {"digit_height": (0, 10)}, {"inks": ()}])
def test_a_style_that_cannot_be_drawn_is_refused(style: dict[str, tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="a page needs"):
        PageStyle(**style)  # type: ignore[arg-type]


def test_an_empty_page_has_no_text() -> None:
    page = draw_page(np.zeros((0, 28, 28), np.uint8), [], np.random.default_rng(1))
    assert page.text == ()
    assert page.digits == ()


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_what_is_drawn_can_be_read(reader: DigitReader, digits: tuple[Uint8, Uint8], light_on_dark: bool) -> None:
    images, labels = digits
    style = PageStyle(light_on_dark=light_on_dark)
    right = 0
    for seed in range(4):
        page = draw_page(images[seed::8], labels[seed::8], np.random.default_rng(seed), style)
        read = reader.read(page.pixels).digits
        for drawn in page.digits:
            near = [digit for digit in read if np.abs(np.subtract(digit.box, drawn.box)).max() <= 6]
            right += [digit.label for digit in near] == [drawn.label]
    assert right >= 95  # of 100


def test_a_box_knows_its_far_sides_and_its_union() -> None:
    box = Box(10, 20, 30, 40)
    assert (box.right, box.bottom) == (40, 60)
    assert box.union(Box(0, 50, 5, 20)) == Box(0, 20, 40, 50)
    assert box.union(Box(15, 25, 1, 1)) == box
