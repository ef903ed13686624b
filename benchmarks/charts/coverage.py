"""Draws risk against coverage: the share of wrong lines among the most confident ones."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from benchmarks.accuracy.coverage import PRECISIONS, SURE, Coverage
from benchmarks.charts.scales import BLUE, ORANGE


def draw(coverage: Coverage) -> Figure:
    """Return the chart: a point marks the sure lines, dashed lines mark the required precisions."""
    chart, axes = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
    axes.plot(
        *([100 * value for value in side] for side in zip(*coverage.curve, strict=True)), color=BLUE, linewidth=1.6
    )
    for least in PRECISIONS:
        axes.axhline(100 * (1 - least), color="black", linewidth=0.8, linestyle="--")
        axes.annotate(f"{least:.0%} right", (100, 100 * (1 - least)), ha="right", va="bottom", fontsize=8)
    if coverage.sure:
        at = 100 * coverage.sure / coverage.lines, 100 * (1 - coverage.sure_right / coverage.sure)
        axes.plot(*at, color=ORANGE, marker="o", linestyle="none", label=f"confidence {SURE} and more")
        axes.legend(frameon=False, loc="upper left")
    axes.set(xlim=(0, 102), ylim=(0, None), xlabel="coverage: the most confident lines, %", ylabel="risk: wrong, %")
    axes.spines[["top", "right"]].set_visible(False)
    return chart
