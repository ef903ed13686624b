"""The limits of thresholds.toml on time ratios of peers to ours, and the results."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from benchmarks.common import full
from benchmarks.peers.calls import NUMPY, ONNX_INT8, OPENCV
from benchmarks.peers.turns import KERAS
from benchmarks.speed.single_digit import BARE, CONFIDENCES, SCORES
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, Ratio

GROUP = "one digit"  # of interleaved measures


class Bound(NamedTuple):
    """The ratio that a limit of thresholds.toml bounds: the least of `measured` to `to`."""

    measured: tuple[str, ...]
    to: str
    at_least: bool


BOUNDS = {
    "onnx_runtime_int8_at_least": Bound(ONNX_INT8, SCORES, True),
    "opencv_at_least": Bound((OPENCV,), SCORES, True),
    "numpy_at_least": Bound((NUMPY,), SCORES, True),
    "keras_call_at_least": Bound((KERAS[full.MODEL],), SCORES, True),
    "keras_predict_at_least": Bound((KERAS[full.PREDICT],), SCORES, True),
    "scores_at_most": Bound((SCORES,), BARE, False),
    "confidences_at_most": Bound((CONFIDENCES,), BARE, False),
}


class Verdict(NamedTuple):
    """A limit, its ratio with the name, and whether the whole interval is within the limit."""

    bound: Bound
    name: str
    ratio: Ratio
    limit: float
    met: bool

    @property
    def asked(self) -> str:
        """The limit in words."""
        return f"at {'least' if self.bound.at_least else 'most'} {self.limit:g}"

    @property
    def missed(self) -> str:
        """The violation in words."""
        took = f"{plain(self.ratio.value)} ({interval(self.ratio)})"
        return f"{self.name} takes {took} times as long as {self.bound.to}, not {self.asked}"


def judge(measures: Iterable[Measure], limits: Mapping[str, float]) -> dict[str, Verdict]:
    """Compare the ratios with the limits; the end of the interval on the wrong side counts.

    Raises KeyError for an unknown limit.
    """
    times = {each.name.removeprefix(f"{GROUP}/"): each for each in measures if each.paired == GROUP}
    verdicts = {}
    for key, limit in limits.items():
        bound = BOUNDS[key]
        ratios = {name: result.ratio(times[name], times[bound.to]) for name in bound.measured}
        name = min(ratios, key=lambda name: ratios[name].value)
        ratio = ratios[name]
        met = ratio.low >= limit if bound.at_least else ratio.high <= limit
        verdicts[key] = Verdict(bound, name, ratio, limit, met)
    return verdicts


def table(verdicts: Mapping[str, Verdict]) -> list[str]:
    """Return a line for each limit."""
    return [
        "Limits: times as long, and the 95 % interval",
        *[
            f"  {verdict.name + ' to ' + verdict.bound.to:<51}{plain(verdict.ratio.value):>8} "
            f"{f'({interval(verdict.ratio)})':<16}  {verdict.asked}" + ("" if verdict.met else ", MISSED")
            for verdict in verdicts.values()
        ],
    ]


def interval(ratio: Ratio) -> str:
    """Return the ends of a ratio's interval as text."""
    return f"{plain(ratio.low)}-{plain(ratio.high)}"


def plain(value: float) -> str:
    """Return a ratio with its significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
