"""Edit distance, alignment and sums: exact numbers."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy.score import Score, Summary, align, common_length, edit_distance, grid, score, summarize, table

LINE = st.text("0123", max_size=8)
PAGE = st.lists(st.text("0123", min_size=1, max_size=4), max_size=5)


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("", "", 0),
        ("12345", "12345", 0),
        ("12345", "1345", 1),
        ("12345", "12945", 1),
        ("12345", "123456", 1),
        ("", "123", 3),
        ("123", "", 3),
        ("21", "12", 2),
        ("1234567890", "234567890", 1),
        ("0011", "1100", 4),
    ],
)
def test_edit_distance(one: str, other: str, edits: int) -> None:
    assert edit_distance(one, other) == edits


@given(LINE, LINE, LINE)
def test_edit_distance_is_a_distance(one: str, other: str, third: str) -> None:
    edits = edit_distance(one, other)
    assert edits == edit_distance(other, one)
    assert abs(len(one) - len(other)) <= edits <= max(len(one), len(other))
    assert (edits == 0) == (one == other)
    assert edits <= edit_distance(one, third) + edit_distance(third, other)


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [
        ([], [], 0),
        (["12"], [], 0),
        (["12", "34", "56"], ["12", "34", "56"], 3),
        (["12", "34", "56"], ["12", "9", "56"], 2),
        (["12", "34"], ["34", "12"], 1),
        (["7", "7"], ["7"], 1),
        (["1", "2", "3", "4"], ["9", "1", "3", "9", "4"], 3),
    ],
)
def test_common_length(one: list[str], other: list[str], length: int) -> None:
    assert common_length(one, other) == common_length(other, one) == length


@pytest.mark.parametrize(
    ("one", "other", "pairs"),
    [
        ("", "", []),
        ("12", "12", [(0, 0), (1, 1)]),
        ("123", "13", [(0, 0), (1, None), (2, 1)]),
        ("13", "123", [(0, 0), (None, 1), (1, 2)]),
        ("1", "2", [(0, 0)]),
        ([], ["12"], [(None, 0)]),
        (["12"], [], [(0, None)]),
        # Lines are told apart by what is in them, not by their number.
        (["8374787080"], ["1", "8379787080", "44"], [(None, 0), (0, 1), (None, 2)]),
        (["1234", "77", "5678"], ["1284", "5678"], [(0, 0), (1, None), (2, 1)]),
    ],
)
def test_align(one: str | list[str], other: str | list[str], pairs: list[tuple[int | None, int | None]]) -> None:
    assert align(one, other) == pairs


@given(PAGE, PAGE)
def test_alignment_holds_every_item_once_and_in_order(one: list[str], other: list[str]) -> None:
    pairs = align(one, other)
    assert [i for i, _ in pairs if i is not None] == list(range(len(one)))
    assert [j for _, j in pairs if j is not None] == list(range(len(other)))
    assert (None, None) not in pairs


@given(LINE, LINE)
def test_alignment_has_the_fewest_edits(one: str, other: str) -> None:
    wrong = [(i, j) for i, j in align(one, other) if i is None or j is None or one[i] != other[j]]
    assert len(wrong) == edit_distance(one, other)


@pytest.mark.parametrize(
    ("expected", "read", "figures"),
    [
        # digits, read, edits, lines, exact lines, exact
        (["12", "34"], ["12", "34"], (4, 4, 0, 2, 2, True)),
        (["1234"], ["12 34"], (4, 4, 0, 1, 1, True)),
        (["1234"], [" 1\t2\u00a03 4 "], (4, 4, 0, 1, 1, True)),
        (["1234"], ["12", "34"], (4, 4, 0, 1, 0, False)),
        (["12", "34"], ["34", "12"], (4, 4, 4, 2, 1, False)),
        (["12", "34"], [], (4, 0, 4, 2, 0, False)),
        (["1"], ["1", "88"], (1, 3, 2, 1, 1, False)),
        ([], [], (0, 0, 0, 0, 0, True)),
        ([], ["12", "3"], (0, 3, 3, 0, 0, False)),
    ],
)
def test_score(expected: list[str], read: list[str], figures: tuple[int, ...]) -> None:
    assert dataclasses.astuple(score(expected, read)) == figures


def test_summary_counts_pages_without_digits_apart() -> None:
    scores = [score(["123", "45"], ["123", "46"]), score(["7"], ["7"]), score([], ["1", "23"]), score([], [])]
    assert summarize(scores, [10, 40, 20, 90]) == Summary(
        pages=4, exact_pages=2, digits=6, edits=1, lines=3, exact_lines=2, pages_without_digits=2, false_digits=3,
        median_ms=30, worst_ms=90,
    )  # fmt: skip


def test_rates() -> None:
    summary = summarize([score(["1234"], ["1"]), score([], ["123"]), score([], [])], [1, 2, 3])
    assert (summary.error_rate, summary.false_digits_a_page) == (75, 1.5)
    assert summarize([score(["1"], ["2345"])], [1]).error_rate == 400


def test_nothing_measured_has_no_rates() -> None:
    summary = summarize([], [])
    assert (summary.error_rate, summary.false_digits_a_page, summary.median_ms, summary.worst_ms) == (None,) * 4
    assert table({"everything": summary}) == "            pages  exact pages\neverything      0       0 of 0"


def test_table_is_aligned_without_what_does_not_apply() -> None:
    right = Score(digits=1200, read=1200, edits=0, lines=2, exact_lines=2, exact=True)
    wrong = dataclasses.replace(right, edits=33, exact_lines=0, exact=False)
    assert table({"core": summarize([right, wrong], [12.4, 999.6]), "a longer name": summarize([right], [5])}) == (
        "               pages  digits  error rate  exact lines  exact pages  ms/page  worst ms\n"
        "core               2   2,400       1.4 %       2 of 4       1 of 2      506      1000\n"
        "a longer name      1   1,200       0.0 %       2 of 2       1 of 1        5         5"
    )
    false = summarize([score([], ["123"])], [7])
    assert grid({"scene": false}) == [
        ["", "pages", "exact pages", "false digits/page", "ms/page", "worst ms"],
        ["scene", "1", "0 of 1", "3.0", "7", "7"],
    ]
