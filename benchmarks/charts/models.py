"""Accuracy against time and against size: every model and every peer as one point."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from benchmarks.charts.names import name_points
from benchmarks.charts.scales import BLUE, ORANGE, duration, grid, logarithmic, size
from benchmarks.charts.svg import NARROW, WIDE

STEPS, MOST_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10), 5  # in percent
KINDS = {"nanoseconds": ("time of one digit, median", duration), "bytes": ("size of the model file", size)}
ROW = 0.2  # inches of a line of the key


class Model(NamedTuple):
    """One way to read a digit: percent read right, nanoseconds for one digit, bytes of its file; ours, or a peer's."""

    name: str
    accuracy: float
    nanoseconds: float | None
    bytes: float | None
    ours: bool


def draw(models: Sequence[Model], wide: bool) -> Figure:
    """Draw accuracy over the time of one digit, and over the file size; the upper left is best.

    The phone version shows numbers, with a key below.
    """
    kinds = [kind for kind in KINDS if any(getattr(model, kind) for model in models)]
    heights = [3.5 if wide else 3.2] * len(kinds) + ([] if wide else [ROW * len(models)])
    figure, rows = plt.subplots(
        len(heights), figsize=(WIDE if wide else NARROW, sum(heights)), height_ratios=heights, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    panels = dict(zip([*kinds, "key"], rows[:, 0], strict=False))
    names = [model.name if wide else str(i) for i, model in enumerate(models, 1)]
    for kind in kinds:
        _points(panels[kind], models, kind, wide)
    figure.legend(*panels[kinds[0]].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    if not wide:
        panels["key"].set_axis_off()
        panels["key"].set_ylim(len(models) - 0.5, -0.5)
        for i, model in enumerate(models):
            panels["key"].text(0, i, f"{i + 1}  {model.name}", fontsize=8, va="center")
    figure.draw_without_rendering()  # name placement needs the final layout
    figure.set_layout_engine("none")
    for kind in kinds:
        places: dict[tuple[float, float], list[str]] = {}
        for name, model in zip(names, models, strict=True):
            if getattr(model, kind):
                places.setdefault((getattr(model, kind), model.accuracy), []).append(name)
        name_points(panels[kind], [(joined(some), *place) for place, some in places.items()])
    return figure


def _points(axes: Axes, models: Sequence[Model], kind: str, wide: bool) -> None:
    axes.set_xscale("log")
    for ours, color, marker, label in ((True, BLUE, "o", "edge-digits"), (False, ORANGE, "D", "peer")):
        points = [
            (getattr(model, kind), model.accuracy) for model in models if model.ours == ours and getattr(model, kind)
        ]
        if points:
            axes.plot(*zip(*points, strict=True), marker, color=color, markersize=6 if ours else 5, label=label)
    low, high = axes.get_xlim()
    wider = (high / low) ** (0.15 if wide else 0.08)
    values = [model.accuracy for model in models]
    spread = max(0.02, max(values) - min(values))
    axes.set(xlim=(low / wider, high * wider), ylim=(min(values) - 0.3 * spread, max(values) + 0.5 * spread))
    axes.yaxis.set_major_locator(MultipleLocator(next((s for s in STEPS if spread / s <= MOST_TICKS), STEPS[-1])))
    axes.yaxis.set_major_formatter("{x:.2f}")
    label, write = KINDS[kind]
    axes.set_xlabel(f"{label}, logarithmic")
    logarithmic(axes.xaxis, write)
    axes.set_ylabel("% of MNIST's test digits read right" if wide else "% of test digits read right")
    grid(axes, "both")


def joined(names: Sequence[str]) -> str:
    """Return the names of points at the same place as one name, with a common beginning only once."""
    words = [name.split() for name in names]
    most = min(map(len, words)) - 1 if len(words) > 1 else 0
    alike = next((k for k in range(most) if len({each[k] for each in words}) > 1), most)
    return " ".join([*words[0][:alike], ", ".join(" ".join(each[alike:]) for each in words)])
