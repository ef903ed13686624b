"""Model updates as a figure: the gap before each reading, over time."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from benchmarks.service.updates import Change, Line


def draw(lines: "Sequence[Line]", changes: "Sequence[Change]", limit: float, *, wide: bool = True) -> Figure:
    """Draw a dot for each reading; shading marks each installation up to the first reading by the new model.

    `wide` is the page format; otherwise the height suits a phone.
    """
    figure, axes = plt.subplots(figsize=(11, 3.5) if wide else (4.1, 4), layout="constrained")
    start = lines[0].at
    for number, change in enumerate(changes):
        label = "a model is installed, up to its first reading" if number == 0 else None
        axes.axvspan(change.began - start, change.read - start, color="#E69F00", alpha=0.35, linewidth=0, label=label)
    gaps = [1000 * (after.at - before.at) for before, after in pairwise(lines)]
    axes.plot([line.at - start for line in lines[1:]], gaps, ".", color="#0072B2", markersize=3, label="a reading")
    axes.axhline(limit, color="black", linestyle=":", label="limit")
    axes.set(title="Time since the reading before", xlabel="seconds", ylabel="ms", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", ncols=3 if wide else 1, bbox_to_anchor=(1, 0.92))
    return figure
