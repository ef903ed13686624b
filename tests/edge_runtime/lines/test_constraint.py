import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import OptionError
from edge_runtime.lines.constraint import LONGEST, of_length, of_patterns

PATTERNS = st.lists(st.sampled_from(["?", "*", "0", "7", "[0-3]", "[1-35]", "[9]"]), max_size=6).map("".join)


@given(st.lists(PATTERNS, min_size=1, max_size=3), st.text("0123456789", max_size=7))
def test_patterns_accept_what_file_patterns_do(patterns: list[str], text: str) -> None:
    accepted = any(fnmatchcase(text, pattern) for pattern in patterns)
    assert of_patterns(*patterns).accepts([int(digit) for digit in text]) is accepted


def test_a_length_is_one_or_a_range() -> None:
    assert [n for n in range(12) if of_length(8).accepts([0] * n)] == [8]
    assert [n for n in range(12) if of_length(3, 5).accepts([9] * n)] == [3, 4, 5]


@pytest.mark.parametrize(("least", "most"), [(0, None), (5, 4), (1, LONGEST + 1), (-1, 3)])
def test_other_lengths_are_refused(least: int, most: int | None) -> None:
    with pytest.raises(OptionError, match=f"a line must have 1 to {LONGEST} digits"):
        of_length(least, most)


@pytest.mark.parametrize("pattern", ["12a", "[", "[]", "[a]", "1-2", "[1", "?]", "[-3]", " "])
def test_other_characters_are_refused_by_name(pattern: str) -> None:
    with pytest.raises(
        OptionError, match=re.escape(f"a pattern may hold digits, ?, * and [sets] of digits: {pattern!r}")
    ):
        of_patterns(pattern)


def test_empty_and_overlong_patterns_are_refused() -> None:
    with pytest.raises(OptionError, match="a constraint needs a pattern"):
        of_patterns()
    with pytest.raises(OptionError, match="has more than 64 digits"):
        of_patterns("?" * 65)


def test_an_automaton_has_a_state_per_path() -> None:
    constraint = of_patterns("1?", "12")
    assert constraint.moves[0] == {1: 1}
    assert len(constraint.moves) == 4
