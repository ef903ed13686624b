"""Shared parts of charts: colors, number formats, axes of times and sizes."""

import math
from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

# Okabe and Ito's color-blind-safe colors, without the yellow, which is too pale on white.
BLUE, ORANGE, GREEN, PINK, SKY, AMBER, GRAY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#777777"
)  # fmt: skip
TIMES = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
NARROW = 0.3  # decades, over which a logarithmic axis is nearly linear
# The largest span of a logarithmic axis in decades, and the labels of each decade.
BETWEEN = (
    (0.7, (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)),
    (1.2, (1.0, 2.0, 3.0, 5.0)),
    (2, (1.0, 2.0, 5.0)),
    (3, (1.0, 3.0)),
)
COUNTS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def duration(nanoseconds: float, digits: int = 3) -> str:
    """Return a time with its unit, "13.8 µs"."""
    return _amount(nanoseconds, TIMES, digits)


def size(count: float, digits: int = 3) -> str:
    """Return bytes with their unit, "105 kB"; a kilobyte has 1000."""
    return _amount(count, SIZES, digits)


def number(count: float, digits: int = 3) -> str:
    """Return a large count, "12.3 G"."""
    return _amount(count, COUNTS, digits).rstrip()


def percent(value: float) -> str:
    """Return a percentage with enough decimals to show one digit in 10,000."""
    return f"{value:.2f} %"


def times(value: float) -> str:
    """Return a ratio, "2.31" or "3,540", with three digits if it is small."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def logarithmic(axis: Axis, write: Callable[[float], str]) -> None:
    """Label the powers of ten on a logarithmic axis, and more values between them if its span is small."""
    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    between = next((subs for most, subs in BETWEEN if decades < most), (1.0,))
    axis.set_major_locator(MaxNLocator(6) if decades < NARROW else LogLocator(10, subs=between))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axis.set_minor_formatter(NullFormatter())


def grid(axes: Axes, axis: str = "x") -> None:
    """Draw faint lines at the ticks, behind everything."""
    axes.set_axisbelow(True)
    axes.grid(alpha=0.3, axis=axis, linewidth=0.6)  # type: ignore[arg-type]


def _amount(value: float, units: tuple[tuple[float, str], ...], digits: int) -> str:
    for factor, unit in units:
        # A value that rounds up to a thousand of a unit takes the next unit.
        if float(f"{abs(value):.{digits}g}") >= factor or factor == 1.0:
            scaled = float(f"{value / factor:.{digits}g}")
            return f"{scaled:,.0f} {unit}" if abs(scaled) >= 100 else f"{scaled:g} {unit}"
    raise AssertionError("the last unit fits everything")
