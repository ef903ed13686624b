"""The measured times: a strip for each runtime, with a line for each value."""

from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.charts.scales import BLUE, ORANGE, duration, grid, logarithmic
from benchmarks.charts.svg import NARROW, WIDE
from edge_runtime.bench.result import Measure

DRAWN = 160  # values of a strip, spread evenly from the least to the most
GOLDEN = (5**0.5 - 1) / 2  # its multiples modulo 1 scatter evenly
LINE = 0.16  # its height as a share of a row


def draw(measures: Mapping[str, Measure], wide: bool) -> Figure:
    """Draw a strip for each of these measures under its name, the first at the top.

    All must have samples, in nanoseconds.
    """
    row, half = (0.36, 0.36) if wide else (0.56, 0.24)
    figure, axes = plt.subplots(figsize=(WIDE if wide else NARROW, row * len(measures) + 1.0), layout="constrained")
    axes.set_xscale("log")
    for i, (name, measure) in enumerate(measures.items()):
        values = np.sort(np.concatenate([np.asarray(block, float) for block in measure.samples or []]))
        kept = values[np.unique(np.linspace(0, len(values) - 1, min(DRAWN, len(values))).astype(int))]
        axes.plot(*_lines(kept, i, half), color=BLUE, linewidth=0.9, alpha=0.55, solid_capstyle="butt")
        middle, late = np.quantile(values, [0.5, 0.99])
        axes.plot([middle] * 2, [i - half, i + half], color="black", linewidth=1.8)
        axes.plot(late, i, marker="<", color=ORANGE, markersize=5)
        axes.annotate(duration(middle), (values[-1], i), (7, 0), textcoords="offset points", va="center", fontsize=8.5)
        if not wide:
            axes.annotate(name, (0, i - 0.28), xycoords=("axes fraction", "data"), va="bottom", fontsize=8.5)
    low, high = (np.array(axes.get_xlim()) * (0.9, 1)).tolist()
    axes.set_xlim(low, high * (high / low) ** (0.12 if wide else 0.3))  # room for the medians as text
    axes.set_ylim(len(measures) - 0.5, -0.5 if wide else -0.8)
    axes.set_yticks(range(len(measures)), list(measures) if wide else [""] * len(measures))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("time of one call, logarithmic")
    logarithmic(axes.xaxis, duration)
    grid(axes)
    return figure


def _lines(values: NDArray[np.float64], row: int, half: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one path through all values: short vertical strokes at scattered heights, with gaps between them."""
    heights = row - 0.8 * half + (1.6 * half - LINE) * (np.arange(len(values)) * GOLDEN % 1)
    gap = np.full(len(values), np.nan)
    return np.stack([values, values, gap], 1).ravel(), np.stack([heights, heights + LINE, gap], 1).ravel()
