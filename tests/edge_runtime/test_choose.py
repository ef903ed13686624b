from itertools import combinations
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.choose import (
    BROAD,
    HALF,
    HALF_STROKE,
    LEAST,
    LONE_STROKE,
    NARROW,
    OTHER,
    PRICE,
    STEPS,
    STROKE,
    SURE,
    UNEXPLAINED,
    _best_set,
    _plausible,
    choose,
    looks,
    surest,
)
from edge_runtime.records import Box, Candidate


def candidate(marks: set[int], ink: int, box: tuple[int, int] = (1, 2)) -> Candidate:
    return Candidate(Box(0, 0, *box), np.ones((ink, 1), np.uint8), frozenset(marks))


def picked(*offered: tuple[set[int], int, float]) -> list[int]:
    """Choose from (marks, ink, confidence) each."""
    candidates = [candidate(marks, ink) for marks, ink, _ in offered]
    confidences = np.array([[confidence, 0.0] for _, _, confidence in offered])
    return choose(candidates, confidences.reshape(-1, 2))


def test_nothing_to_choose_from() -> None:
    assert picked() == []


def test_marks_that_no_other_candidate_wants_are_all_kept() -> None:
    assert picked(({0}, 100, 0.9), ({1}, 5, 0.1), ({2}, 100, 0.0)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("pieces", "whole", "expected"),
    [
        ((0.3, 0.3), 0.99, [2]),  # a broken digit
        ((0.99, 0.99), 0.1, [0, 1]),  # two digits
        ((0.99, 0.2), 0.95, [2]),
        ((0.9, 0.9), 0.9, [2]),  # equally sure: one digit is the simpler answer
    ],
)
def test_a_whole_or_its_pieces(pieces: tuple[float, float], whole: float, expected: list[int]) -> None:
    assert picked(({0}, 100, pieces[0]), ({1}, 80, pieces[1]), ({0, 1}, 180, whole)) == expected


def test_a_digit_more_has_to_be_worth_its_price() -> None:
    # Nothing is sure, so the largest candidate is the measure of a digit's ink.
    for whole, expected in ((exp(-PRICE) - 0.01, [0, 1]), (exp(-PRICE) + 0.01, [2])):
        assert picked(({0}, 100, 0.9), ({1}, 100, 0.9), ({0, 1}, 200, 0.81 * whole)) == expected


def test_doubt_about_the_ink_of_two_digits_counts_twice() -> None:
    page = [({mark}, 100, SURE) for mark in (2, 3, 4)]
    for whole, expected in ((exp(-PRICE / 2) - 0.01, [3, 4]), (exp(-PRICE / 2) + 0.01, [5])):
        assert picked(*page, ({0}, 100, 0.9), ({1}, 100, 0.9), ({0, 1}, 200, 0.9 * whole)) == [0, 1, 2, *expected]


def test_doubt_about_little_ink_counts_no_less_than_about_a_digit() -> None:
    whole = ({0, 1}, 110, 0.7)
    assert picked(({0}, 100, 0.8), ({1}, 10, 0.6), whole) == [2]
    assert picked(({0}, 100, 0.94), ({1}, 10, 0.94), whole) == [2]  # and a digit has its price


def test_ink_that_is_left_out_counts_against_what_is_chosen() -> None:
    # The body of a 5 is surely a 3, and its flag is nothing; but then the flag would be no part of a digit.
    least = exp(-UNEXPLAINED * 5 / 300)
    page = [({mark}, 300, SURE) for mark in (2, 3, 4)]
    assert picked(*page, ({0}, 295, 1.0), ({1}, 5, 0.0), ({0, 1}, 300, least + 0.01)) == [0, 1, 2, 5]
    assert picked(*page, ({0}, 295, 1.0), ({1}, 5, 0.0), ({0, 1}, 300, least - 0.01)) == [0, 1, 2, 3]


