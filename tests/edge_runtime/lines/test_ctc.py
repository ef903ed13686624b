from itertools import groupby, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.inference.contract import BLANK
from edge_runtime.lines.constraint import of_length, of_patterns
from edge_runtime.lines.ctc import constrained, decode, likelihoods

FEW = (0, 1, 2, BLANK)


def sure(*path: int) -> np.ndarray:
    """Return the probabilities of a network that is sure of an output at every step."""
    return np.eye(BLANK + 1)[list(path)]


def unsure(seed: int, steps: int) -> np.ndarray:
    """Return the probabilities of a network that knows four outputs, and is sure of none."""
    probabilities = np.zeros((steps, BLANK + 1))
    probabilities[:, FEW] = np.random.default_rng(seed).dirichlet(np.full(4, 0.5), steps)
    return probabilities


def told(path: tuple[int, ...]) -> list[int]:
    """Return the digits that a path tells."""
    return [label for label, _ in groupby(path) if label != BLANK]


def test_a_blank_separates_two_equal_digits() -> None:
    text = decode(sure(BLANK, 3, 3, BLANK, 3, 7, 7), 2.0)
    assert text.labels == (3, 3, 7)
    assert text.columns == ((2.0, 6.0), (8.0, 10.0), (10.0, 14.0))
    assert np.array_equal(text.confidences, sure(3, 3, 7)[:, :BLANK])
    assert text.likely == 1.0


def test_a_strip_without_digits_says_so() -> None:
    text = decode(sure(*[BLANK] * 9), 2.0)
    assert (text.labels, text.likely, text.columns, text.confidences.shape) == ((), 1.0, (), (0, BLANK))


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 5)), min_size=1, max_size=3),
    st.lists(st.lists(st.integers(0, 2), max_size=3), max_size=3),
)
def test_the_likelihood_sums_over_every_alignment(seeds: list[tuple[int, int]], texts: list[list[int]]) -> None:
    views = [unsure(seed, steps) for seed, steps in seeds]
    ways = [
        [sum(view[range(len(view)), path].prod() for path in product(FEW, repeat=len(view)) if told(path) == text)
         for text in texts]
        for view in views
    ]  # fmt: skip
    got = likelihoods(views, texts)
    assert got.shape == (len(views), len(texts))
    # Blanks in a row that are all but sure count as one: see PROBABILITY_FLOOR.
    assert got.ravel() == pytest.approx(np.array(ways).ravel(), abs=2e-3)


def test_two_equal_digits_need_a_blank_between_them() -> None:
    assert likelihoods([sure(4, BLANK, BLANK, BLANK, 4), sure(4, 4, 4)], [[4, 4]]).tolist() == [[1.0], [0.0]]


@given(st.integers(0, 2**32 - 1), st.sampled_from(["?", "??", "1*", "*2", "[01]?", "0*1", "?*?"]))
def test_a_constraint_leaves_its_likeliest_path(seed: int, pattern: str) -> None:
    probabilities, constraint = unsure(seed, 5), of_patterns(pattern)
    accepted = {
        path: probabilities[range(5), path].prod() for path in product(FEW, repeat=5) if constraint.accepts(told(path))
    }
    runs, certain = constrained(probabilities, constraint)
    assert [label for label, _, _ in runs] == told(max(accepted, key=lambda path: accepted[path]))
    assert certain == pytest.approx(sum(accepted.values()), abs=2e-3)


def test_confidences_are_relative_to_the_constraint() -> None:
    probabilities = 0.6 * sure(7, BLANK, 1, BLANK) + 0.4 * sure(7, BLANK, BLANK, BLANK)
    assert decode(probabilities, 2.0).labels == (7, 1)
    text = decode(probabilities, 2.0, of_length(1))
    assert text.labels == (7,)
    assert text.likely == pytest.approx(1.0)
    assert text.columns == ((0.0, 2.0),)
    assert np.array_equal(text.confidences, probabilities[[0], :BLANK])


def test_digits_keep_their_columns_without_blanks() -> None:
    probabilities = sure(*[BLANK] * 20, 3, 3, *[BLANK] * 10, 8, BLANK)
    assert decode(probabilities, 2.0, of_length(2)).columns == decode(probabilities, 2.0).columns


def test_more_digits_than_steps_are_impossible() -> None:
    text = decode(sure(1, 2, 3), 2.0, of_length(4))
    assert (text.labels, text.likely) == ((), 0.0)
