"""Prometheus metrics: counts of readings, their latency, and the state of the source and the board."""

import logging
from collections.abc import Callable, Iterable
from itertools import chain
from time import monotonic, time

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric

import edge_runtime
from edge_runtime.reader import Reader
from edge_runtime.records import Event, Frame
from edge_runtime.sinks.sink import Sink
from edge_runtime.sinks.stats import STAGES
from edge_runtime.system import board
from edge_runtime.trace import Trace
from edge_runtime.vision.rejection import REASONS
from edge_runtime.web.openapi import PATHS

STAGE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
AGE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
EVENTS = ("appeared", "changed", "gone")
OUTCOMES = ("read", "refused", "busy")
# The source was interrupted, a picture could not be read, a result could not be written.
ERRORS = ("source", "picture", "output")
STATIC, OTHER = "/static/{name}", "other"

Temperature = Callable[[], float | None]
Throttled = Callable[[], tuple[str, ...] | None]
Up = Callable[[], bool | None]
Last = Callable[[], float | None]


class Metrics(Sink):
    """Counts what a pipeline reads and a server answers, in a registry of its own.

    `reader` supplies the model and its labels; `device` is the device's name. `up` returns whether the source gives
    frames, None without a source. Each call of `text` calls `up`, `temperature` and `throttled`. All methods are
    thread-safe, but only one thread may call those of a sink.
    """

    output = False

    def __init__(
        self,
        reader: Reader,
        up: Up = lambda: None,
        temperature: Temperature = board.temperature,
        throttled: Throttled = board.throttled,
        *,
        device: str = "",
    ) -> None:
        # Otherwise every series exports its creation time; process_start_time_seconds suffices.
        disable_created_metrics()  # type: ignore[no-untyped-call, unused-ignore]
        self._registry = registry = CollectorRegistry()
        self._skipped = 0  # frames in the next `dropped` that were still or are already counted here
        self._last: float | None = None  # when the last frame was taken, in seconds since 1970

        def counter(name: str, description: str, *labels: str) -> Counter:
            return Counter(f"edge_digits_{name}", description, labels, registry=registry)

        def histogram(name: str, description: str, buckets: Iterable[float], *labels: str) -> Histogram:
            return Histogram(f"edge_digits_{name}", description, labels, registry=registry, buckets=tuple(buckets))

        self._frames = counter("frames", "Frames taken from the source: those read and those skipped as unchanged.")
        self._still = counter("frames_still", "Frames skipped because they look like the previous one.")
        self._dropped = counter("frames_dropped", "Frames that a live source sent while another one was being read.")
        self._readings = counter("readings", "Frames of the source that were read, also those without a digit.")
        self._reconnects = counter("reconnects", "Times the source recovered after a failure.")
        self._errors = _each(
            counter("errors", "Errors: interruptions of the source, unreadable pictures, failed outputs.", "kind"),
            ERRORS,
        )
        self._events = _each(counter("events", "Events of lines reported.", "event"), EVENTS)
        labels = reader.classifier.labels[: reader.classifier.digits]
        self._digits = _each(counter("digits", "Digits read, counted in every frame.", "label"), labels)
        self._rejected = _each(counter("rejected", "Regions rejected, counted in every frame.", "reason"), REASONS)
        self._age = histogram("frame_age_seconds", "Age of a live frame when its reading was ready.", AGE_SECONDS)
        stages = histogram("stage_seconds", "Time to read a frame, by stage.", STAGE_SECONDS, "stage")
        self._stages = tuple((stage, stages.labels(stage)) for stage in STAGES)
        description = (
            "Pictures sent: read, refused as not a picture, too large or too slow, or because the server was busy."
        )
        self._reads = _each(counter("reads", description, "outcome"), OUTCOMES)
        self._requests = counter("http_requests", "HTTP requests answered.", "path", "status")
        registry.register(_Now(reader, device, lambda: self._last, up, temperature, throttled))
        ProcessCollector(registry=registry)

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Count a frame, its digits and its rejections."""
        reading = trace.reading
        self._last = _moment(frame)
        self._frames.inc()
        self._readings.inc()
        dropped, self._skipped = (frame.dropped or 0) - self._skipped, 0
        if dropped > 0:
            self._dropped.inc(dropped)
        for digit in reading.digits:
            self._digits[digit.label].inc()
        for rejection in reading.rejected:
            self._rejected[rejection.reason].inc()
        if reading.age_ms is not None:
            self._age.observe(reading.age_ms / 1000)
        for stage, histogram in self._stages:
            histogram.observe(getattr(reading.ms, stage) / 1000)

    def still(self, frame: Frame) -> None:
        """Count a frame that was not read."""
        dropped = frame.dropped or 0
        self._last = _moment(frame)
        self._frames.inc()
        self._still.inc()
        if dropped:
            self._dropped.inc(dropped)
        self._skipped += 1 + dropped

    def event(self, event: Event) -> None:
        """Count an event."""
        self._events[event.event].inc()

    def reconnected(self) -> None:
        """Count that the source gives frames again."""
        self._reconnects.inc()

    def failed(self, kind: str) -> None:
        """Count an error by its kind, one of ERRORS; an interruption of the source is one error, however long."""
        self._errors[kind].inc()

    def read(self, outcome: str) -> None:
        """Count an uploaded picture by its outcome, one of OUTCOMES."""
        self._reads[outcome].inc()

    def request(self, path: str, status: int) -> None:
        """Count an answer by its status and the requested path; all unknown paths count as one."""
        known = path if path in PATHS else STATIC if path.startswith("/static/") and status != 404 else OTHER
        self._requests.labels(known, str(status)).inc()

    def text(self) -> tuple[bytes, str]:
        """Return all metrics in the Prometheus text format, and its content type. Querying the board may be slow."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