def test_halves_beat_a_whole_that_is_hardly_a_digit_and_a_whole_beats_such_halves() -> None:
    candidates = [candidate({0}, 100), candidate({1}, 100), candidate({0, 1}, 200)]
    confidences = np.zeros((3, 10))  # what they lack of 1 is that they are no digits
    confidences[0, 3], confidences[1, 7], confidences[2, 0] = 0.8, 0.8, 0.02
    assert surest(confidences).tolist() == [0.8, 0.8, 0.02]
    assert choose(candidates, confidences) == [0, 1]
    confidences[:2], confidences[2] = confidences[2].copy(), confidences[0].copy()
    assert choose(candidates, confidences) == [2]
    assert surest(np.zeros((0, 10))).tolist() == []


def odds(share: float) -> float:
    return share / (1 - share)


def test_a_letter_is_not_read_as_the_strokes_that_it_is_made_of() -> None:
    # An H: two strokes, each of which is surely a 1, and a whole that is surely no digit.
    for slender, expected in (((40, 100), [2]), ((60, 100), [0, 1])):
        stroke = [candidate({i}, 100, slender) for i in range(2)]
        confidences = np.zeros((3, 10))
        confidences[:2, 1] = 0.999 * exp(-(OTHER - 2 * PRICE - STROKE) / 2)
        assert choose([*stroke, candidate({0, 1}, 200, (80, 100))], confidences) == expected


def test_a_piece_looks_less_like_a_digit_than_a_whole_and_a_stroke_hardly() -> None:
    piece, stroke = candidate({0}, 100, (60, 100)), candidate({1}, 100, (30, 100))
    whole, other, line = candidate({0, 1}, 200, (90, 100)), candidate({2}, 9, (60, 100)), candidate({3}, 9, (30, 100))
    of_piece, of_stroke, of_other, of_line = looks([piece, stroke, whole, other, line], [0, 1, 3, 4], [0.9] * 4)
    assert of_other == 0.9
    assert odds(of_line) == pytest.approx(9 * exp(-LONE_STROKE))
    assert odds(of_piece) == pytest.approx(9 * exp(-HALF))
    assert odds(of_stroke) == pytest.approx(9 * exp(-HALF_STROKE))
    assert looks([piece, stroke, whole], [2], [0.3]) == [0.3]
    assert looks([], [], []) == []
    assert 0 < looks([piece, whole], [0], [1.0])[0] < 1


def test_a_surely_read_scrap_of_a_digit_does_not_outweigh_the_digit() -> None:
    # The tail of a broken 2 looks just like a 1.
    assert picked(({0}, 300, 0.97), ({1}, 25, 0.99), ({0, 1}, 325, 0.96)) == [2]


def test_what_is_broader_than_digits_are_counts_less() -> None:
    assert _plausible(Box(0, 0, 1000, int(1000 / NARROW) + 1)) == 1
    assert _plausible(Box(0, 0, round(500 * (NARROW + BROAD)), 1000)) == pytest.approx(0.5, abs=0.01)
    assert _plausible(Box(0, 0, int(1000 * BROAD), 1000)) == _plausible(Box(0, 0, 9000, 1000)) == 0.1
    pieces = [candidate({0}, 100), candidate({1}, 100)]
    confidences = np.array([[0.9], [0.9], [0.9]])
    assert choose([*pieces, candidate({0, 1}, 200, (100, 100))], confidences) == [2]
    assert choose([*pieces, candidate({0, 1}, 200, (300, 100))], confidences) == [0, 1]


def test_the_highest_of_all_classes_counts() -> None:
    candidates = [candidate({0}, 100), candidate({1}, 100), candidate({0, 1}, 200)]
    assert choose(candidates, np.array([[0.0, 0.0, 0.9], [0.9, 0.0, 0.0], [0.05, 0.05, 0.04]])) == [0, 1]


def test_of_three_pieces_two_may_belong_together() -> None:
    pieces = [({0}, 100, 0.3), ({1}, 100, 0.3), ({2}, 100, 1.0)]
    joins = [({0, 1}, 200, 1.0), ({1, 2}, 200, 0.3), ({0, 1, 2}, 300, 0.3)]
    assert picked(*pieces, *joins) == [2, 3]


