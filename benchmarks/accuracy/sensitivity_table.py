"""The counts of `python -m benchmarks sensitivity` as a table, a documentation page and measures."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.accuracy.score import characters_right
from benchmarks.accuracy.vision_numbers import Number
from edge_runtime.bench.result import Measure, figure
from edge_runtime.vision.planes import LONG_SIDE

FACTORS = 0.8, 1.2
KINDS = "pages", "photos", "false"  # points of character errors for the first two, false digits a picture
# Sort weights of a difference of 1: one false digit in ten pictures counts as one point of errors.
WEIGHTS = 1.0, 1.0, 10.0
PAGE = """# What each number brings

<!-- made by: python -m benchmarks sensitivity --markdown FILE -->

Each number chosen by hand in `edge_runtime/vision` is moved 20 % down and up (whole numbers by at least 1), one at a
time; values derived from it follow. The table shows by how many points the character error rate rises on generated
pages and on photographs, and by how many the false digits rise per picture without digits. The largest effect comes
first; a false digit in ten pictures counts as a point.

{read}
Photographs are first reduced to {side:,} pixels: a larger `planes.LONG_SIDE` changes nothing here.

{table}
"""


class Counts(NamedTuple):
    """The counts of a pass over the sample, for each of KINDS: errors, and the number of digits or pictures."""

    wrong: tuple[int, ...]
    of: tuple[int, ...]

    @property
    def rates(self) -> list[float]:
        """Percent of the digits, percent of the digits, and digits a picture; NaN if the sample has none."""
        scales = 100, 100, 1
        parts = zip(scales, self.wrong, self.of, strict=True)
        return [scale * wrong / of if of else math.nan for scale, wrong, of in parts]


class Row(NamedTuple):
    """A number, and the counts with each of FACTORS; text gives the reason if reading failed."""

    number: Number
    moved: tuple[Counts | str, ...]

    def differences(self, baseline: Counts) -> list[list[float]]:
        """Return the rise of each of KINDS with each of FACTORS; NaN if unknown."""
        return [
            [math.nan if isinstance(each, str) else each.rates[kind] - baseline.rates[kind] for each in self.moved]
            for kind in range(len(KINDS))
        ]

    def effect(self, baseline: Counts) -> float:
        """Return the largest difference, weighted by WEIGHTS; infinity if reading failed."""
        if any(isinstance(each, str) for each in self.moved):
            return math.inf
        parts = zip(WEIGHTS, self.differences(baseline), strict=True)
        return max(weight * abs(each) for weight, pair in parts for each in pair if not math.isnan(each))


def ordered(baseline: Counts, rows: Sequence[Row]) -> list[Row]:
    """Return the rows, largest effect first."""
    return sorted(rows, key=lambda row: (-row.effect(baseline), row.number.label))


def grid(baseline: Counts, rows: Sequence[Row]) -> list[list[str]]:
    """Return the table's cells: head, baseline, and a row for each number; kinds outside the sample are left out."""
    kinds = [kind for kind, of in enumerate(baseline.of) if of]
    head = ["", "value", *(f"{KINDS[kind]} {percent(factor)}" for kind in kinds for factor in FACTORS)]
    rates = [f"{baseline.rates[kind]:.2f}" + (" %" if KINDS[kind] != "false" else "") for kind in kinds]
    cells = [head, ["baseline", "", *(cell for rate in rates for cell in (rate, ""))]]
    for row in rows:
        differences = row.differences(baseline)
        cells.append([row.number.label, f"{row.number.value:,}", *(_cell(x) for k in kinds for x in differences[k])])
    return cells


def _cell(difference: float) -> str:
    return "fails" if math.isnan(difference) else f"{difference:+.2f}" if difference else "0"


def percent(factor: float) -> str:
    """Return a factor as a change in percent: 0.8 is -20 %."""
    return f"{100 * (factor - 1):+.0f} %"


def table(baseline: Counts, rows: Sequence[Row]) -> str:
    """Return the cells as lines of text, with aligned columns."""
    cells = grid(baseline, rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in cells
    )


def page(baseline: Counts, rows: Sequence[Row], read: str) -> str:
    """Return a documentation page with the table; `read` describes the sample."""
    head, first, *others = grid(baseline, rows)
    cells = [head, first, *([f"`{row[0]}`", *row[1:]] for row in others)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    lines.insert(1, f"|---|{'---:|' * (len(head) - 1)}")
    return PAGE.format(read=textwrap.fill(f"The run read {read}.", 120), side=LONG_SIDE, table="\n".join(lines))


def measures(baseline: Counts, rows: Sequence[Row]) -> list[Measure]:
    """Return the baseline's figures, which compare with another run's, and the effect of each number."""
    measured = []
    for kind, wrong, of, rate in zip(KINDS, baseline.wrong, baseline.of, baseline.rates, strict=True):
        if of and kind != "false":
            measured.append(characters_right(kind, wrong, of))
        elif of:
            measured.append(figure("false digits a picture", rate, "1", better="lower"))
    effects = {row.number.label: row.effect(baseline) for row in rows}
    return measured + [figure(f"{name}/effect", x, "1") for name, x in effects.items() if math.isfinite(x)]


def details(baseline: Counts, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the details of sensitivity.json: every count, and the values of the numbers."""
    return {
        "kinds": list(KINDS),
        "baseline": baseline._asdict(),
        "numbers": [
            {
                "name": row.number.label,
                "value": row.number.value,
                "moved": [
                    {"value": row.number.moved(factor)}
                    | ({"failed": each} if isinstance(each, str) else each._asdict())
                    for factor, each in zip(FACTORS, row.moved, strict=True)
                ],
            }
            for row in rows
        ],
    }
