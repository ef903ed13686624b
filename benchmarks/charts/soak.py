"""A soak run as a figure: ages, memory, processor time, threads and files over the minutes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from benchmarks.service.soak import Second

LEAST_MB = 4


def draw(seconds: "Sequence[Second]", limits: dict[str, float], *, wide: bool = True) -> Figure:
    """Draw the values of each second, and the limits; `wide` places two panels side by side."""
    figure, panels = plt.subplots(
        2 if wide else 4, 2 if wide else 1, figsize=(11, 6) if wide else (4.1, 10.5), layout="constrained"
    )
    ages, memory, processor, counts = panels.flat
    minutes = np.array([second.at for second in seconds]) / 60
    stamped = [(at, second.true) for at, second in zip(minutes, seconds, strict=True) if second.true]
    for quantile, label, color in ((1.0, "oldest", "#D55E00"), (0.5, "median", "#0072B2")):
        values = [float(np.quantile(true, quantile)) for _, true in stamped]
        ages.plot([at for at, _ in stamped], values, label=label, color=color, linewidth=1)
    ages.axhline(limits["age_p99_ms"], color="black", linestyle=":", label="limit of the 99th percentile")
    ages.set(title="How old a frame is when it has been read", ylabel="ms, by the server's clock", ylim=(0, None))
    memory.plot(minutes, [second.memory / 1024**2 for second in seconds], color="#0072B2", linewidth=1)
    memory.set(title="Memory (resident)", ylabel="MB")
    low, high = memory.get_ylim()
    margin = max(0.0, LEAST_MB - (high - low)) / 2  # otherwise one more page looks like a leak
    memory.set_ylim(low - margin, high + margin)
    steps = [100 * (b.processor - a.processor) / (b.at - a.at) for a, b in pairwise(seconds)]
    processor.plot(minutes[1:], steps, color="#0072B2", linewidth=1)
    processor.axhline(limits["core_percent"], color="black", linestyle=":", label="limit of the mean")
    processor.set(title="Processor time", ylabel="% of a core", ylim=(0, None))
    counts.plot(minutes, [second.threads for second in seconds], label="threads", color="#0072B2")
    counts.plot(minutes, [second.files for second in seconds], label="open files", color="#D55E00", linestyle="--")
    counts.set(title="Threads and open files")
    counts.set_ylim(0, 1.4 * counts.get_ylim()[1])  # room for the legend
    for axes in (ages, memory, processor, counts):
        axes.set_xlabel("minutes")
        axes.grid(alpha=0.3)
        if axes is not memory:
            axes.legend()
    return figure
