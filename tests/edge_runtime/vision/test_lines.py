import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.records import Box
from edge_runtime.vision.lines import STEEP, group_into_lines, tilt

LINES = st.lists(
    st.builds(Box, st.integers(0, 600), st.integers(0, 400), st.integers(1, 60), st.integers(1, 60)), max_size=30
)


def grid(lines: int, digits: int, pitch: int = 40, height: int = 40, slope: float = 0) -> list[Box]:
    """Return boxes in lines from top to bottom, 80 pixels apart, each from left to right."""
    return [
        Box(pitch * i, round(300 + 80 * line + slope * pitch * i), 20, height)
        for line in range(lines)
        for i in range(digits)
    ]


@pytest.mark.parametrize(
    ("boxes", "lines"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(50, 0, 10, 20)], [[[0]]], id="a single digit"),
        pytest.param([(50, 0, 10, 20), (30, 0, 10, 20), (70, 0, 10, 20)], [[[1, 0, 2]]], id="left to right"),
        pytest.param([(10, 60, 10, 20), (10, 0, 10, 20), (30, 60, 10, 20)], [[[1]], [[0, 2]]], id="top to bottom"),
        pytest.param([(10, 0, 20, 40), (40, 25, 10, 15), (60, 0, 20, 40)], [[[0, 1, 2]]], id="a low digit between"),
        pytest.param([(0, 0, 10, 20), (0, 40, 10, 20), (0, 80, 10, 20)], [[[0]], [[1]], [[2]]], id="a column"),
    ],
)
def test_digits_are_put_in_reading_order(boxes: list[tuple[int, int, int, int]], lines: list[list[list[int]]]) -> None:
    assert group_into_lines([Box(*box) for box in boxes]) == lines


def test_digits_of_one_line_share_rows() -> None:
    assert group_into_lines([Box(0, 0, 10, 40), Box(20, 25, 10, 20)]) == [[[0, 1]]]
    assert group_into_lines([Box(0, 0, 10, 40), Box(20, 38, 10, 20)]) == [[[0]], [[1]]]


@pytest.mark.parametrize("degrees", [-15, -8, 0, 8, 15])
def test_tilted_lines_stay_apart(degrees: float) -> None:
    # Over its ten digits a line climbs or falls by more than the distance between two lines.
    boxes = grid(3, 10, slope=float(np.tan(np.radians(degrees))))
    shuffled = np.random.default_rng(3).permutation(30)
    lines = group_into_lines([boxes[i] for i in shuffled])
    assert [[[int(shuffled[k]) for k in word] for word in line] for line in lines] == [
        [[*range(10)]],
        [[*range(10, 20)]],
        [[*range(20, 30)]],
    ]


@pytest.mark.parametrize("degrees", [-43, -35, -25, 25, 35, 43])
@pytest.mark.parametrize("count", [3, 8])
def test_a_spaced_line_may_be_steep(degrees: float, count: int) -> None:
    slope = float(np.tan(np.radians(degrees)))
    assert group_into_lines([Box(90 * i, round(900 + 90 * slope * i), 30, 40) for i in range(count)]) == [
        [[*range(count)]]
    ]


@pytest.mark.parametrize("across", [40, 60, 80, 100])
def test_grids_are_read_by_rows_not_diagonals(across: int) -> None:
    boxes = [Box(across * column, 80 * row, 20, 40) for row in range(4) for column in range(4)]
    assert [[i for word in line for i in word] for line in group_into_lines(boxes)] == [
        [*range(k, k + 4)] for k in (0, 4, 8, 12)
    ]


def test_a_lower_neighboring_column_tilts_no_table() -> None:
    narrow = [Box(42, 82 + 26 * row, 8, 12) for row in range(5)]
    wide = [Box(100, 77 + 27 * row, 20, 20) for row in range(3)]
    far = [Box(382, 79 + 26 * row, 18, 15) for row in range(3)]
    boxes = [*narrow, *wide, *far, Box(374, 213, 19, 18), Box(395, 212, 15, 17)]
    read = [[i for word in line for i in word] for line in group_into_lines(boxes)]
    assert read == [[0, 5, 8], [1, 6, 9], [2, 7, 10], [3], [4], [11, 12]]


@pytest.mark.parametrize("degrees", [-15, -8, 0, 8, 15])
def test_tilt_is_how_much_lines_fall(degrees: float) -> None:
    slope = float(np.tan(np.radians(degrees)))
    assert tilt(grid(3, 10, slope=slope), STEEP) == pytest.approx(slope, abs=0.015)


def test_high_and_low_digits_have_their_tilt() -> None:
    boxes = [Box(40 * i, 300 + 8 * i - (20 if i % 2 else 40), 20, 20 if i % 2 else 40) for i in range(12)]
    assert group_into_lines(boxes) == [[[*range(12)]]]


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([], id="nothing"),
        pytest.param([Box(0, 0, 20, 40)], id="one digit"),
        pytest.param([Box(0, 0, 20, 40), Box(40, 10, 20, 40)], id="two digits"),
        pytest.param([Box(0, 80 * i, 20, 40) for i in range(5)], id="a column"),
        pytest.param([Box(400 * i, 100 * i, 20, 40) for i in range(5)], id="digits far apart"),
    ],
)
def test_where_nothing_tells_the_tilt_there_is_none(boxes: list[Box]) -> None:
    assert tilt(boxes, STEEP) == 0


def test_columns_are_words_of_the_same_lines() -> None:
    columns = [Box(200 * column + 25 * i, 60 * row, 20, 40) for row in range(3) for column in range(3) for i in (0, 1)]
    assert group_into_lines(columns) == [
        [[6 * r, 6 * r + 1], [6 * r + 2, 6 * r + 3], [6 * r + 4, 6 * r + 5]] for r in range(3)
    ]


@pytest.mark.parametrize("usual", [5, 36])
def test_a_gap_between_words_is_a_wide_one(usual: int) -> None:
    for between, words in ((usual, [[0, 1, 2, 3]]), (100, [[0, 1], [2, 3]])):
        starts = (0, 20 + usual, 40 + usual + between, 60 + 2 * usual + between)
        assert group_into_lines([Box(x, 0, 20, 40) for x in starts]) == [words]


def test_digits_spaced_widely_are_one_word() -> None:
    assert group_into_lines([Box(70 * i, 0, 20, 40) for i in range(6)]) == [[[*range(6)]]]


def test_two_digits_alone_are_one_word() -> None:
    assert group_into_lines([Box(0, 0, 20, 40), Box(500, 0, 20, 40)]) == [[[0, 1]]]


@given(LINES)
def test_every_digit_stands_in_one_word(boxes: list[Box]) -> None:
    lines = group_into_lines(boxes)
    assert sorted(i for line in lines for word in line for i in word) == [*range(len(boxes))]
    assert all(word for line in lines for word in line)
    for line in lines:
        across = [boxes[i].x for word in line for i in word]
        assert across == sorted(across)


@given(LINES, st.integers(0, 500), st.integers(0, 500))
def test_tilt_is_the_same_wherever_digits_stand(boxes: list[Box], x: int, y: int) -> None:
    assert tilt([Box(b.x + x, b.y + y, b.width, b.height) for b in boxes], STEEP) == pytest.approx(
        tilt(boxes, STEEP), abs=1e-9
    )
