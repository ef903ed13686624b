"""Character errors against the time of a picture: every reader as one point, a panel for each set of pictures.

The time is processor time, since each reader has one thread: other load on the machine hardly changes it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmarks.charts.names import name_points
from benchmarks.charts.scales import BLUE, ORANGE, duration, grid, logarithmic
from benchmarks.charts.svg import NARROW, WIDE
from benchmarks.peers.readers.catalog import EDGE
from benchmarks.peers.readers.compare import Row

PANEL = 2.7  # inches high
COLUMNS = 2
LINEAR = 1.0  # percent of errors, below which their axis is linear: it has a 0, and false digits may bring 1,000
WIDER = 3.0  # by how much the axis of times goes beyond the points on both sides, for their names


class Point(NamedTuple):
    """A reader on one set: character errors in percent, and the median nanoseconds of processor time a picture."""

    name: str
    error: float
    nanoseconds: float


def points(rows: Sequence[Row]) -> dict[str, list[Point]]:
    """Return the points of each set; a set without digits has none."""
    of_sets: dict[str, list[Point]] = {}
    for row in rows:
        if row.summary.error_rate is not None:
            point = Point(row.reader, row.summary.error_rate, 1e6 * row.ms(0.5, processor=True))
            of_sets.setdefault(row.set_name, []).append(point)
    return of_sets


def draw(sets: Mapping[str, Sequence[Point]], wide: bool) -> Figure:
    """Draw a panel for each set, by its name; the lower left is best."""
    columns = min(COLUMNS, len(sets)) if wide else 1
    rows = -(-len(sets) // columns)
    size = WIDE * columns / COLUMNS if wide else NARROW, PANEL * rows
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for axes in panels.flat[len(sets) :]:
        axes.axis("off")
    for axes, (name, of_set) in zip(panels.flat, sets.items(), strict=False):
        _panel(axes, name, of_set)
    figure.draw_without_rendering()  # name placement needs the final layout
    figure.set_layout_engine("none")
    for axes, of_set in zip(panels.flat, sets.values(), strict=False):
        name_points(axes, [(point.name, point.nanoseconds, point.error) for point in of_set])
    return figure


def _panel(axes: Axes, name: str, points: Sequence[Point]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=LINEAR)
    for point in points:
        marker, color = ("o", BLUE) if point.name == EDGE else ("D", ORANGE)
        axes.plot(point.nanoseconds, point.error, marker, color=color, clip_on=False, zorder=3)
    times = [point.nanoseconds for point in points]
    errors = [point.error for point in points]
    axes.set(
        title=name, xlim=(min(times) / WIDER, max(times) * WIDER), ylim=(0, 2 * max(LINEAR, *errors)),
        xlabel="processor time of a picture, median", ylabel="character errors, %",
    )  # fmt: skip
    logarithmic(axes.xaxis, duration)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    grid(axes, "both")
