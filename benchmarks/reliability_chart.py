"""Draws how often digits are read right, by how confident the network is: a reliability diagram for each set."""

from collections.abc import Sequence
from typing import Protocol

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

Bins = Sequence[tuple[float, float, int]]
# Okabe and Ito's colors, which the color-blind tell apart, and marks that nobody needs colors for.
LOOKS = {"int8": ("#0072B2", "o"), "full": ("#D55E00", "x"), "before calibration": ("#999999", ".")}


class Row(Protocol):
    """What is drawn of a set of digits; bins are of mean confidence, share read right, and count."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def ece(self) -> float: ...  # noqa: D102
    @property
    def reliability(self) -> Bins: ...  # noqa: D102
    @property
    def reliability_uncalibrated(self) -> Bins: ...  # noqa: D102


def draw(models: dict[str, Sequence[Row]]) -> Figure:
    """Return a picture with a panel for each set and a line for each model: on the diagonal, confidences are true."""
    first = next(iter(models.values()))
    figure, panels = plt.subplots(
        1, len(first), figsize=(3.1 * len(first), 3.7), layout="constrained", sharey=True, squeeze=False
    )
    for i, axes in enumerate(panels[0]):
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--")
        lines = {name: rows[i].reliability for name, rows in models.items()}
        lines["before calibration"] = first[i].reliability_uncalibrated
        for name, bins in lines.items():
            color, marker = LOOKS[name]
            confidences, shares = [mean for mean, _, _ in bins], [share for _, share, _ in bins]
            axes.plot(confidences, shares, color=color, marker=marker, markersize=4, linewidth=1.2, label=name)
        axes.set(
            xlabel="confidence", xlim=(0, 1.02), ylim=(0, 1.02), title=f"{first[i].name}, ECE {first[i].ece:.1f} %"
        )
        axes.set_box_aspect(1)
        axes.grid(alpha=0.3)
    panels[0][0].set_ylabel("share read right")
    panels[0][-1].legend(loc="upper left", fontsize=8)
    return figure
