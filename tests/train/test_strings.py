from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.inference.contract import COLUMNS, ROWS
from edge_runtime.records import Uint8
from train import fonts, strings
from train.line_signs import BAND, INKED, TALL, Hand, cells, sign, sum_signs, word
from train.penmanship import FORMS
from train.strings import LONGEST, draw, hands, picture

BAR = np.zeros((1, 28, 28), np.uint8)
BAR[0, 4:24, 12:16] = 255
MANY = BAR.repeat(len(FORMS[7]), axis=0)
BARS = tuple(Hand((MANY,) * 10, BAR, BAR) for _ in range(3))


@given(st.integers(0, 2**32 - 1))
def test_any_line_is_a_strip_and_its_digits(seed: int) -> None:
    line = draw(BARS, np.random.default_rng(seed))
    assert line.strip.shape == (ROWS, COLUMNS)
    assert line.strip.dtype == np.uint8
    assert len(line.digits) <= LONGEST
    assert set(line.digits) <= set(range(10))


@given(st.integers(0, 2**32 - 1))
def test_any_line_may_be_dark_on_light(seed: int) -> None:
    pixels, digits = picture(BARS, np.random.default_rng(seed))
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 2
    assert len(digits) <= LONGEST
    assert np.median(pixels) > 100


def test_the_same_seed_gives_the_same_line() -> None:
    one, other = (draw(BARS, np.random.default_rng(4)) for _ in range(2))
    assert one.digits == other.digits
    assert np.array_equal(one.strip, other.strip)


def test_lines_have_every_length_some_are_empty() -> None:
    rng = np.random.default_rng(1)
    lengths = Counter(len(draw(BARS, rng).digits) for _ in range(400))
    assert set(lengths) == set(strings.COUNTS)
    assert sum(strings.SHARES) == pytest.approx(1)


def test_amounts_look_like_numbers_with_final_zeros() -> None:
    rng = np.random.default_rng(5)
    lines = [line for line in (draw(BARS, rng).digits for _ in range(1500)) if len(line) > 3]
    first = Counter(line[0] for line in lines)
    assert first[1] > 1.5 * first[9]
    assert 0 < first[0] < first[1] / 2
    assert 0.15 < np.mean([line[-2:] == (0, 0) for line in lines]) < 0.25


@pytest.mark.parametrize(
    ("digits", "start"), [((1, 0, 0), 1), ((1, 0), 2), ((0, 0), 0), ((1, 0, 0, 5), 4), ((), 0), ((7, 0, 0, 0), 1)]
)
def test_only_several_final_zeros_count(digits: tuple[int, ...], start: int) -> None:
    assert strings.zeros(digits) == start


def test_every_digit_leaves_ink_on_its_strip() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        line = draw(BARS, rng)
        assert line.strip.max() > 100 or not line.digits


def test_a_splits_hands_are_of_three_kinds() -> None:
    ways = hands("held_out")
    assert len(ways) == 2 + len(fonts.names(True))
    assert [len(way.digits) for way in ways] == [10] * len(ways)
    assert sum(map(len, ways[0].digits)) == 10_000
    assert len(ways[2].others) == len(fonts.LETTERS)
    assert all(stamps.shape[1:] == (28, 28) for way in ways for stamps in way.digits)


def test_cells_have_a_wall_at_every_step() -> None:
    for seed in range(20):
        canvas = np.zeros((BAND, 400), np.uint8)
        cells(canvas, 40, 60.0, 4, np.random.default_rng(seed))
        walls = np.flatnonzero(canvas.all(axis=0))
        assert {round((column - 40) / 60) for column in walls} == {0, 1, 2, 3, 4}
        assert max(abs((column - 40) % 60 - 60 * ((column - 40) % 60 > 30)) for column in walls) <= 5


@pytest.mark.parametrize("side", [-1, 1])
def test_a_word_stands_beside_its_column(side: int) -> None:
    for seed in range(20):
        canvas = np.zeros((BAND, 1200), np.uint8)
        word(canvas, 600, side, BARS[0], np.random.default_rng(seed))
        inked = np.flatnonzero(canvas.any(axis=0))
        assert len(inked)
        assert inked[0] >= 600 if side > 0 else inked[-1] < 600


def test_every_sign_inks_its_column_before_the_next() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        canvas = np.zeros((BAND, 40 + 4 * TALL), np.uint8)
        end = sign(canvas, 20.0, rng)
        inked = np.flatnonzero(canvas.any(axis=0))
        assert inked[0] >= 20 - TALL // 4
        assert inked[-1] <= end + 8


@pytest.mark.parametrize(("kind", "ahead"), [("(", False), (")", True), ("[", False), ("]", True)])
def test_brackets_are_tall_with_ends_aside(kind: str, ahead: bool) -> None:
    rng = np.random.default_rng(9)
    for _ in range(20):
        canvas = np.zeros((BAND, 40 + 4 * TALL), np.uint8)
        end = sign(canvas, 20.0, rng, kind)
        rows, columns = np.nonzero(canvas > INKED)
        assert columns.max() <= end
        assert rows.max() - rows.min() > TALL  # taller than a digit
        middle = columns[np.abs(rows - BAND // 2) < 3].mean()
        assert (columns[rows == rows.min()].mean() < middle) == ahead


def test_unknown_signs_are_refused() -> None:
    with pytest.raises(ValueError, match="no sign is of kind plsu"):
        sign(np.zeros((BAND, 200), np.uint8), 20.0, np.random.default_rng(1), "plsu")


def test_a_share_of_mixed_lines_has_barred_sevens(monkeypatch: pytest.MonkeyPatch) -> None:
    # Every stamp of the other forms is blank but the barred 7s: ink shows that a line is of those.
    blank = np.zeros_like(MANY)
    barred = MANY * np.array([len(form) > 1 for form in FORMS[7]], np.uint8)[:, None, None]
    other = Hand((*[blank] * 7, barred, blank, blank), BAR, BAR)
    monkeypatch.setattr(strings, "MNIST", 0.0)
    monkeypatch.setattr(strings, "FORMED", 1.0)
    monkeypatch.setattr(strings, "BARRED", 1.0)
    seen: list[Hand] = []

    def write(canvas: Uint8, hand: Hand, *others: object) -> tuple[int, int]:
        seen.append(hand)
        return strings.MARGIN, strings.MARGIN + TALL

    monkeypatch.setattr(strings, "_write", write)
    rng = np.random.default_rng(11)
    for _ in range(20):
        draw((BARS[0], other, BARS[2]), rng)
    assert len(seen) > 10
    assert all(hand.digits[7].any(axis=(1, 2)).all() for hand in seen)
    assert not any(hand.digits[1].any() for hand in seen)


def test_signs_of_sums_take_one_to_three_places() -> None:
    rng = np.random.default_rng(10)
    widths = []
    for _ in range(100):
        canvas = np.zeros((BAND, 40 + 12 * TALL), np.uint8)
        widths.append(sum_signs(canvas, 20.0, rng) - 20)
        assert np.flatnonzero(canvas.any(axis=0))[-1] <= 20 + widths[-1] + 8
    assert min(widths) < TALL < max(widths)  # one sign, or one with brackets beside it


def test_some_lines_are_in_table_cells() -> None:
    rng = np.random.default_rng(8)
    lines = [draw(BARS, rng) for _ in range(600)]
    # Walls cross all rows of a strip; those of boxes around digits do so, too, but have no room for empty cells.
    crossed = [int((line.strip.min(axis=0) > 40).sum()) for line in lines if line.digits]
    assert np.mean([count >= 3 for count in crossed]) > strings.TABULAR / 2
