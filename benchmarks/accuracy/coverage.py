"""How far a line's confidence can be trusted: how many lines are right at a given confidence, and how many are sure.

Lines of two digits and more count, of all pages together; one read where there is none is wrong. Geifman and El-Yaniv,
"Selective Classification for Deep Neural Networks" (2017), name coverage and risk.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.characters import reliability
from benchmarks.accuracy.score import align, compact
from edge_runtime.bench.result import Measure, figure, share
from edge_runtime.records import Line

PRECISIONS = (0.95, 0.99)
SURE = 0.95  # the confidence of a line from which on it is called sure
LEAST = 2  # digits


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What the confidences of lines are worth.

    `curve` holds the coverage and the risk, both 0-1, of the most confident lines: of one, of two, and so on, where the
    next has another confidence. `at` is how many of the most confident ones reach each of PRECISIONS. `ece` is the
    expected calibration error in percent, in fifteen bins of equal mass.
    """

    lines: int
    right: int
    sure: int  # of a confidence of SURE and more
    sure_right: int
    at: tuple[int, ...]
    ece: float
    curve: tuple[tuple[float, float], ...]


def judge(expected: Sequence[str], lines: Sequence[Line]) -> list[tuple[float, bool]]:
    """Return the confidence of each line that was read on a page, and whether it is exactly right, but for spaces."""
    read = [compact(line.text) for line in lines]
    right = {j for i, j in align(expected, read) if i is not None and j is not None and expected[i] == read[j]}
    return [(line.confidence, j in right) for j, line in enumerate(lines) if len(read[j]) >= LEAST]


def summarize(judged: Sequence[tuple[float, bool]]) -> Coverage | None:
    """Return what these lines show; None without a line."""
    if not judged:
        return None
    ordered = sorted(judged, key=lambda line: -line[0])
    confidence, right = np.array([c for c, _ in ordered]), np.array([r for _, r in ordered])
    count = np.arange(1, len(right) + 1)
    precision = np.cumsum(right) / count
    last = np.append(np.diff(confidence) < 0, True)  # of lines that are as confident as each other, all or none
    bins = reliability(confidence, right)
    return Coverage(
        lines=len(right), right=int(right.sum()),
        sure=int((confidence >= SURE).sum()), sure_right=int(right[confidence >= SURE].sum()),
        at=tuple(int(count[last & (precision >= least)].max(initial=0)) for least in PRECISIONS),
        ece=100 * sum(abs(mean - hit) * n for mean, hit, n in bins) / len(right),
        curve=tuple((float(k / len(right)), float(1 - p)) for k, p in zip(count[last], precision[last], strict=True)),
    )  # fmt: skip


def describe(result: Coverage) -> str:
    """Return it in a line of text."""
    at = ", ".join(f"{n} at {least:.0%}" for n, least in zip(result.at, PRECISIONS, strict=True))
    sure = f"{result.sure} sure ({SURE}), {result.sure_right} of them right"
    return (
        f"{result.lines} lines of {LEAST} digits and more, {result.right} right; {sure}; "
        f"coverage {at} precision; calibration error {result.ece:.1f} %"
    )


def measures(result: Coverage) -> list[Measure]:
    """Return what can be compared with another run."""
    return [
        share("lines/sure", result.sure, result.lines),
        *([share("lines/right of the sure", result.sure_right, result.sure)] if result.sure else []),
        *(
            share(f"lines/coverage at {least:.0%} precision", n, result.lines)
            for n, least in zip(result.at, PRECISIONS, strict=True)
        ),
        figure("lines/ECE", result.ece, "%", better="lower"),
    ]
