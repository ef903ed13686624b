import cv2
import numpy as np
import pytest

from edge_runtime.apart import (
    CROSSING,
    DARKEST,
    LARGE,
    MAX_APART,
    MAX_RULED,
    RULE,
    SHORT,
    TOUCHING,
    is_rule,
    taken_apart,
    typical_side,
)
from edge_runtime.marks import MIN_INK, Mark, find_marks
from edge_runtime.records import Box, Uint8

FRAME = (240, 320)


def digits(*places: tuple[int, int], size: tuple[int, int] = FRAME, ink: int = 255) -> Uint8:
    """Return a plane with rings 43 pixels and bars 40 pixels high by turns, each at one of `places`."""
    plane = np.zeros(size, np.uint8)
    for number, (x, y) in enumerate(places):
        if number % 2:
            plane[y : y + 40, x : x + 6] = ink
        else:
            cv2.ellipse(plane, (x + 14, y + 20), (12, 18), 0, 0, 360, ink, 5)
    return plane


def boxes(ink: Uint8) -> list[Box]:
    return sorted(mark.box for mark in find_marks(ink, MIN_INK)[0])


def parts(ink: Uint8) -> list[Mark]:
    return [part for _, parts in taken_apart(find_marks(ink, MIN_INK)[0], MIN_INK, ink.shape)[0] for part in parts]


def off(found: list[Box], wanted: list[Box]) -> int:
    """Return by how many pixels the farthest edge of what was found is off."""
    assert len(found) == len(wanted)
    return max(
        max(abs(a.x - b.x), abs(a.y - b.y), abs(a.right - b.right), abs(a.bottom - b.bottom))
        for a, b in zip(sorted(found), sorted(wanted), strict=True)
    )


LINE = ((60, 80), (110, 80), (150, 80), (200, 80), (240, 80))


def test_digits_that_stand_apart_stay_as_they_are() -> None:
    marks = find_marks(digits(*LINE), MIN_INK)[0]
    apart, typical = taken_apart(marks, MIN_INK, FRAME)
    assert [mark for mark, _ in apart] == marks
    assert all(len(own) == 1 and own[0] is mark for mark, own in apart)
    assert typical == 43


def test_no_marks_are_nothing() -> None:
    assert taken_apart([], MIN_INK, FRAME) == ([], 0)


@pytest.mark.parametrize("thickness", [1, 2, 3, 4])
@pytest.mark.parametrize("y", [118, 110, 100])
def test_digits_that_touch_a_rule_come_free_with_nearly_their_own_boxes(thickness: int, y: int) -> None:
    ink = digits(*LINE[::2])
    wanted = boxes(ink)
    ink[y : y + thickness, 10:310] = 255
    assert len(boxes(ink)) == 1
    assert off([part.box for part in parts(ink)], wanted) <= 4


def test_a_whole_row_of_digits_comes_free_from_its_rule() -> None:
    ink = digits(*LINE)
    wanted = boxes(ink)
    ink[110:113, 10:310] = 255
    assert off([part.box for part in parts(ink)], wanted) <= 4


@pytest.mark.parametrize("angle", [-15, -8, 8, 15])
def test_digits_on_a_tilted_rule_come_free(angle: float) -> None:
    slope = np.tan(np.radians(angle))
    ink = digits(*((x, round(80 + slope * (x - 160))) for x, _ in LINE))
    wanted = boxes(ink)
    cv2.line(ink, (10, round(110 - slope * 150)), (310, round(110 + slope * 150)), 255, 3)
    assert len(boxes(ink)) == 1
    free = [part.box for part in parts(ink) if part.box.height > 12]
    assert off(free, wanted) <= 4


