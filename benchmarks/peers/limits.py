"""The limits of thresholds.toml on our time as a multiple of bare LiteRT's, and the results."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from benchmarks.speed.single_digit import BARE, CONFIDENCES, SCORES
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, Ratio

GROUP = "one digit"  # of interleaved measures
LIMITED = {"scores_at_most": SCORES, "confidences_at_most": CONFIDENCES}  # the call that each limit is for


class Verdict(NamedTuple):
    """A call, its time as a multiple of bare LiteRT's, the limit, and whether the whole interval is within it."""

    name: str
    ratio: Ratio
    limit: float
    met: bool

    @property
    def missed(self) -> str:
        """The violation in words."""
        took = f"{plain(self.ratio.value)} ({interval(self.ratio)})"
        return f"{self.name} takes {took} times as long as {BARE}, not at most {self.limit:g}"


def judge(measures: Iterable[Measure], limits: Mapping[str, float]) -> dict[str, Verdict]:
    """Compare the ratios with the limits; the upper end of the interval counts.

    Raises KeyError for an unknown limit.
    """
    times = {each.name.removeprefix(f"{GROUP}/"): each for each in measures if each.paired == GROUP}
    verdicts = {}
    for key, limit in limits.items():
        name = LIMITED[key]
        ratio = result.ratio(times[name], times[BARE])
        verdicts[key] = Verdict(name, ratio, limit, ratio.high <= limit)
    return verdicts


def table(verdicts: Mapping[str, Verdict]) -> list[str]:
    """Return a line for each limit."""
    return [
        f"Limits: as a multiple of {BARE}, and the 95 % interval",
        *[
            f"  {verdict.name:<31}{plain(verdict.ratio.value):>8} {f'({interval(verdict.ratio)})':<16}  "
            f"at most {verdict.limit:g}" + ("" if verdict.met else ", MISSED")
            for verdict in verdicts.values()
        ],
    ]


def interval(ratio: Ratio) -> str:
    """Return the ends of a ratio's interval as text."""
    return f"{plain(ratio.low)}-{plain(ratio.high)}"


def plain(value: float) -> str:
    """Return a ratio with its significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
