"""What the confidences of lines are worth: exact numbers, and a chart that shows them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy import coverage
from benchmarks.charts import coverage as coverage_chart
from edge_runtime.records import Box, Line

BOX = Box(0, 0, 9, 9)
LINES = [(0.99, True), (0.97, True), (0.96, False), (0.9, True), (0.9, False), (0.5, True), (0.2, False)]


def lines(*summary: tuple[str, float]) -> list[Line]:
    return [Line(text, confidence, BOX) for text, confidence in summary]


def test_lines_are_right_where_the_page_has_them() -> None:
    read = lines(("12 3", 0.9), ("46", 0.8), ("7", 0.7), ("89", 0.6))
    assert coverage.judge(["123", "45", "7", "89"], read) == [(0.9, True), (0.8, False), (0.6, True)]
    assert coverage.judge([], read) == [(0.9, False), (0.8, False), (0.6, False)]
    assert coverage.judge(["123"], []) == []


def test_a_line_that_is_not_there_is_wrong() -> None:
    assert coverage.judge(["123"], lines(("99", 0.9), ("123", 0.8))) == [(0.9, False), (0.8, True)]


def test_figures_of_seven_lines() -> None:
    summary = coverage.summarize(LINES)
    assert summary is not None
    assert (summary.lines, summary.right, summary.sure, summary.sure_right, summary.at) == (7, 4, 3, 2, (2, 2))
    # Two lines of one confidence come together.
    assert [round(7 * at) for at, _ in summary.curve] == [1, 2, 3, 5, 6, 7]
    assert [risk for _, risk in summary.curve] == pytest.approx([0, 0, 1 / 3, 2 / 5, 2 / 6, 3 / 7])
    assert summary.ece == pytest.approx(100 * (0.01 + 0.03 + 0.96 + 0.1 + 0.9 + 0.5 + 0.2) / 7)
    assert coverage.describe(summary) == (
        "7 lines of 2 digits and more, 4 right; 3 sure (0.95), 2 of them right; "
        "coverage 2 at 95%, 2 at 99% precision; calibration error 38.6 %"
    )
    assert {one.name for one in coverage.measures(summary)} == {
        "lines/sure", "lines/right of the sure", "lines/coverage at 95% precision", "lines/coverage at 99% precision",
        "lines/ECE",
    }  # fmt: skip


def test_no_line_has_no_figures() -> None:
    assert coverage.summarize([]) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_any_lines_have_figures_and_a_curve(judged: list[tuple[float, bool]]) -> None:
    summary = coverage.summarize(judged)
    assert summary is not None
    assert summary.curve[-1] == (1.0, 1 - summary.right / summary.lines)
    assert summary.sure_right <= summary.sure <= summary.lines
    assert list(summary.at) == sorted(summary.at, reverse=True)
    assert 0 <= summary.ece <= 100


def test_the_chart_shows_curve_and_sure_lines() -> None:
    summary = coverage.summarize(LINES)
    assert summary is not None
    curve, *_, point = coverage_chart.draw(summary).axes[0].lines
    assert curve.get_xydata() == pytest.approx(100 * np.array(summary.curve))
    assert point.get_xydata() == pytest.approx(np.array([[100 * 3 / 7, 100 / 3]]))
    none = coverage.summarize([(0.1, True)])
    assert none is not None
    assert len(coverage_chart.draw(none).axes[0].lines) == 3
