"""A figure as SVG inside an HTML page, with text as text, and the page's own black and white, light or dark."""

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from markupsafe import Markup
from matplotlib.figure import Figure

# Widths in inches: a page, and a phone, which shows the same chart with fewer panels in a row.
WIDE, NARROW = 9.6, 4.1
POINTS = 72  # points in an inch
LOOK: Any = {  # matplotlib declares the names of rcParams one by one
    "svg.fonttype": "none",
    "svg.hashsalt": "edge-digits",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
}
# The page's own colors: black, white, and a line blue that is too dark in dark mode.
COLORS = {"#000000": "currentColor", "#ffffff": "var(--surface)", "stroke: #0072b2": "stroke: var(--blue)"}
ID = re.compile(r'(\bid="|\bhref="#|url\(#)')
# SVG parts that HTML does not need, that name addresses, or that apply to the whole page.
SUPERFLUOUS = re.compile(
    r"<metadata>.*?</metadata>|<style.*?</style>|<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->"
    r'|\s+xmlns(:\w+)?="[^"]*"|(?<=<svg)\s+(?=xmlns)',
    re.DOTALL,
)


def chart(name: str, description: str, draw: Callable[[bool], Figure]) -> Markup:
    """Return HTML with a chart, drawn twice: for a page, `draw(True)`, and for a phone, `draw(False)`.

    `name` is the unique prefix of the ids inside; `description` is the text alternative.
    """
    return Markup("\n").join(
        Markup('<div class="chart {}">{}</div>').format(width, inline(f"{name}-{width}", description, draw, wide))
        for width, wide in (("wide", True), ("narrow", False))
    )


def inline(prefix: str, description: str, draw: Callable[[bool], Figure], wide: bool) -> Markup:
    """Return one drawing as an <svg> element, and close the figure."""
    with matplotlib.rc_context(LOOK):
        figure = draw(wide)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
        plt.close(figure)
    text = SUPERFLUOUS.sub("", buffer.getvalue()).replace("xlink:href", "href").strip()
    text = ID.sub(lambda match: f"{match[0]}{prefix}-", text)
    text = re.sub(r"(<svg)([^>]*)>", lambda match: f"{match[1]}{_sized(match[2], description, wide)}>", text, count=1)
    for drawn, shown in COLORS.items():
        text = re.sub(rf"{drawn}\b", shown, text)
    return Markup(text)


def _sized(attributes: str, description: str, wide: bool) -> str:
    """Return an <svg> element's attributes: the maximum width and the text alternative."""
    kept = re.findall(r'(viewBox|version)="([^"]*)"', attributes)
    points = float(re.findall(r'viewBox="0 0 ([\d.]+) ', attributes)[0])
    most = min(100.0, 100 * points / POINTS / (WIDE if wide else NARROW))
    named = f' role="img" aria-label="{escape(description)}" style="max-width:{most:.0f}%"'
    return named + "".join(f' {name}="{value}"' for name, value in kept)
