"""Logs statistics at intervals: frames per second, time per stage, frames left out."""

import logging
from time import monotonic

from edge_runtime.records import Event, Frame
from edge_runtime.sinks.sink import Sink
from edge_runtime.trace import Trace

logger = logging.getLogger(__name__)
STAGES = ("ink", "locate", "normalize", "classify", "total")


class Stats(Sink):
    """Logs a line every `interval` seconds, and once more at the end."""

    output = False

    def __init__(self, interval: float = 60.0) -> None:
        self._interval = interval
        self._ms: dict[str, float] = {}
        self._age = self._oldest = 0.0
        self._begin()

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Count a frame."""
        reading = trace.reading
        self._frames += 1
        self._digits += len(reading.digits)
        self._ms = {stage: self._ms[stage] + getattr(reading.ms, stage) for stage in STAGES}
        if reading.age_ms is not None:
            self._age, self._oldest = self._age + reading.age_ms, max(self._oldest, reading.age_ms)
            self._dropped += reading.dropped or 0
        self._log_in_time()

    def still(self, frame: Frame) -> None:
        """Count a frame that was not read."""
        self._still += 1
        self._log_in_time()

    def event(self, event: Event) -> None:
        """Count an event."""
        self._events += 1

    def close(self) -> None:
        """Log the remaining counts."""
        if self._frames or self._still:
            self._log()

    def _log_in_time(self) -> None:
        if monotonic() - self._started >= self._interval:
            self._log()
            self._begin()

    def _begin(self) -> None:
        self._started = monotonic()
        self._frames = self._still = self._digits = self._events = self._dropped = 0
        self._ms = dict.fromkeys(STAGES, 0.0)
        self._age = self._oldest = 0.0

    def _log(self) -> None:
        seconds = max(monotonic() - self._started, 1e-9)
        read = max(self._frames, 1)
        stages = ", ".join(f"{stage} {self._ms[stage] / read:.1f}" for stage in STAGES)
        line = f"{self._frames / seconds:.1f} frames a second; ms: {stages}"
        if self._still:
            line += f"; {self._still} still"
        if self._oldest:
            line += f"; age {self._age / read:.0f} ms, at most {self._oldest:.0f}; {self._dropped} dropped"
        logger.info(f"{line}; {self._digits} digits, {self._events} events")