class Interruptions(logging.Handler):
    """Counts the interruptions of a source, which it logs as warnings, and their ends, which it logs as information."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.INFO)
        self._metrics = metrics

    def emit(self, record: logging.LogRecord) -> None:
        """Count a log record; any thread may call it."""
        if record.levelno >= logging.WARNING:
            self._metrics.failed("source")
        else:
            self._metrics.reconnected()


class _Now:
    """Metrics of the current state, queried at each scrape; unknown values are omitted."""

    def __init__(
        self, reader: Reader, device: str, last: Last, up: Up, temperature: Temperature, throttled: Throttled
    ) -> None:
        self._reader, self._device, self._last = reader, device, last
        self._up, self._temperature, self._throttled = up, temperature, throttled

    def describe(self) -> Iterable[Metric]:
        return ()  # so that registration does not query the board

    def collect(self) -> Iterable[Metric]:
        return chain(self._model(), self._source(), self._warmth(), self._slowness())

    def _model(self) -> Iterable[Metric]:
        model = self._reader.classifier.model
        facts = {"name": model.path.name, "sha256": model.sha256, "verified": str(model.verified).lower()}
        yield InfoMetricFamily("edge_digits_model", "The current model.", facts)
        build = {"device": self._device, "model": model.id, "version": edge_runtime.__version__}
        yield InfoMetricFamily("edge_digits_build", "The device, its current model, and its version.", build)

    def _source(self) -> Iterable[Metric]:
        up = self._up()
        if up is not None:
            yield GaugeMetricFamily("edge_digits_source_up", "Whether the source sends frames.", float(up))
        last = self._last()
        if last is not None:
            name, description = "edge_digits_last_frame_timestamp_seconds", "When the last frame was taken, since 1970."
            yield GaugeMetricFamily(name, description, last)

    def _warmth(self) -> Iterable[Metric]:
        degrees = self._temperature()
        if degrees is not None:
            yield GaugeMetricFamily("edge_digits_cpu_temperature_celsius", "Temperature of the processor.", degrees)

    def _slowness(self) -> Iterable[Metric]:
        states = self._throttled()
        if states is not None:
            description = "Whether the board is throttled, now or since boot."
            family = GaugeMetricFamily("edge_digits_cpu_throttled", description, labels=["state"])
            for state in board.STATES:
                family.add_metric([state], float(state in states))
            yield family


def _moment(frame: Frame) -> float:
    """Return when a frame was taken, in seconds since 1970."""
    return time() if frame.taken is None else time() - (monotonic() - frame.taken)


def _each(counter: Counter, values: Iterable[str]) -> dict[str, Counter]:
    """Return a counter's children by their label; each is exported as 0 from the start."""
    return {value: counter.labels(value) for value in values}
