"""The process under `python -m benchmarks soak`: it reads a stamped stream as `edge-digits read` does.

python -m benchmarks.service.soak_reader URL SECONDS    a JSON object a second: the ages of its frames, true and claimed
"""

import json
import logging
import os
import sys
import time

from benchmarks.service.stamp import age
from edge_runtime import DigitReader, pipeline
from edge_runtime.records import Event, Frame
from edge_runtime.sinks.lines import JsonLines
from edge_runtime.sinks.sink import Sink
from edge_runtime.sources.options import Options
from edge_runtime.trace import Trace


class Ages(Sink):
    """Prints, once a second, the ages of frames after reading."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._since = time.monotonic()
        self._true: list[float] = []
        self._claimed: list[float] = []
        self._dropped = self._digits = self._events = self._unstamped = 0

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Record a frame that has just been read."""
        now = time.monotonic()
        true, claimed = age(frame.pixels, now), trace.reading.age_ms
        if true is None or claimed is None:
            self._unstamped += 1
        else:
            self._true.append(round(1000 * true, 2))
            self._claimed.append(round(claimed, 2))
        self._dropped += trace.reading.dropped or 0
        self._digits += len(trace.reading.digits)
        if now - self._since >= 1:
            second = {"true": self._true, "claimed": self._claimed, "dropped": self._dropped, "digits": self._digits,
                      "events": self._events, "unstamped": self._unstamped}  # fmt: skip
            print(json.dumps(second), flush=True)
            self._begin()

    def event(self, event: Event) -> None:
        """Count an event."""
        self._events += 1


def main(address: str, seconds: float) -> None:
    """Read for the given time."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    with DigitReader() as reader, open(os.devnull, "w") as nowhere:
        lines = JsonLines(lambda line: print(line, file=nowhere, flush=True))
        options = Options(until=time.monotonic() + seconds)
        pipeline.run([address], reader, [lines, Ages()], options, pipeline.Report(raw=True), _fail)


def _fail(error: Exception) -> None:
    raise error


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
