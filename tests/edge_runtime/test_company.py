from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime import company
from edge_runtime.company import share


def judged(looks: Sequence[float], words: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    return company.judged(looks, words, [True] * len(looks))


def test_a_mark_alone_is_read_for_its_look_alone() -> None:
    assert judged([0.98], [[0]])[0] > 0.5 > judged([0.9], [[0]])[0] > judged([0.05], [[0]])[0]
    likely = judged([0.3, 0.999], [[0], [1]])
    assert likely[0] < 0.5 < likely[1]


def test_among_digits_a_doubtful_mark_is_likelier_to_be_one_and_among_letters_less() -> None:
    doubtful = 0.6
    among_digits = judged([*[0.999] * 8, doubtful], [[*range(9)]])[-1]
    among_letters = judged([*[0.02] * 8, doubtful], [[*range(9)]])[-1]
    assert among_letters < 0.1 < 0.5 < among_digits


def test_a_word_of_digits_stands_out_among_words_of_letters() -> None:
    words = [[*range(4)], [*range(4, 10)], [*range(10, 16)]]
    likely = judged([*[0.999] * 4, *[0.1] * 12], words)
    assert (likely[:4] > 0.8).all()
    assert (likely[4:] < 0.1).all()


def test_a_word_of_letters_stands_out_among_words_of_digits() -> None:
    words = [[*range(5)], [*range(5, 10)], [10, 11, 12]]
    likely = judged([*[0.999] * 10, 0.3, 0.2, 0.7], words)
    assert (likely[:10] > 0.9).all()
    assert likely[10] < 0.5
    assert likely[11] < 0.5


def test_what_is_no_witness_is_judged_by_the_others_and_does_not_count_for_them() -> None:
    # A stroke among four letters; it is no digit, however many such strokes there are.
    letters, strokes = [0.05] * 4, [0.995] * 6
    words = [[i] for i in range(10)]
    heard = judged([*letters, *strokes], words)
    unheard = company.judged([*letters, *strokes], words, [*[True] * 4, *[False] * 6])
    assert (heard[4:] > 0.5).all()
    assert (unheard[4:] < 0.5).all()
    assert unheard[0] == pytest.approx(company.judged(letters, words[:4], [True] * 4)[0])
    # And a doubtful one alone on a page is not held against itself.
    assert company.judged([0.96], [[0]], [False])[0] > judged([0.96], [[0]])[0]


def test_nothing_keeps_no_company() -> None:
    assert judged([], []).tolist() == []
    assert judged([0.9, 0.9], [[1]])[0] == 0


def test_shares_are_exact_where_marks_are_plain() -> None:
    # Two marks that are surely digits, two that surely are none, and one that was thought before, as likely as not.
    assert share([1e9, 1e9, 1e-9, 1e-9], 0.5, 1.0) == pytest.approx(0.5)
    assert share([1e9], 0.5, 1.0) == pytest.approx(0.75)
    assert share([], 0.3, 1.0) == pytest.approx(0.3)


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(1, 5))
def test_any_looks_give_shares(looks: list[float], length: int) -> None:
    words = [list(range(start, min(start + length, len(looks)))) for start in range(0, len(looks), length)]
    likely = judged(looks, words)
    assert likely.shape == (len(looks),)
    assert ((likely >= 0) & (likely <= 1)).all()


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=12), st.data())
def test_what_looks_more_like_a_digit_is_never_less_likely_to_be_one(looks: list[float], data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(looks) - 1))
    better = [*looks[:i], min(0.995, looks[i] + 0.005), *looks[i + 1 :]]
    words = [list(range(len(looks)))]
    assert judged(better, words)[i] >= judged(looks, words)[i] - 1e-9
