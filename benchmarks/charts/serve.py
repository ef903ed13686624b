"""A run of `python -m benchmarks serve` as a figure: response times, frame ages, and memory."""

from typing import TYPE_CHECKING

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.common.process_stats import MB
from benchmarks.service import viewers
from benchmarks.service.serve_table import SHARES, ages

if TYPE_CHECKING:
    from benchmarks.service.load import Answers
    from benchmarks.service.serve import Cell, Measured
    from benchmarks.service.viewers import Stay

BLUE, ORANGE, GRAY = "#0072B2", "#D55E00", "#777777"
STYLES = dict(zip(SHARES, ("-", "--"), strict=True))
NAMES = {0.5: "median", 0.99: "99th percentile"}


def draw(results: "Measured", *, wide: bool = True) -> Figure:
    """Draw the measured parts; `wide` places two panels side by side."""
    figure, panels = plt.subplots(
        2 if wide else 4, 2 if wide else 1, figsize=(11, 6.5) if wide else (4.1, 12), layout="constrained"
    )
    digit, page, live, memory = panels.flat
    for axes, picture in zip((digit, page), dict.fromkeys(cell.picture for cell in results.cells), strict=False):
        _answers(axes, picture, [cell for cell in results.cells if cell.picture == picture and not cell.patient], wide)
    if results.stays:
        _ages(live, results.stays)
    if results.long is not None:
        seconds = np.linspace(0, results.long.answers.seconds, len(results.long.seconds))
        memory.plot(seconds, [second.memory / MB for second in results.long.seconds], color=BLUE)
        memory.set(
            title=f"Memory (resident) under {results.long.connections} connections", xlabel="seconds", ylabel="MB"
        )
        memory.set_ylim(0, None)
    for axes in (digit, page, live, memory):
        axes.grid(alpha=0.3)
        if not axes.has_data():
            axes.set_axis_off()
    return figure


def _answers(axes: Axes, picture: str, cells: "list[Cell]", wide: bool) -> None:
    connections = [cell.connections for cell in cells]
    kinds: list[tuple[str, str, list[Answers | None]]] = [
        ("a reading", BLUE, [cell.answers for cell in cells]),
        ("an empty answer", GRAY, [cell.empty for cell in cells]),
    ]
    for name, color, answers in kinds:
        for share, style in STYLES.items():
            times = [np.nan if each is None else each.quantile(share) for each in answers]
            axes.plot(connections, times, style, marker="o", markersize=4, color=color, label=f"{name}, {NAMES[share]}")
    axes.set(title=f"POST /api/read of a {picture}", xlabel="connections", ylabel="ms to a 200")
    axes.set(xscale="log", yscale="log", xticks=connections, xticklabels=connections)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylim(bottom=0.01)  # leaves room for the legend below
    axes.legend(fontsize="small", loc="lower right", ncols=2 if wide else 1)


def _ages(axes: Axes, stays: "list[Stay]") -> None:
    numbers = viewers.VIEWERS
    for share, color in zip(SHARES, (BLUE, ORANGE), strict=True):
        middle = [float(np.quantile(ages(stays, number, "true"), share)) for number in numbers]
        axes.plot(numbers, middle, "o-", color=color, label=NAMES[share])
        for number in numbers:  # every stay, to show the scatter
            each = [np.quantile(stay.true, share) for stay in stays if stay.viewers == number]
            axes.plot([number] * len(each), each, "_", color=color, alpha=0.5)
    axes.set(title="Age of a live frame when it has been read", xticks=numbers, ylabel="ms since the camera sent it")
    axes.set(xlabel="viewers, half of them stuck")
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])  # room for the legend
    axes.legend(fontsize="small")
