"""Scores of readings against the truth: edit distance, exact lines and pages, and a table of them."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bench.result import Measure, figure, share


@dataclass(frozen=True, kw_only=True)
class Score:
    """One page's reading against the truth. `edits` is the edit distance, all lines joined."""

    digits: int  # true ones
    read: int
    edits: int
    lines: int  # true ones
    exact_lines: int
    exact: bool  # the same lines in the same order


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Several pages together: counts, and the milliseconds of reading a page without decoding.

    Digits, edits and lines are from pages with digits; digits read on other pages are false.
    """

    pages: int
    exact_pages: int
    digits: int
    edits: int
    lines: int
    exact_lines: int
    pages_without_digits: int
    false_digits: int
    median_ms: float | None  # None without a page
    worst_ms: float | None

    @property
    def error_rate(self) -> float | None:
        """Character error rate in percent: edits for each true digit; None without one."""
        return 100 * self.edits / self.digits if self.digits else None

    @property
    def false_digits_a_page(self) -> float | None:
        """Digits read on each page that has none; None without such a page."""
        return self.false_digits / self.pages_without_digits if self.pages_without_digits else None


def edit_distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the least number of insertions, deletions and substitutions that turn one into the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def align(one: Sequence[str], other: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Return the alignment of `one` and `other` as pairs of indices in order; None for an item without a partner.

    The alignment has the fewest edits. It applies to letters of two words and to lines of two pages.
    """
    costs = [[0]]
    for b in other:
        costs[0].append(costs[0][-1] + len(b))
    for a in one:
        above, row = costs[-1], [costs[-1][0] + len(a)]
        for j, b in enumerate(other, 1):
            row.append(min(row[-1] + len(b), above[j] + len(a), above[j - 1] + edit_distance(a, b)))
        costs.append(row)
    pairs: list[tuple[int | None, int | None]] = []
    i, j = len(one), len(other)
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + edit_distance(one[i - 1], other[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and costs[i][j] == costs[i - 1][j] + len(one[i - 1]):
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence: the number of items in both, in the same order."""
    row = [0] * (len(other) + 1)
    for a in one:
        before = 0
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], before + 1 if a == b else max(row[j], row[j - 1])
    return row[-1]


def compact(line: str) -> str:
    """Return a line read without its white space, for comparison."""
    return "".join(line.split())


def score(expected: Sequence[str], read: Sequence[str]) -> Score:
    """Compare the lines read on a page with the true ones, ignoring white space in the lines read."""
    without_spaces = [compact(line) for line in read]
    truth, text = "".join(expected), "".join(without_spaces)
    return Score(
        digits=len(truth),
        read=len(text),
        edits=edit_distance(truth, text),
        lines=len(expected),
        exact_lines=common_length(expected, without_spaces),
        exact=list(expected) == without_spaces,
    )


def summarize(scores: Sequence[Score], ms: Sequence[float]) -> Summary:
    """Sum the scores of pages, and the milliseconds of reading each."""
    with_digits = [score for score in scores if score.digits]
    without = [score for score in scores if not score.digits]
    return Summary(
        pages=len(scores),
        exact_pages=sum(score.exact for score in scores),
        digits=sum(score.digits for score in with_digits),
        edits=sum(score.edits for score in with_digits),
        lines=sum(score.lines for score in with_digits),
        exact_lines=sum(score.exact_lines for score in with_digits),
        pages_without_digits=len(without),
        false_digits=sum(score.read for score in without),
        median_ms=statistics.median(ms) if ms else None,
        worst_ms=max(ms, default=None),
    )


def of_percent(name: str, percent: float, of: int) -> Measure:
    """Return a share known in percent of a count."""
    return share(name, round(percent * of / 100), of)


def negative_log_likelihood(confidences: NDArray[Any], labels: NDArray[Any]) -> float:
    """Return the mean negative log likelihood of the true labels, in nats; `confidences` is (N, classes), 0-1."""
    return float(-np.log(np.maximum(confidences[np.arange(len(labels)), labels], 1e-12)).mean())


def characters_right(name: str, edits: int, digits: int) -> Measure:
    """Return the share of digits right by the character error rate; 0 if there are more edits than digits.

    The rate itself is no share: it also counts extra digits.
    """
    return share(f"{name}/characters right", max(0, digits - edits), digits)


def measures(name: str, summary: Summary) -> list[Measure]:
    """Return the measures of a summary that compare with another one's, each named after `name`.

    The time of a single reading has no interval and no better direction; `latency` times pages in turns.
    """
    measured = []
    if summary.pages:
        measured.append(share(f"{name}/exact pages", summary.exact_pages, summary.pages))
    if summary.digits:
        measured += [
            share(f"{name}/exact lines", summary.exact_lines, summary.lines),
            characters_right(name, summary.edits, summary.digits),
        ]
    if summary.false_digits_a_page is not None:
        measured.append(figure(f"{name}/false digits a page", summary.false_digits_a_page, "1", better="lower"))
    if summary.median_ms is not None:
        measured.append(figure(f"{name}/a page", 1e6 * summary.median_ms, "ns"))
    return measured


HEAD = ("pages", "digits", "error rate", "exact lines", "exact pages", "false digits/page", "ms/page", "worst ms")


def cells(summary: Summary) -> list[str]:
    """Return a summary's table cells in the order of HEAD; "" if a figure does not apply."""
    rate, false = summary.error_rate, summary.false_digits_a_page
    return [
        f"{summary.pages:,}",
        f"{summary.digits:,}" if summary.digits else "",
        "" if rate is None else f"{rate:.1f} %",
        f"{summary.exact_lines} of {summary.lines}" if summary.lines else "",
        f"{summary.exact_pages} of {summary.pages}",
        "" if false is None else f"{false:.1f}",
        "" if summary.median_ms is None else f"{summary.median_ms:.0f}",
        "" if summary.worst_ms is None else f"{summary.worst_ms:.0f}",
    ]


def grid(summaries: Mapping[str, Summary]) -> list[list[str]]:
    """Return a table's cells: the head, and a row for each name; columns without a figure are left out."""
    rows = [[name, *cells(summary)] for name, summary in summaries.items()]
    kept = [0, *(k for k in range(1, len(HEAD) + 1) if any(row[k] for row in rows))]
    return [[row[k] for k in kept] for row in [["", *HEAD], *rows]]


def table(summaries: Mapping[str, Summary]) -> str:
    """Return summaries as lines of text, one for each name, with aligned columns."""
    rows = grid(summaries)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
    )