def test_of_a_string_of_pieces_the_best_digits_are_found() -> None:
    # 24 pieces, of which each third starts a digit: all runs of up to four are offered.
    runs = [(start, end) for start in range(24) for end in range(start + 1, min(24, start + 4) + 1)]
    right = [(start, start + 3) for start in range(0, 24, 3)]
    offered = [(set(range(*run)), 10 * (run[1] - run[0]), 0.9 if run in right else 0.2) for run in runs]
    assert picked(*offered) == sorted(runs.index(run) for run in right)


def test_a_group_too_large_to_search_is_chosen_from_greedily() -> None:
    marks = 40  # each may go with each of the next twenty: far more cases than steps
    pairs = [1 << i | 1 << j for i in range(marks) for j in range(i + 1, min(marks, i + 20))]
    sets = [*pairs, *(1 << i for i in range(marks))]
    assert len(sets) > STEPS
    members = _best_set(sets, [2.5] * len(pairs) + [1.0] * marks)
    assert sum(sets[k] for k in members) == (1 << marks) - 1
    assert len(members) == len(set(members)) == marks / 2


def test_nothing_is_chosen_that_costs_more_than_it_is_worth() -> None:
    # A scrap beside a large digit does not even pay for itself.
    scraps = [({i}, 1, 0.5) for i in range(1, 20)]
    linked = [({i, i + 1}, 1, 0.5) for i in range(1, 19)]
    assert picked(*scraps, *linked, ({0, 1}, 1000, 0.9)) == [len(scraps) + len(linked)]


def test_groups_far_apart_do_not_change_each_other() -> None:
    broken = [({0}, 100, 0.3), ({1}, 80, 0.3), ({0, 1}, 180, 0.99)]
    two = [({2}, 9000, 0.99), ({3}, 9000, 0.99), ({2, 3}, 18000, 0.1)]
    assert picked(*broken, *two) == [2, 3, 4]


OFFERS = st.lists(
    st.tuples(st.sets(st.integers(0, 8), min_size=1, max_size=3), st.integers(1, 50), st.floats(0, 1)), max_size=9
)


@given(OFFERS)
def test_no_mark_is_part_of_two_digits(offered: list[tuple[set[int], int, float]]) -> None:
    wide = offered + [({mark + 3 for mark in marks}, ink, worth) for marks, ink, worth in offered]
    for offers in (offered, wide):
        chosen = picked(*offers)
        assert chosen == sorted(set(chosen))
        marks = [mark for i in chosen for mark in offers[i][0]]
        assert len(marks) == len(set(marks))


@given(OFFERS)
def test_the_choice_is_the_best_of_all(offered: list[tuple[set[int], int, float]]) -> None:
    chosen = set(picked(*offered))
    sure = [ink for _, ink, confidence in offered if confidence >= SURE]
    typical = float(np.median(sure)) if sure else max((ink for _, ink, _ in offered), default=0)
    for group in groups(offered):
        unit = min(typical, max(offered[i][1] for i in group))
        worth = {
            i: UNEXPLAINED * ink / unit
            - min(PRICE - log(max(LEAST, confidence)) * max(1, ink / unit), OTHER - log(max(LEAST, 1 - confidence)))
            for i, (_, ink, confidence) in enumerate(offered)
            if i in group
        }
        best = 0.0
        for members in (members for n in range(len(group) + 1) for members in combinations(group, n)):
            if not any(offered[i][0] & offered[j][0] for i, j in combinations(members, 2)):
                best = max(best, sum(worth[i] for i in members))
        if len(group) == 1:
            assert group[0] in chosen
        else:
            assert sum(worth[i] for i in group if i in chosen) == pytest.approx(best, abs=1e-9)


def groups(offered: list[tuple[set[int], int, float]]) -> list[list[int]]:
    found: list[tuple[set[int], list[int]]] = []
    for i, (marks, _, _) in enumerate(offered):
        touching = [group for group in found if group[0] & marks]
        found = [group for group in found if not group[0] & marks]
        found.append(
            (marks.union(*(group[0] for group in touching)), [i, *(j for group in touching for j in group[1])])
        )
    return [members for _, members in found]
