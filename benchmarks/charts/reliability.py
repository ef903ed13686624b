"""Draws accuracy over the network's confidence: a reliability diagram for each set."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Bins = Sequence[tuple[float, float, int]]
# Okabe and Ito's color-blind-safe colors, and markers that work without colors.
STYLES = {"int8": ("#0072B2", "o"), "full": ("#D55E00", "x"), "before calibration": ("#999999", ".")}
# The range of a stretched scale, and its labels.
STRETCHED, TICKS = (0.3, 0.99999), (0.5, 0.9, 0.99, 0.999, 0.9999)


class Row(Protocol):
    """One set of digits; bins hold mean confidence, share read right, and count."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def ece(self) -> float: ...  # noqa: D102
    @property
    def reliability(self) -> Bins: ...  # noqa: D102
    @property
    def reliability_uncalibrated(self) -> Bins: ...  # noqa: D102


def draw(models: Mapping[str, Sequence[Row]], *, columns: int | None = None, stretched: bool = False) -> Figure:
    """Return a figure with a panel for each set and a line for each model; calibrated models lie on the diagonal.

    Each row has at most `columns` panels, by default all. With `stretched`, the scales widen toward 1, where most
    confidences are.
    """
    first = next(iter(models.values()))
    columns = columns or len(first)
    rows = -(-len(first) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(3.1 * columns, 3.4 * rows), layout="constrained", sharey=True, squeeze=False
    )
    panels = list(grid.flat)
    for axes in panels[len(first) :]:
        axes.axis("off")
    for i, axes in enumerate(panels[: len(first)]):
        ends = STRETCHED if stretched else (0, 1)
        axes.plot(ends, ends, color="black", linewidth=0.8, linestyle="--")
        lines = {name: rows[i].reliability for name, rows in models.items()}
        lines["before calibration"] = first[i].reliability_uncalibrated
        for name, bins in lines.items():
            color, marker = STYLES[name]
            confidences, shares = [mean for mean, _, _ in bins], [share for _, share, _ in bins]
            if stretched:  # the scale excludes 0 and 1
                shares = [min(max(share, 0.5 / count), 1 - 0.5 / count) for _, share, count in bins]
            axes.plot(confidences, shares, color=color, marker=marker, markersize=4, linewidth=1.2, label=name)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), title=f"{first[i].name}, ECE {first[i].ece:.1f} %")
        axes.set_xlabel("confidence, %" if stretched else "confidence")
        if stretched:
            _stretch(axes)
        axes.set_box_aspect(1)
        axes.grid(alpha=0.3)
    for axes in grid[:, 0]:
        axes.set_ylabel("read right, %" if stretched else "share read right")
    panels[len(first) - 1].legend(loc="upper left", fontsize=8)
    return figure


def _stretch(axes: Axes) -> None:
    """Give 99 % as much room as 90 %."""
    names = [f"{100 * tick:g}" for tick in TICKS]
    axes.set(xscale="logit", yscale="logit", xlim=STRETCHED, ylim=STRETCHED)
    axes.set_xticks(TICKS, names)
    axes.set_yticks(TICKS, names)
    axes.minorticks_off()
