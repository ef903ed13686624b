"""Joules a frame and a digit, net of idle power, if the machine reports energy."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from edge_runtime.bench.result import Measure
from edge_runtime.system.board import ROOT
from edge_runtime.system.energy import open_meter


class Energy(NamedTuple):
    """The measurements of each block: watts before it and in it, and the net joules of a frame and of a digit."""

    source: str
    idle_watts: list[float]
    busy_watts: list[float]
    frame: list[float]
    digit: list[float]


def measure(
    read: Callable[[], int], seconds: float, blocks: int, tick: Callable[[], None], *, root: Path = ROOT
) -> Energy | None:
    """Idle for `seconds`, call `read` repeatedly for as long, and repeat this `blocks` times.

    `read` reads one frame and returns the number of digits found. Returns None if the machine reports no energy, or if
    the reported energy does not rise during reading, as in some virtual machines. `root` is the root of the file
    system.
    """
    meter = open_meter(root)
    if meter is None:
        return None
    energy = Energy(meter.source, [], [], [], [])
    with meter:
        for _ in range(blocks):
            before, begun = meter.joules(), time.monotonic()
            time.sleep(seconds)
            between, started = meter.joules(), time.monotonic()
            frames = digits = 0
            while time.monotonic() - started < seconds or frames == 0:
                digits += read()
                frames += 1
            after, ended = meter.joules(), time.monotonic()
            if before is None or between is None or after is None or digits == 0:
                return None
            idle = (between - before) / (started - begun)
            net = after - between - idle * (ended - started)
            energy.idle_watts.append(idle)
            energy.busy_watts.append((after - between) / (ended - started))
            energy.frame.append(net / frames)
            energy.digit.append(net / digits)
            tick()
    return energy if median(energy.frame) > 0 else None


def measures(energy: Energy, page: str) -> list[Measure]:
    """Return the joules as measures; `page` names the frame."""
    return [
        Measure(f"energy/{page}", "J", "lower", median(energy.frame), [energy.frame]),
        Measure("energy/digit", "J", "lower", median(energy.digit), [energy.digit]),
    ]
