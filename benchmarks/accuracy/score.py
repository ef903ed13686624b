"""What was read against what is there: edit distance, lines and pages that are exact, and a table of them."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_runtime.bench.result import Measure, figure, share


@dataclass(frozen=True, kw_only=True)
class Score:
    """One page: what was read against the truth. `edits` is the edit distance, all lines joined."""

    digits: int  # true ones
    read: int
    edits: int
    lines: int  # true ones
    exact_lines: int
    exact: bool  # the same lines in the same order


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Several pages together. Counts, but for the milliseconds that reading a page took, which decoding is no part of.

    Digits, edits and lines are those of pages with digits; what is read on the others is false.
    """

    pages: int
    exact_pages: int
    digits: int
    edits: int
    lines: int
    exact_lines: int
    pages_without_digits: int
    false_digits: int
    median_ms: float | None  # None where there is no page
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
    """Return the least number of insertions, deletions and substitutions that make one of the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def align(one: Sequence[str], other: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Return which item of `one` stands for which of `other`, as indices in order; None where there is no such item.

    Of all ways the one with the fewest edits: letters of two words and lines of two pages are aligned alike.
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
    """Return the length of the longest common subsequence: how many items both hold in the same order."""
    row = [0] * (len(other) + 1)
    for a in one:
        before = 0
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], before + 1 if a == b else max(row[j], row[j - 1])
    return row[-1]


def compact(line: str) -> str:
    """Return a line that was read without its white space, as it is compared."""
    return "".join(line.split())


def score(expected: Sequence[str], read: Sequence[str]) -> Score:
    """Compare the lines that were read on a page with the true ones; white space in lines that were read is dropped."""
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
    """Sum the scores of pages, and the milliseconds that reading each of them took."""
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


def of_percent(name: str, percent: float, of: int, *, better: str | None = "higher") -> Measure:
    """Return a share that is known in percent of so many."""
    return share(name, round(percent * of / 100), of, better=better)


def characters_right(name: str, edits: int, digits: int) -> Measure:
    """Return the share of the digits that the character error rate leaves; none where there are more edits than digits.

    Of a rate there is no share: what is read beside the digits counts as well.
    """
    return share(f"{name}/characters right", max(0, digits - edits), digits)


def measures(name: str, summary: Summary) -> list[Measure]:
    """Return what of a summary can be compared with another one's, each named after `name`.

    A time of one reading each is neither better nor worse: it has no interval, and `latency` times pages in turns.
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
    """Return what a table shows of a summary, in the order of HEAD; "" where a figure does not apply."""
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
    """Return a table's cells: the head, and a row for each name; columns in which no figure applies are left out."""
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
