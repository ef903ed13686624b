"""The names of points in a chart, each beside its point where it covers nothing."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

# Positions of a point's name, as a share of its width and height, then points to the right and up: tried in
# this order, then farther out if all of these are taken.
PLACES = (("left", "center", 1, 0), ("right", "center", -1, 0), ("center", "bottom", 0, 1), ("center", "top", 0, -1),
          ("left", "bottom", 0.7, 0.7), ("right", "bottom", -0.7, 0.7), ("left", "top", 0.7, -0.7),
          ("right", "top", -0.7, -0.7))  # fmt: skip
DISTANCES = (6, 13, 20, 28, 36, 46)


def name_points(axes: Axes, points: Sequence[tuple[str, float, float]]) -> None:
    """Write each point's name beside it, at the position with the least overlap: `points` are names, x and y.

    The figure must have its final layout.
    """
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    inside = axes.get_window_extent(renderer)
    places = axes.transData.transform([(x, y) for _, x, y in points])
    taken = [Bbox.from_bounds(x - 5, y - 5, 10, 10) for x, y in places]
    for name, x, y in points:
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
