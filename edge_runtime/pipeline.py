"""The pipeline: opens each source, reads its frames, passes readings and events to the sinks, and closes it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

from edge_runtime.errors import OutputError, PictureError
from edge_runtime.reader import Reader
from edge_runtime.records import Frame, Reading, Uint8
from edge_runtime.sinks.sink import Sink
from edge_runtime.sources.kinds import DEFAULTS, Frames, kind_of, open_source
from edge_runtime.sources.options import Options
from edge_runtime.sources.view import View, cells, still, viewed
from edge_runtime.tracking.events import line_events
from edge_runtime.tracking.live_reader import LiveReader

Failed = Callable[[PictureError | OutputError], None]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What to report for moving pictures: events of lines that `need` of `of` frames agree on, and, if `raw`, readings.

    With `skip_still`, a frame that shows the same as the one before is not read again: it gets the same reading.
    """

    need: int = 3
    of: int = 5
    raw: bool = False
    skip_still: bool = False


DEFAULT_REPORT = Report()
DEFAULT_VIEW = View()


def _raise(error: PictureError | OutputError) -> None:
    raise error


def run(
    names: Sequence[str],
    reader: Reader,
    sinks: Sequence[Sink],
    options: Options = DEFAULTS,
    report: Report = DEFAULT_REPORT,
    failed: Failed = _raise,
    view: View = DEFAULT_VIEW,
) -> None:
    """Read sources one after the other, and pass the results to the sinks.

    `failed` receives the error of each picture that cannot be read and each sink that cannot be written to; the run
    goes on without them. By default it raises the error. Raises SourceError where a camera or stream fails, OutputError
    where no sink is left.
    """
    outlets = _Outlets(sinks, failed)
    try:
        for name in names:
            kind = kind_of(name)
            with closing(open_source(name, options)) as frames:
                readings = _readings(viewed(_limited(frames, options), view), reader, outlets, report, failed)
                if kind.moving:
                    for event in line_events(readings, report.need, report.of):
                        outlets.give("event", event)
                else:
                    for _ in readings:
                        pass
    finally:
        outlets.close()


def _readings(
    frames: Iterator[Frame | PictureError], reader: Reader, outlets: "_Outlets", report: Report, failed: Failed
) -> Iterator[Reading]:
    reading: Reading | None = None
    before: Uint8 | None = None
    skipped = 0
    moving = LiveReader(reader)
    for frame in frames:
        if isinstance(frame, PictureError):
            failed(frame)
            continue
        if report.skip_still and frame.moving:
            seen = cells(frame.pixels)
            if reading is not None and still(before, seen):
                skipped += 1 + (frame.dropped or 0)
                outlets.give("still", frame)
                yield replace(reading, frame=frame.index, captured_at=frame.captured_at)
                continue
            before = seen
        if skipped and frame.dropped is not None:
            frame = replace(frame, dropped=frame.dropped + skipped)
        skipped = 0
        trace = moving.trace(frame) if frame.moving else reader.trace(frame)
        reading = trace.reading
        outlets.give("frame", frame, trace)
        if report.raw or not frame.moving:
            outlets.give("reading", reading)
        yield reading


def _limited(frames: Frames, options: Options) -> Iterator[Frame | PictureError]:
    """Yield at most the number of frames in `options`, and none after its time limit."""
    for count, frame in enumerate(frames, 1):
        if options.until is not None and monotonic() >= options.until:
            return
        yield frame
        if count == options.frames and not options.watch:  # a watched folder stops after it has recorded the last one
            return


class _Outlets:
    """The sinks; one that fails does not stop the others."""

    def __init__(self, sinks: Sequence[Sink], failed: Failed) -> None:
        self._sinks, self._failed = list(sinks), failed

    def give(self, what: Literal["frame", "still", "reading", "event"], *values: object) -> None:
        for sink in tuple(self._sinks):
            self._try(sink, lambda: getattr(sink, what)(*values))  # noqa: B023 - called before the next one

    def close(self) -> None:
        """Close all sinks, then report those that failed."""
        failures: list[OutputError] = []
        for sink in tuple(self._sinks):
            try:
                sink.close()
            except OutputError as error:
                self._sinks.remove(sink)
                failures.append(error)
        for failure in failures:
            if not any(sink.output for sink in self._sinks):
                raise failure
            self._failed(failure)

    def _try(self, sink: Sink, action: Callable[[], None]) -> None:
        try:
            action()
        except OutputError as error:
            self._sinks.remove(sink)
            if not any(sink.output for sink in self._sinks):
                raise
            self._failed(error)
