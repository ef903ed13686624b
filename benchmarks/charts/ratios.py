"""The time of each peer as a multiple, with the interval of each ratio."""

from collections.abc import Mapping, Sequence

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from benchmarks.charts.scales import BLUE, grid, logarithmic, times
from benchmarks.charts.svg import NARROW, WIDE
from edge_runtime.bench.result import Ratio


def draw(ratios: Mapping[str, Ratio], of: str, wide: bool) -> Figure:
    """Draw ratios by the peer's name, the first at the top; `of` names the reference."""
    row = 0.36 if wide else 0.52
    figure, axes = plt.subplots(figsize=(WIDE if wide else NARROW, row * len(ratios) + 1.0), layout="constrained")
    axes.set_xscale("log")
    axes.axvline(1, color="0.55", linewidth=0.9, zorder=0)
    for i, (name, ratio) in enumerate(ratios.items()):
        axes.plot([ratio.low, ratio.high], [i, i], color=BLUE, linewidth=3, alpha=0.5, solid_capstyle="butt")
        axes.plot(ratio.value, i, "o", color=BLUE, markersize=5)
        axes.annotate(
            interval(ratio),
            (max(ratio.high, ratio.value), i),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
        if not wide:
            axes.annotate(name, (0, i - 0.22), xycoords=("axes fraction", "data"), va="bottom", fontsize=8.5)
    ends: Sequence[float] = [end for ratio in ratios.values() for end in (ratio.low, ratio.high) if np.isfinite(end)]
    low, high = min([1.0, *ends]) / 1.15, max([2.0, *ends])
    axes.set_xlim(low, high * (high / low) ** (0.22 if wide else 0.55))
    axes.set_ylim(len(ratios) - 0.5, -0.5 if wide else -0.85)
    axes.set_yticks(range(len(ratios)), list(ratios) if wide else [""] * len(ratios))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"time, as a multiple of {of}, logarithmic")
    logarithmic(axes.xaxis, lambda value: f"{value:,g}")
    grid(axes)
    return figure


def interval(ratio: Ratio) -> str:
    """Return a ratio with its interval, "2.31 (2.20-2.43)"."""
    return f"{times(ratio.value)} ({times(ratio.low)}-{times(ratio.high)})"
