from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime import DigitReader
from edge_runtime.pages.draw import VISIBLE, Page, PageStyle, draw_page
from edge_runtime.pages.style import DISTRACTORS
from edge_runtime.records import Box, Uint8
from train.conditions import CONDITIONS
from train.conditions import digits as digits_on
from train.conditions import style as under

CLEAN = PageStyle(grain=0, shade=0, blur=(0, 0), paper=(255, 255), inks=((0, 0, 0),))


def test_the_seed_decides_the_page(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    one, same, other = (draw_page(images[:20], labels[:20], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.pixels, same.pixels)
    assert one.digits == same.digits
    assert one.digits != other.digits


def test_a_page_has_its_text_in_order(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    page = draw_page(images[::9], labels[::9], np.random.default_rng(5), PageStyle(digit_height=(40, 40)))
    assert page.pixels.shape == (480, 640, 3)
    assert page.pixels.dtype == np.uint8
    assert "".join(page.text) == "".join(map(str, labels[::9]))
    assert len(page.text) > 1
    assert all(line == "".join(d.label for d in page.digits if d.line == n) for n, line in enumerate(page.text))


def test_the_boxes_hold_all_ink(digits: tuple[Uint8, Uint8]) -> None:
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


def test_boxes_are_inside_and_apart(digits: tuple[Uint8, Uint8]) -> None:
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


def drawn(digits: tuple[Uint8, Uint8], seed: int, style: PageStyle, count: int = 99) -> Page:
    images, labels = (array[seed % 20 :: 20][:count] for array in digits)
    return draw_page(images, labels, np.random.default_rng(seed), style)


def ink_of(digits: tuple[Uint8, Uint8], seed: int, style: PageStyle) -> tuple[Page, np.ndarray]:
    """Return a page and the ink that was really drawn on it, 0-255: what differs between a black and a white pen."""
    black, white = (drawn(digits, seed, replace(style, inks=((shade,) * 3,))) for shade in (0, 255))
    assert black.digits == white.digits
    return black, np.abs(white.pixels[:, :, 2].astype(int) - black.pixels[:, :, 2])


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    pen=st.none() | st.floats(0.4, 2.5),
    size=st.sampled_from([(640, 480), (500, 700), (1000, 800)]),
    height=st.floats(12, 40),
    tilt=st.floats(0, 40),
    perspective=st.floats(0, 35),
    touching=st.floats(0, 1),
    gaps=st.integers(0, 3),
    others=st.fixed_dictionaries(
        {},
        optional={
            "spread": st.just((0.6, 1.4)),
            "word_length": st.just((1, 4)),
            "ruling": st.sampled_from(["lines", "squares"]),
            "boxes": st.just(1.0),
            "board": st.just(0.5),
            "light_on_dark": st.just(True),
            "drift": st.just(True),
            "gap": st.just((0.3, 1.5)),
            "desk": st.just(("wood",)),
        },
    ),
)
def test_each_box_is_exactly_its_ink(
    digits: tuple[Uint8, Uint8], seed: int, pen: float | None, size: tuple[int, int], height: float, tilt: float,
    perspective: float, touching: float, gaps: int, others: dict[str, Any],
) -> None:  # fmt: skip
    style = replace(
        CLEAN, size=size, digit_height=(height, height), pen=None if pen is None else (pen, pen), tilt=(tilt, tilt),
        perspective=(perspective, perspective), touching=touching, gaps=gaps, **others,
    )  # fmt: skip
    page, ink = ink_of(digits, seed, style)
    assert [digit.label for digit in page.digits] == [str(label) for label in digits[1][seed % 20 :: 20]]
    outside = ink.copy()
    for digit in page.digits:
        x, y, width, height = digit.box
        part = ink[y : y + height, x : x + width]
        assert part.shape == (height, width)
        edges = min(part[0].max(), part[-1].max(), part[:, 0].max(), part[:, -1].max())
        # The darkest ink in the box of a digit that touches another may be the other's.
        assert edges >= min(VISIBLE, part.max() / 2) * (1 if touching == 0 else 0.5) - 2
        outside[y : y + height, x : x + width] = 0
    assert outside.max() <= VISIBLE + 1


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_changes_the_look_not_digits(digits: tuple[Uint8, Uint8], condition: str) -> None:
    count = digits_on(condition, 5)
    easy, hard, same = (drawn(digits, 7, under(condition, severity), count) for severity in (1, 5, 5))
    assert np.array_equal(hard.pixels, same.pixels)
    assert hard.digits == same.digits
    assert hard.others == same.others
    assert not np.array_equal(easy.pixels, hard.pixels)
    assert [digit.label for digit in easy.digits] == [digit.label for digit in hard.digits]


NOT_MOVING = {
    "contrast": (0.3, 0.3), "inks": ((0, 0, 0),), "gaps": 2, "ruling": "squares", "boxes": 1.0, "board": 0.5,
    "shadow": (0.5, 0.5), "gradient": (0.5, 0.5), "vignette": (0.5, 0.5), "glare": (50, 50), "cast": 0.3,
    "flap": True, "noise": (9, 9), "jpeg": (40, 40), "light_on_dark": True,
    "distractors": tuple((name, 1) for name in DISTRACTORS),
}  # fmt: skip


@pytest.mark.parametrize("feature", NOT_MOVING)
def test_another_feature_leaves_every_digit_in_place(digits: tuple[Uint8, Uint8], feature: str) -> None:
    plain, changed = (drawn(digits, 5, PageStyle(**style)) for style in ({}, {feature: NOT_MOVING[feature]}))  # type: ignore[arg-type]
    assert changed.digits == plain.digits
    assert not np.array_equal(plain.pixels, changed.pixels)


def test_drawing_leaves_the_generator_alike_whatever_the_style(digits: tuple[Uint8, Uint8]) -> None:
    after = set()
    for style in (PageStyle(), PageStyle(noise=(9, 9), gaps=2, pen=(1, 2), tilt=(1, 9), distractors=(("words", 2),))):
        rng = np.random.default_rng(1)
        draw_page(digits[0][:3], digits[1][:3], rng, style)
        after.add(int(rng.integers(2**60)))
    assert len(after) == 1


def test_a_features_own_defaults_are_off(digits: tuple[Uint8, Uint8]) -> None:
    neutral = {"spread": (1, 1), "tilt": (0, 0), "perspective": (0, 0), "noise": (0, 0), "penumbra": (9, 9)}
    plain, same = (drawn(digits, 2, style) for style in (PageStyle(), PageStyle(**neutral)))  # type: ignore[arg-type]
    assert np.array_equal(plain.pixels, same.pixels)


@pytest.mark.parametrize("contrast", [0.18, 0.35, 0.9])
def test_ink_is_darker_by_its_contrast(digits: tuple[Uint8, Uint8], contrast: float) -> None:
    style = PageStyle(grain=0, shade=0, blur=(0, 0), digit_height=(40, 40))
    bare = drawn(digits, 1, style).pixels[-1, -1].astype(float)
    for dark in (False, True):
        page = drawn(digits, 1, replace(style, contrast=(contrast, contrast), light_on_dark=dark))
        pixels = 255.0 - page.pixels if dark else page.pixels
        assert pixels.min(axis=(0, 1)) == pytest.approx(bare * (1 - contrast), abs=1)


def test_too_many_digits_are_refused(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    with pytest.raises(ValueError, match="200 digits 60 pixels high do not fit on 320x240"):
        draw_page(images, labels, np.random.default_rng(1), PageStyle(size=(320, 240), digit_height=(60, 60)))


def test_as_many_labels_as_digits_are_needed(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    with pytest.raises(ValueError, match="shorter"):
        draw_page(images[:3], labels[:2], np.random.default_rng(1))


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


def test_a_box_has_far_sides_and_union() -> None:
    box = Box(10, 20, 30, 40)
    assert (box.right, box.bottom) == (40, 60)
    assert box.union(Box(0, 50, 5, 20)) == Box(0, 20, 40, 50)
    assert box.union(Box(15, 25, 1, 1)) == box
