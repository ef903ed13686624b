import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.records import Box
from edge_runtime.vision.candidates import Candidate
from edge_runtime.vision.selection import choose

Offer = tuple[set[int], int, float]


def candidate(parts: set[int], ink: int, box: tuple[int, int] = (1, 2), x: int = 0) -> Candidate:
    return Candidate(Box(x, 0, *box), np.ones((ink, 1), np.uint8), 0, frozenset(parts), None, False)


def picked(*offered: Offer) -> list[int]:
    """Choose from (parts, ink, confidence) each."""
    candidates = [candidate(parts, ink) for parts, ink, _ in offered]
    confidences = np.array([[confidence, 0.0] for _, _, confidence in offered])
    return choose(candidates, confidences.reshape(-1, 2))


def test_nothing_to_choose_from() -> None:
    assert picked() == []


def test_what_nothing_else_wants_is_kept() -> None:
    assert picked(({0}, 100, 0.9), ({1}, 5, 0.1), ({2}, 100, 0.0)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("one", "other", "whole", "expected"),
    [
        pytest.param((100, 0.3), (80, 0.3), 0.99, [2], id="a broken digit"),
        pytest.param((100, 0.02), (80, 0.02), 0.8, [2], id="a doubtful one"),
        pytest.param((100, 0.99), (80, 0.2), 0.95, [2], id="a piece that is no digit"),
        pytest.param((100, 0.99), (80, 0.99), 0.1, [0, 1], id="two digits"),
        pytest.param((100, 0.8), (80, 0.8), 0.02, [0, 1], id="two doubtful ones"),
        pytest.param((100, 0.9), (80, 0.9), 0.9, [2], id="equally sure: one doubt is less than two"),
        pytest.param((100, 0.9), (10, 0.94), 0.9, [2], id="a scrap that is surer"),
        # The tail of a broken 2 looks just like a 1; the body of a 5 is surely a 3, and its flag no part of a digit.
        pytest.param((300, 0.97), (25, 0.99), 0.97, [2], id="the tail of a 2"),
        pytest.param((250, 0.99), (50, 0.0), 0.9, [2], id="the flag of a 5"),
    ],
)
def test_a_whole_or_its_pieces(
    one: tuple[int, float], other: tuple[int, float], whole: float, expected: list[int]
) -> None:
    assert picked(({0}, *one), ({1}, *other), ({0, 1}, one[0] + other[0], whole)) == expected


@pytest.mark.parametrize(("confidence", "expected"), [(0.05, set()), (0.5, {0, 1})])
def test_a_letter_is_not_read_as_strokes(confidence: float, expected: set[int]) -> None:
    # An H: two strokes, each of which looks like a 1, and a whole that is surely no digit.
    strokes = [candidate({i}, 100, (30, 100), 50 * i) for i in range(2)]
    confidences = np.zeros((3, 10))
    confidences[:2, 1] = confidence
    assert {0, 1} & set(choose([*strokes, candidate({0, 1}, 200, (80, 100))], confidences)) == expected


def test_what_is_too_broad_counts_less() -> None:
    pieces = [candidate({0}, 100), candidate({1}, 100)]
    confidences = np.array([[0.9], [0.9], [0.95]])
    assert choose([*pieces, candidate({0, 1}, 200, (100, 100))], confidences) == [2]
    assert choose([*pieces, candidate({0, 1}, 200, (300, 100))], confidences) == [0, 1]


def test_the_highest_of_all_classes_counts() -> None:
    candidates = [candidate({0}, 100), candidate({1}, 100), candidate({0, 1}, 200)]
    assert choose(candidates, np.array([[0.0, 0.0, 0.9], [0.9, 0.0, 0.0], [0.05, 0.05, 0.04]])) == [0, 1]


def test_of_three_pieces_two_belong_together() -> None:
    pieces: list[Offer] = [({0}, 100, 0.3), ({1}, 100, 0.3), ({2}, 100, 1.0)]
    wholes: list[Offer] = [({0, 1}, 200, 1.0), ({1, 2}, 200, 0.3), ({0, 1, 2}, 300, 0.3)]
    assert picked(*pieces, *wholes) == [2, 3]


def test_digits_are_found_in_many_pieces() -> None:
    # 24 pieces, of which each third starts a digit: all runs of up to four are offered.
    runs = [(start, end) for start in range(24) for end in range(start + 1, min(24, start + 4) + 1)]
    right = [(start, start + 3) for start in range(0, 24, 3)]
    offered = [(set(range(*run)), 10 * (run[1] - run[0]), 0.9 if run in right else 0.2) for run in runs]
    assert picked(*offered) == sorted(runs.index(run) for run in right)


def test_a_group_too_large_is_chosen_from_greedily() -> None:
    # Each of 40 pieces may go with each of the next twenty: there is no time for all of these cases.
    pairs = [({i, j}, 200, 0.99) for i in range(40) for j in range(i + 1, min(40, i + 20))]
    offered = [*pairs, *(({i}, 100, 0.5) for i in range(40))]
    chosen = picked(*offered)
    parts = [part for i in chosen for part in offered[i][0]]
    assert sorted(parts) == [*range(40)]


def test_groups_far_apart_stay_independent() -> None:
    broken: list[Offer] = [({0}, 100, 0.3), ({1}, 80, 0.3), ({0, 1}, 180, 0.99)]
    two: list[Offer] = [({2}, 9000, 0.99), ({3}, 9000, 0.99), ({2, 3}, 18000, 0.1)]
    assert picked(*broken, *two) == [2, 3, 4]


OFFERS = st.lists(
    st.tuples(st.sets(st.integers(0, 8), min_size=1, max_size=3), st.integers(1, 50), st.floats(0, 1)), max_size=9
)


@given(OFFERS)
def test_no_part_belongs_to_two_digits(offered: list[Offer]) -> None:
    wide = offered + [({part + 3 for part in parts}, ink, worth) for parts, ink, worth in offered]
    for offers in (offered, wide):
        chosen = picked(*offers)
        assert chosen == sorted(set(chosen))
        parts = [part for i in chosen for part in offers[i][0]]
        assert len(parts) == len(set(parts))
        others = [set[int]().union(*(offers[j][0] for j in range(len(offers)) if j != i)) for i in range(len(offers))]
        assert {i for i, (own, _, _) in enumerate(offers) if not own & others[i]} <= set(chosen)