def test_digits_in_the_cells_of_a_table_come_free_and_the_table_is_left() -> None:
    table = np.zeros(FRAME, np.uint8)
    for at in (0, 1, 2, 3):
        table[20 + 60 * at : 23 + 60 * at, 20:263] = table[20:203, 20 + 60 * at : 23 + 60 * at] = 255
    table[20:203, 260:263] = 255
    inside = digits(*((35 + 60 * column, 32 + 60 * row) for row in range(3) for column in range(4)))
    found = {part.box: part for part in parts(table | inside)}
    assert set(found) == {*boxes(inside), *boxes(table)}
    assert found[boxes(table)[0]].ink.sum() == table.sum()


def test_digits_that_stand_on_the_lines_of_a_table_come_free() -> None:
    ink = digits((40, 61), (100, 61), (160, 61), (40, 141), (100, 141), (160, 141))
    wanted = boxes(ink)
    for y in (20, 100, 180):
        ink[y : y + 3, 20:260] = 255
    for x in (20, 80, 140, 200, 257):
        ink[20:183, x : x + 3] = 255
    assert len(boxes(ink)) == 1
    assert off([part.box for part in parts(ink) if part.box.height > 10], wanted) <= 4


@pytest.mark.parametrize("height", [100, 150, 200])
@pytest.mark.parametrize("pen", [4, 9])
def test_a_lone_large_digit_of_straight_strokes_stays_whole(height: int, pen: int) -> None:
    seven = np.zeros(FRAME, np.uint8)
    top = (240 - height) // 2
    seven[top : top + pen, 100:220] = 255
    cv2.line(seven, (218, top), (140, top + height - 5), 255, pen)
    (mark,) = find_marks(seven, MIN_INK)[0]
    (whole,) = parts(seven)
    assert whole.box == mark.box
    assert np.array_equal(whole.ink, mark.ink)


def test_where_nothing_tells_the_size_a_stroke_across_the_picture_is_a_rule() -> None:
    for length, expected in ((int(CROSSING * 200), (5, 70, 190, 60)), (int(CROSSING * 200) + 1, (80, 70, 30, 60))):
        crossed = np.zeros((200, 200), np.uint8)
        crossed[98:101, 5 : 5 + length] = crossed[70:130, 80:110] = 255
        assert [part.box for part in parts(crossed)] == [expected]


def test_digits_in_a_shadow_that_counts_as_ink_come_out_of_it() -> None:
    ink = digits(*LINE)
    wanted = boxes(ink)
    ink[60:140, 40:290] = np.maximum(ink[60:140, 40:290], MIN_INK + 20)
    assert len(boxes(ink)) == 1
    assert sorted(part.box for part in parts(ink)) == wanted


def test_digits_on_a_grid_paler_than_they_are_come_apart_from_it() -> None:
    ink = digits(*LINE)
    wanted = boxes(ink)
    grid = np.zeros_like(ink)
    grid[15::30] = grid[:, 10::30] = int(255 * DARKEST) - 10
    assert len(boxes(ink | grid)) == 1
    assert sorted(part.box for part in parts(np.maximum(ink, grid))) == wanted


def test_lines_of_pale_print_come_off_digits_of_any_size() -> None:
    # Of the grid only pieces are dark enough to count; every digit has some, so that none is larger than the others.
    ink = digits(*LINE)
    alone = boxes(ink)
    for x, _ in LINE:
        ink[100, x - 12 : x + 30] = np.maximum(ink[100, x - 12 : x + 30], 60)
        ink[65:130, x + 3] = np.maximum(ink[65:130, x + 3], 60)
    marks = find_marks(ink, MIN_INK)[0]
    assert (
        off([part.box for _, parts in taken_apart(marks, MIN_INK, FRAME, faint=True)[0] for part in parts], alone) <= 1
    )
    assert all(parts == [mark] for mark, parts in taken_apart(marks, MIN_INK, FRAME)[0])


def test_digits_that_touch_are_no_digits_on_a_grid() -> None:
    # Their darkest ink is a small part of them: on a grid, that would be the digits.
    ink = digits((40, 100), (150, 100), (200, 100), (240, 100))
    ink[100:140, 156:210] = np.minimum(ink[100:140, 156:210], 150)
    ink[118:121, 150:206] = np.maximum(ink[118:121, 150:206], 150)
    marks = find_marks(ink, MIN_INK)[0]
    wide = max(marks, key=lambda mark: mark.box.width)
    assert LARGE * 43 < wide.box.width < TOUCHING * wide.box.height
    (parts,) = [parts for mark, parts in taken_apart(marks, MIN_INK, FRAME)[0] if mark is wide]
    assert parts == [wide]


