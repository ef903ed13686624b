"""Robustness as a figure: a panel for each condition, severity rising from left to right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

if TYPE_CHECKING:
    from benchmarks.accuracy.robustness import Cell

COLUMNS = 5
TICKS = (100, 99.5, 99, 97, 95, 90, 80, 50, 0)
# Color-blind-safe colors, and markers with the same meaning.
LINES = {
    "located": ("#0072B2", "o", "located: drawn digits that a reported one covers"),
    "precision": ("#D55E00", "^", "precision: reported digits that are there"),
    "read": ("#000000", "s", "read: drawn digits with the right label"),
}


LOOK: dict[str, Any] = {"markersize": 4.5, "linewidth": 1.4}


def draw(
    cells: "Sequence[Cell]", limits: dict[str, Any], *, columns: int = COLUMNS, panel: float | None = None
) -> Figure:
    """Draw located, precision and read over the severity, and the classifier's own accuracy on the same digits.

    `limits` is the table [robustness] of thresholds.toml. Each row has at most `columns` panels, each `panel` inches
    wide.
    """
    names = list(dict.fromkeys(cell.condition for cell in cells))
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    size = (panel * columns if panel else max(7.0, 2.9 * columns), 2.3 * rows + 1.1)
    figure, grid = plt.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, layout="constrained", squeeze=False
    )
    for axes in grid.flat[len(names) :]:
        axes.axis("off")
    for axes, name in zip(grid.flat, names, strict=False):
        _panel(axes, [cell for cell in cells if cell.condition == name], limits)
        axes.set_title(name, fontsize=11)
    for axes in grid[:, 0]:
        axes.set_ylabel("%")
    for k, axes in enumerate(grid[-1]):
        below = axes if (rows - 1) * columns + k < len(names) else grid[-2, k]
        below.set_xlabel("severity")
        below.tick_params(labelbottom=True)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=3 if size[0] > 9 else 1, fontsize=10, frameon=False
    )
    return figure


def _panel(axes: Any, cells: "Sequence[Cell]", limits: dict[str, Any]) -> None:
    severities = [cell.severity for cell in cells]
    axes.set_yscale("function", functions=(_stretched, _shrunk))
    baseline = float(np.mean([cell.baseline for cell in cells]))
    axes.axhline(
        baseline, color="0.45", linestyle="--", linewidth=1.2, label="the classifier on the same digits, 28x28"
    )
    for name, (color, marker, label) in LINES.items():
        values = [np.nan if (value := getattr(cell, name)) is None else value for cell in cells]
        axes.plot(severities, values, label=label, clip_on=False, **LOOK, color=color, marker=marker)
    bounds = [(s, limits[f"severity-{s}"]["located"]) for s in severities if f"severity-{s}" in limits]
    if bounds:
        axes.plot(*zip(*bounds, strict=True), "_", color="0.3", markersize=18, label="least located and precision")
    axes.set(xlim=(0.5, 5.5), ylim=(0, 100), xticks=range(1, 6), yticks=TICKS)
    axes.set_yticklabels([f"{tick:g}" for tick in TICKS], fontsize=8)
    axes.minorticks_off()
    axes.grid(alpha=0.25, axis="y")


def _stretched(percent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the position of a percentage: the logarithm of its distance to 100, which separates 99 from 99.5."""
    return np.asarray(-np.log10(100.7 - np.minimum(percent, 100)))


def _shrunk(height: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(100.7 - 10.0**-height)
