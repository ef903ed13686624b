"""Are line confidences reliable? The precision at a given confidence, and the share of sure lines.

Lines of at least two digits count, over all pages; a line read where there is none is wrong. Coverage and risk are
terms of Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks" (2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.characters import reliability
from benchmarks.accuracy.score import align, compact
from edge_runtime.bench.result import Measure, figure, share
from edge_runtime.records import Line

PRECISIONS = (0.95, 0.99)
SURE = 0.95  # a line of at least this confidence is sure
LEAST = 2  # digits


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Coverage, risk and calibration of line confidences.

    `curve` holds coverage and risk, both 0-1, of the most confident lines: one, two, and so on, with lines of equal
    confidence kept together. `at` holds the largest number of most confident lines that reaches each of PRECISIONS.
    `ece` is the expected calibration error in percent, in fifteen bins of equal mass.
    """

    lines: int
    right: int
    sure: int  # of a confidence of at least SURE
    sure_right: int
    at: tuple[int, ...]
    ece: float
    curve: tuple[tuple[float, float], ...]


def judge(expected: Sequence[str], lines: Sequence[Line]) -> list[tuple[float, bool]]:
    """Return the confidence of each line read on a page, and whether it is right, ignoring spaces."""
    read = [compact(line.text) for line in lines]
    right = {j for i, j in align(expected, read) if i is not None and j is not None and expected[i] == read[j]}
    return [(line.confidence, j in right) for j, line in enumerate(lines) if len(read[j]) >= LEAST]


def summarize(judged: Sequence[tuple[float, bool]]) -> Coverage | None:
    """Return the coverage of these lines; None without a line."""
    if not judged:
        return None
    ordered = sorted(judged, key=lambda line: -line[0])
    confidence, right = np.array([c for c, _ in ordered]), np.array([r for _, r in ordered])
    count = np.arange(1, len(right) + 1)
    precision = np.cumsum(right) / count
    last = np.append(np.diff(confidence) < 0, True)  # lines of equal confidence count together
    bins = reliability(confidence, right)
    return Coverage(
        lines=len(right), right=int(right.sum()),
        sure=int((confidence >= SURE).sum()), sure_right=int(right[confidence >= SURE].sum()),
        at=tuple(int(count[last & (precision >= least)].max(initial=0)) for least in PRECISIONS),
        ece=100 * sum(abs(mean - hit) * n for mean, hit, n in bins) / len(right),
        curve=tuple((float(k / len(right)), float(1 - p)) for k, p in zip(count[last], precision[last], strict=True)),
    )  # fmt: skip


def describe(result: Coverage) -> str:
    """Return one line of text on the coverage."""
    at = ", ".join(f"{n} at {least:.0%}" for n, least in zip(result.at, PRECISIONS, strict=True))
    sure = f"{result.sure} sure ({SURE}), {result.sure_right} of them right"
    return (
        f"{result.lines} lines of {LEAST} digits and more, {result.right} right; {sure}; "
        f"coverage {at} precision; calibration error {result.ece:.1f} %"
    )


def measures(result: Coverage) -> list[Measure]:
    """Return the measures that compare with another run."""
    return [
        share("lines/sure", result.sure, result.lines),
        *([share("lines/right of the sure", result.sure_right, result.sure)] if result.sure else []),
        *(
            share(f"lines/coverage at {least:.0%} precision", n, result.lines)
            for n, least in zip(result.at, PRECISIONS, strict=True)
        ),
        figure("lines/ECE", result.ece, "%", better="lower"),
    ]