def test_a_mark_of_which_little_changes_stays_itself() -> None:
    ink = digits(*LINE)
    ink[150:230, 60:160] = 255  # a large blot with a faint fringe
    ink[150:230, 160:164] = MIN_INK + 5
    blot = next(mark for mark in find_marks(ink, MIN_INK)[0] if mark.box.height == 80)
    found = parts(ink)
    assert blot.box == (60, 150, 104, 80)
    assert blot.box in [part.box for part in found]


def test_only_so_many_marks_are_taken_apart() -> None:
    shadows = [(x, y) for y in range(0, 400, 40) for x in range(0, 480, 80)]
    ink = np.zeros((400, 480), np.uint8)
    for x, y in shadows:  # each wider than high, with two digits in it
        ink[y + 2 : y + 32, x + 2 : x + 72] = MIN_INK + 20
        ink[y + 6 : y + 28, x + 10 : x + 22] = ink[y + 6 : y + 28, x + 50 : x + 62] = 255
    apart, _ = taken_apart(find_marks(ink, MIN_INK)[0], MIN_INK, ink.shape)
    assert len(shadows) > MAX_APART
    assert [len(own) for _, own in apart] == [2] * MAX_APART + [1] * (len(shadows) - MAX_APART)


def test_only_so_many_rules_are_taken_away() -> None:
    rows = 3 * MAX_RULED
    places = [(x, 60 * row + 10) for row in range(rows) for x, _ in LINE[::2]]
    ink = digits(*places, *((x, 60 * rows) for x in range(10, 400, 30)), size=(60 * rows + 60, 500))
    for row in range(rows):
        ink[60 * row + 30 : 60 * row + 33, 20:390] = 255
    assert ink.size < 640 * 480
    assert sum(part.box.width == 370 for part in parts(ink)) == rows - MAX_RULED


@pytest.mark.parametrize(
    ("sides", "typical"),
    [
        ([], 0),
        ([40], 40),
        ([40, 40, 40, 10, 10, 10, 10], 40),  # each counts as much as it covers
        ([40, *[10] * 17], 10),
        ([160], 160),
        ([161], 0),  # more than half the frame
        ([300, 30, 30], 30),
    ],
)
def test_the_typical_side_is_the_median_by_area(sides: list[int], typical: int) -> None:
    assert typical_side([Box(0, 0, side // 2, side) for side in sides], FRAME) == typical
    assert typical_side([Box(0, 0, side, side // 2) for side in sides], FRAME) == typical


def test_rules_do_not_tell_how_large_digits_are() -> None:
    assert typical_side([Box(0, 0, 3, 150), Box(0, 0, 20, 30)], FRAME) == 30


@pytest.mark.parametrize("width", [3, 4, 10])
def test_a_rule_is_longer_than_a_slender_one_would_be(width: int) -> None:
    long = max(int(RULE * width), 2 * SHORT)
    assert not is_rule(Box(0, 0, width, long))
    assert is_rule(Box(0, 0, width, long + 1))
    assert is_rule(Box(0, 0, long + 1, width))


def test_what_is_less_than_large_is_not_looked_at() -> None:
    limit = int(LARGE * 43)
    for height, expected in ((limit, 1), (limit + 1, 2)):
        ink = digits(*LINE[:4])
        ink[130 : 130 + height, 20:70] = MIN_INK + 20
        ink[135:145, 25:65] = ink[160:170, 25:65] = 255
        own = [own for mark, own in taken_apart(find_marks(ink, MIN_INK)[0], MIN_INK, FRAME)[0] if mark.box.y == 130]
        assert [len(found) for found in own] == [expected]
