"""A chart as a PNG file."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure


def save(figure: Figure, path: Path) -> None:
    """Write a chart, and let pyplot forget it. Raises OSError where it cannot be written."""
    figure.savefig(path, dpi=110)
    plt.close(figure)
