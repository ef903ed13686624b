from typing import Any

import numpy as np
import pytest

from edge_runtime.pages.draw import Page, PageStyle, draw_page
from edge_runtime.records import Uint8

WHITE: dict[str, Any] = {"grain": 0, "shade": 0, "blur": (0, 0), "paper": (255, 255), "digit_height": (40, 40)}
BLACK_LINES: dict[str, Any] = {"ruling_ink": (0, 0, 0), "ruling_strength": (1, 1)}


def drawn(digits: tuple[Uint8, Uint8], seed: int = 1, count: int = 10, **style: Any) -> Page:
    images, labels = (array[:: 200 // count][:count] if count else array[:0] for array in digits)
    return draw_page(images, labels, np.random.default_rng(seed), PageStyle(**{**WHITE, **style}))


@pytest.mark.parametrize("thickness", [1.0, 1.5, 3.0])
def test_ruled_lines_have_their_distance_thickness_and_color(digits: tuple[Uint8, Uint8], thickness: float) -> None:
    lines: dict[str, Any] = {"ruling": "lines", "ruling_spacing": (1.25, 1.25), "ruling_width": (thickness, thickness)}
    page = drawn(digits, count=0, **BLACK_LINES, **lines)
    down = 1 - page.pixels[:, :, 2] / 255
    assert np.ptp(down, axis=1).max() == 0
    darkness = down[:, 0]
    at = np.flatnonzero((darkness > 0) & (np.roll(darkness, 1) == 0))
    assert np.diff(at) == pytest.approx(np.full(len(at) - 1, 50), abs=1)
    assert len(at) in (9, 10)
    assert darkness[at[1] - 5 : at[1] + 10].sum() == pytest.approx(thickness, abs=0.02)


def test_squares_are_lines_both_ways(digits: tuple[Uint8, Uint8]) -> None:
    lines: dict[str, Any] = {"ruling": "squares", "ruling_spacing": (0.5, 0.5), "ruling_width": (1, 1)}
    ink = drawn(digits, count=0, **BLACK_LINES, **lines).pixels[:, :, 2] < 128
    assert len(np.flatnonzero(ink.all(axis=1))) == pytest.approx(480 / 20, abs=1)
    assert len(np.flatnonzero(ink.all(axis=0))) == pytest.approx(640 / 20, abs=1)


def test_lines_have_their_strength_and_color(digits: tuple[Uint8, Uint8]) -> None:
    color = (200, 100, 0)
    style: dict[str, Any] = {
        "ruling": "lines",
        "ruling_width": (5, 5),
        "ruling_strength": (0.5, 0.5),
        "ruling_ink": color,
    }
    pixels = drawn(digits, count=0, **style).pixels
    plain = drawn(digits, count=0).pixels[0, 0].astype(float)
    assert pixels[pixels[:, :, 2].argmin() // 640, 0] == pytest.approx((plain + color) / 2, abs=1)


def test_lines_lean_with_the_page_at_equal_thickness(digits: tuple[Uint8, Uint8]) -> None:
    lines: dict[str, Any] = {
        "ruling": "lines",
        "ruling_spacing": (1.25, 1.25),
        "ruling_width": (2, 2),
        "tilt": (30, 30),
    }
    darkness = 1 - drawn(digits, count=0, **BLACK_LINES, **lines).pixels[:, :, 2] / 255
    assert darkness.mean() == pytest.approx(2 / 50, rel=0.05)
    column = darkness[:, 320]
    at = np.flatnonzero((column > 0.5) & (np.roll(column, 1) <= 0.5))
    assert np.diff(at).mean() == pytest.approx(50 / np.cos(np.radians(30)), rel=0.02)


@pytest.mark.parametrize("view", [{}, {"tilt": (20, 20)}, {"perspective": (15, 15)}])
def test_a_printed_box_surrounds_each_digit(digits: tuple[Uint8, Uint8], view: dict[str, Any]) -> None:
    style = {**BLACK_LINES, "inks": ((255, 255, 255),), "boxes": 1.0, "ruling_width": (1.5, 1.5), **view}
    page = drawn(digits, **style)
    printed = page.pixels[:, :, 2] < 250
    assert page.digits == drawn(digits, **view).digits
    for digit in page.digits:
        x, y, width, height = digit.box
        if not view:
            assert not printed[y : y + height, x : x + width].any()
        center = (y + height // 2, x + width // 2)
        row, column = printed[center[0]], printed[:, center[1]]
        assert row[: center[1]].any()
        assert row[center[1] :].any()
        assert column[: center[0]].any()
        assert column[center[0] :].any()
    few = drawn(digits, **{**style, "boxes": 0.4}).pixels[:, :, 2] < 250
    assert 0.1 * printed.sum() < few.sum() < 0.7 * printed.sum()


def test_a_board_has_its_share_and_crosses_none(digits: tuple[Uint8, Uint8]) -> None:
    shares = []
    for seed in range(10):
        view = {"tilt": (0, 20)} if seed % 2 else {}
        page, plain = (drawn(digits, seed, count=20, board=board, **view) for board in (0.5, 0))
        turned = np.abs(page.pixels.astype(int) - (255 - plain.pixels)).max(axis=2) <= 1
        dark = []
        for digit in page.digits:
            x, y, width, height = digit.box
            part = turned[y : y + height, x : x + width].mean()
            assert part < 0.1 or part > 0.99  # ink of a middling gray is on either side what it is
            dark.append(part > 0.99)
        shares.append(np.mean(dark))
    assert 0.25 <= min(shares) <= max(shares) <= 0.75


def test_one_digit_alone_gets_no_board(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = (array[:1] for array in digits)
    one, other = (draw_page(images, labels, np.random.default_rng(1), PageStyle(board=b)) for b in (0, 0.5))
    assert np.array_equal(one.pixels, other.pixels)


def test_the_page_may_end_on_a_table(digits: tuple[Uint8, Uint8]) -> None:
    sides = set()
    for seed in range(16):
        kinds = (("letters", 2), ("table", 1))
        page, plain = (drawn(digits, seed, distractors=d) for d in (kinds, kinds[:1]))
        changed = (page.pixels.astype(int) - plain.pixels != 0).any(axis=2)
        tables = [other.box for other in page.others if other.name == "table"]
        assert len(tables) == 1
        x, y, width, height = tables[0]
        assert changed[y : y + height, x : x + width].sum() == changed.sum()
        assert changed.mean() > 0.005
        for digit in page.digits:
            assert not changed[digit.box.y : digit.box.bottom, digit.box.x : digit.box.right].any()
        sides.add((x == 0, y == 0, x + width == 640, y + height == 480))
    assert len(sides) >= 3


def test_a_full_page_has_no_room_for_tables() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[:, 4:24, 4:24] = 255
    style = PageStyle(size=(90, 90), digit_height=(68, 68), distractors=(("table", 1),))
    for seed in range(30):
        page = draw_page(image, [1], np.random.default_rng(seed), style)
        box = page.digits[0].box
        if max(box.x, box.y, 100 - box.right, 100 - box.bottom) < 8:
            assert page.others == ()
