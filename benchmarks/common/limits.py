"""The limits of thresholds.toml, and the exception for a missed one."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_runtime.errors import CheckFailed

THRESHOLDS = Path(__file__).parents[1] / "thresholds.toml"


class LimitMissed(CheckFailed):
    """A limit of thresholds.toml was missed."""


def read_limits() -> dict[str, Any]:
    """Return the content of thresholds.toml: the limits of each benchmark by its name."""
    return tomllib.loads(THRESHOLDS.read_text(encoding="utf-8"))


def beyond(figures: Mapping[str, Any], limits: Mapping[str, float]) -> list[str]:
    """Return the names of the limits that their figures are above. Raises KeyError for a limit without a figure."""
    return [name for name, most in limits.items() if figures[name] > most]


def table(figures: Mapping[str, Any], limits: Mapping[str, float]) -> list[str]:
    """Return a line for each figure, with its limit if it has one."""
    return [
        f"{name:<18}{value:>10}" + (f"   at most {limits[name]:g}" if name in limits else "")
        for name, value in figures.items()
    ]
