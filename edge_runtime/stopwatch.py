"""Stopwatch: how long each stage of the reading line took."""

from time import perf_counter_ns

from edge_runtime.records import Timings


class Stopwatch:
    """Adds up the milliseconds of the stages; what lies between them is in the total alone."""

    def __init__(self) -> None:
        self._started = self._last = perf_counter_ns()
        self._ms = {"ink": 0.0, "locate": 0.0, "normalize": 0.0, "classify": 0.0}

    def stop(self, stage: str) -> None:
        """Add to a stage the time since the last one, or the beginning."""
        now = perf_counter_ns()
        self._ms[stage] += (now - self._last) / 1e6
        self._last = now

    def skip(self) -> None:
        """Leave the time since the last stage out of all stages; only the total contains it."""
        self._last = perf_counter_ns()

    def timings(self) -> Timings:
        """Return what was added up so far."""
        return Timings(**self._ms, total=(perf_counter_ns() - self._started) / 1e6)
