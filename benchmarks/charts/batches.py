"""Time of a digit in batches: a line for each model, with a band around most values."""

from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from benchmarks.charts.scales import BLUE, GREEN, ORANGE, PINK, duration, grid, logarithmic
from benchmarks.charts.svg import NARROW, WIDE
from edge_runtime.bench.result import Measure

STYLES = ((ORANGE, "o"), (PINK, "^"), (GREEN, "D"), (BLUE, "s"))
BAND = 0.05, 0.95


def draw(models: Mapping[str, Mapping[int, Measure]], wide: bool) -> Figure:
    """Draw the nanoseconds of a batch, by its number of digits, as nanoseconds of a digit; all must have samples."""
    figure, axes = plt.subplots(figsize=(WIDE * 0.7, 3.4) if wide else (NARROW, 3.2), layout="constrained")
    axes.set(xscale="log", yscale="log", xlabel="digits in a batch", ylabel="time of a digit, logarithmic")
    for (name, of_model), (color, marker) in zip(models.items(), STYLES, strict=False):
        sizes = list(of_model)
        values = [np.concatenate([np.asarray(block) for block in each.samples or []]) for each in of_model.values()]
        low, middle, high = np.transpose(
            [np.quantile(some, (BAND[0], 0.5, BAND[1])) / count for some, count in zip(values, sizes, strict=True)]
        )
        axes.fill_between(sizes, low, high, color=color, alpha=0.15, linewidth=0)
        axes.plot(sizes, middle, color=color, marker=marker, markersize=4.5, linewidth=1.4, label=name)
    ticks = sorted({count for of_model in models.values() for count in of_model})
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    logarithmic(axes.yaxis, duration)
    grid(axes, "both")
    axes.legend()
    return figure
