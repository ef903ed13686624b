"""The time of a frame by stage: a strip for each frame size, divided into stages."""

from collections.abc import Mapping

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from benchmarks.charts.scales import AMBER, BLUE, GREEN, ORANGE, PINK, SKY, duration
from benchmarks.charts.svg import NARROW, WIDE

# The colors of a piece and of its text.
STYLES = ((BLUE, "white"), (SKY, "#111111"), (GREEN, "white"), (AMBER, "#111111"), (PINK, "#111111"), (ORANGE, "white"))
WRITTEN = 0.07, 0.18  # the least share of a strip that fits a time, on a page and on a phone
NAMED = 0.14, 0.3  # the same for the stage name


def draw(frames: Mapping[str, Mapping[str, float]], totals: Mapping[str, float], wide: bool) -> Figure:
    """Draw a strip for each kind of frame: the median nanoseconds of each stage, as shares of their sum.

    `totals` are the median nanoseconds of the whole frame, by the same names; they label the strips.
    """
    row = 0.52 if wide else 0.72
    stages = list(dict.fromkeys(stage for of_frame in frames.values() for stage in of_frame))
    figure, axes = plt.subplots(figsize=(WIDE if wide else NARROW, row * len(frames) + 1.1), layout="constrained")
    for i, (name, of_frame) in enumerate(frames.items()):
        whole = sum(of_frame.values())
        left = 0.0
        for stage, spent in of_frame.items():
            color, ink = STYLES[stages.index(stage) % len(STYLES)]
            share = 100 * spent / whole
            axes.barh(i, share, left=left, height=0.5, color=color, edgecolor="white", linewidth=0.8)
            if share / 100 >= WRITTEN[not wide]:
                label = f"{stage} {duration(spent, 2)}" if share / 100 >= NAMED[not wide] else duration(spent, 2)
                axes.text(left + share / 2, i, label, color=ink, ha="center", va="center", fontsize=8)
            left += share
        label = f"{name}: {duration(totals[name])}"
        axes.text(0, i - 0.3, label, ha="left", va="bottom", fontsize=9 if wide else 8.5)
    axes.set(
        xlim=(0, 100), ylim=(len(frames) - 0.6, -0.75), xlabel="% of the time of a frame (sum of the stages' medians)"
    )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    handles = [Patch(color=STYLES[i % len(STYLES)][0], label=stage) for i, stage in enumerate(stages)]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(stages) if wide else 3, handlelength=1.2)
    return figure
