"""Accuracy against time and against size: every model and every peer as one point."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.ticker import MultipleLocator
from matplotlib.transforms import Bbox

from benchmarks.charts.scales import BLUE, ORANGE, duration, grid, logarithmic, size
from benchmarks.charts.svg import NARROW, WIDE

# Positions of a point's name, as a share of its width and height, then points to the right and up: tried in
# this order, then farther out if all of these are taken.
PLACES = (("left", "center", 1, 0), ("right", "center", -1, 0), ("center", "bottom", 0, 1), ("center", "top", 0, -1),
          ("left", "bottom", 0.7, 0.7), ("right", "bottom", -0.7, 0.7), ("left", "top", 0.7, -0.7),
          ("right", "top", -0.7, -0.7))  # fmt: skip
DISTANCES = (6, 13, 20, 28, 36, 46)
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
        _names(panels[kind], [(joined(some), *place) for place, some in places.items()])
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


def _names(axes: Axes, points: Sequence[tuple[str, float, float]]) -> None:
    """Write each point's name beside it, at the position with the least overlap."""
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    inside = axes.get_window_extent(renderer)
    places = axes.transData.transform([(x, y) for _, x, y in points])
    taken = [Bbox.from_bounds(x - 5, y - 5, 10, 10) for x, y in places]
    for (name, x, y), _ in zip(points, places, strict=True):
        best: tuple[float, Annotation | None] = (np.inf, None)
        for distance in DISTANCES:
            for across, up, dx, dy in PLACES:
                line = {"arrowstyle": "-", "linewidth": 0.5, "color": "0.5"} if distance > DISTANCES[0] else None
                tried = axes.annotate(
                    name, (x, y), (dx * distance, dy * distance), textcoords="offset points", ha=across, va=up,
                    fontsize=8, arrowprops=line,
                )  # fmt: skip
                tried.update_positions(renderer)
                box = Text.get_window_extent(tried, renderer)  # without the line to the point
                cost = sum(_shared(box, other) for other in taken) + 3 * (_area(box) - _shared(box, inside))
                if cost < best[0]:
                    if best[1] is not None:
                        best[1].remove()
                    best = cost, tried
                else:
                    tried.remove()
            if best[0] == 0:
                break
        if best[1] is not None:
            taken.append(Text.get_window_extent(best[1], renderer))


def _shared(one: Bbox, other: Bbox) -> float:
    common = Bbox.intersection(one, other)
    return 0.0 if common is None else _area(common)


def _area(box: Bbox) -> float:
    return float(box.width * box.height)
