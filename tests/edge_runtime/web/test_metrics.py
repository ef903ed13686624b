import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

import edge_runtime
from edge_runtime import DigitReader
from edge_runtime.records import Box, Event, Frame
from edge_runtime.sinks.stats import STAGES
from edge_runtime.sources.pictures import load
from edge_runtime.system import board
from edge_runtime.trace import Trace
from edge_runtime.vision.rejection import REASONS
from edge_runtime.web.metrics import Metrics

SAMPLES = Path(__file__).parents[3] / "edge_runtime" / "samples"
Series = dict[tuple[str, str], float]
Made = Callable[..., Metrics]


@pytest.fixture
def made(reader: DigitReader) -> Made:
    """Metrics of a board that tells nothing, unless told otherwise."""

    def make(**options: object) -> Metrics:
        unknown = {"temperature": lambda: None, "throttled": lambda: None}
        return Metrics(reader, **{**unknown, **options})  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="module")
def paper(reader: DigitReader) -> tuple[Frame, Trace]:
    frame = load(SAMPLES / "paper.jpg")
    cv2.circle(frame.pixels, (700, 560), 4, (0, 0, 0), cv2.FILLED)  # a dot, which is rejected
    return frame, reader.trace(frame)


def series(metrics: Metrics) -> Series:
    """Return every value by its name and its one or more labels' values."""
    text = metrics.text()[0].decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    values = {(sample.name, ",".join(sample.labels.values())): sample.value for sample in samples}
    assert len(values) == len(samples)
    return values


def test_a_frame_counts_digits_rejections_and_times(made: Made, paper: tuple[Frame, Trace]) -> None:
    metrics, (frame, trace) = made(), paper
    aged = replace(trace, reading=replace(trace.reading, age_ms=42.0))
    metrics.frame(replace(frame, moving=True, dropped=3), aged)
    metrics.frame(frame, trace)
    values = series(metrics)
    assert values["edge_digits_frames_total", ""] == values["edge_digits_readings_total", ""] == 2
    assert values["edge_digits_frames_dropped_total", ""] == 3
    assert values["edge_digits_frames_still_total", ""] == 0
    labels = [digit.label for digit in trace.reading.digits]
    assert labels
    assert [values["edge_digits_digits_total", label] for label in "0123456789"] == [
        2 * labels.count(label) for label in "0123456789"
    ]
    reasons = [rejection.reason for rejection in trace.reading.rejected]
    assert reasons
    assert [values["edge_digits_rejected_total", reason] for reason in REASONS] == [
        2 * reasons.count(reason) for reason in REASONS
    ]
    assert values["edge_digits_frame_age_seconds_count", ""] == 1
    assert values["edge_digits_frame_age_seconds_sum", ""] == pytest.approx(0.042)
    for stage in STAGES:
        assert values["edge_digits_stage_seconds_count", stage] == 2
        seconds = 2 * getattr(trace.reading.ms, stage) / 1000
        assert values["edge_digits_stage_seconds_sum", stage] == pytest.approx(seconds)
        assert values["edge_digits_stage_seconds_bucket", f"+Inf,{stage}"] == 2
    assert not metrics.output


def test_dropped_frames_are_not_those_that_were_still(made: Made, paper: tuple[Frame, Trace]) -> None:
    metrics, (frame, trace) = made(), paper
    metrics.still(replace(frame, dropped=2))
    metrics.still(replace(frame, dropped=0))
    metrics.frame(replace(frame, dropped=1 + 4), trace)  # 1 before it, 2 still ones and the 2 before those
    values = series(metrics)
    assert values["edge_digits_frames_total", ""] == 3
    assert values["edge_digits_frames_still_total", ""] == 2
    assert values["edge_digits_readings_total", ""] == 1
    assert values["edge_digits_frames_dropped_total", ""] == 3
    metrics.still(replace(frame, dropped=None))  # a video drops none
    metrics.frame(replace(frame, dropped=None), trace)
    metrics.frame(replace(frame, dropped=1), trace)
    assert series(metrics)["edge_digits_frames_dropped_total", ""] == 4


def test_events_reads_requests_and_reconnects_count(made: Made) -> None:
    metrics = made()
    event = Event("changed", 1, "12", "1", Box(0, 0, 9, 9), 0.9, "camera:0", 4, datetime(2026, 3, 1, tzinfo=UTC))
    metrics.event(event)
    metrics.reconnected()
    metrics.read("busy")
    metrics.read("busy")
    metrics.request("/api/live", 200)
    metrics.request("/static/live.js", 200)
    for path in ("/static/none.js", "/wp-login.php", "/api/live/", '/"\n'):
        metrics.request(path, 404)
    values = series(metrics)
    events = {kind: values["edge_digits_events_total", kind] for kind in ("appeared", "changed", "gone")}
    assert events == {"appeared": 0, "changed": 1, "gone": 0}
    assert values["edge_digits_reconnects_total", ""] == 1
    outcomes = {outcome: values["edge_digits_reads_total", outcome] for outcome in ("read", "refused", "busy")}
    assert outcomes == {"read": 0, "refused": 0, "busy": 2}
    requests = {labels: value for (name, labels), value in values.items() if name == "edge_digits_http_requests_total"}
    assert requests == {"/api/live,200": 1, "/static/{name},200": 1, "other,404": 4}


def test_the_model_and_the_process_tell_of_themselves(made: Made, reader: DigitReader) -> None:
    metrics = made()
    text = metrics.text()[0].decode()
    model = reader.classifier.model
    line = f'edge_digits_model_info{{name="digits-int8.tflite",sha256="{model.sha256}",verified="true"}} 1.0'
    assert line in text.splitlines()
    assert series(metrics)["process_resident_memory_bytes", ""] > 1e6
    assert "_created" not in text


def test_the_build_names_device_model_and_version(made: Made, reader: DigitReader) -> None:
    text = made(device="pi").text()[0].decode()
    model = reader.classifier.model.id
    line = f'edge_digits_build_info{{device="pi",model="{model}",version="{edge_runtime.__version__}"}} 1.0'
    assert line in text.splitlines()


def test_the_last_frame_has_its_own_time(made: Made, paper: tuple[Frame, Trace]) -> None:
    metrics, (frame, trace) = made(), paper
    name = ("edge_digits_last_frame_timestamp_seconds", "")
    assert name not in series(metrics)
    metrics.frame(replace(frame, taken=time.monotonic() - 100), trace)
    assert time.time() - series(metrics)[name] == pytest.approx(100, abs=60)
    metrics.still(frame)  # of a file: now
    assert time.time() - series(metrics)[name] == pytest.approx(0, abs=60)


def test_errors_count_by_their_kind(made: Made) -> None:
    metrics = made()
    metrics.failed("source")
    values = series(metrics)
    errors = {kind: values["edge_digits_errors_total", kind] for kind in ("source", "picture", "output")}
    assert errors == {"source": 1, "picture": 0, "output": 0}


def test_what_cannot_be_told_is_left_out(made: Made) -> None:
    names = {name for name, _ in series(made())}
    assert not names & {"edge_digits_source_up", "edge_digits_cpu_temperature_celsius", "edge_digits_cpu_throttled"}


def test_source_and_board_are_asked_at_every_scrape(made: Made) -> None:
    up, degrees, states = [False, True], [40.0, 61.5], [(), ("throttled now", "under-voltage since boot")]
    metrics = made(up=lambda: up.pop(0), temperature=lambda: degrees.pop(0), throttled=lambda: states.pop(0))
    first, second = series(metrics), series(metrics)
    assert [values["edge_digits_source_up", ""] for values in (first, second)] == [0, 1]
    assert [values["edge_digits_cpu_temperature_celsius", ""] for values in (first, second)] == [40.0, 61.5]
    slow = [
        [state for state in board.STATES if values["edge_digits_cpu_throttled", state]] for values in (first, second)
    ]
    assert slow == [[], ["throttled now", "under-voltage since boot"]]


def test_every_metric_fits_prometheus_and_is_explained(made: Made, paper: tuple[Frame, Trace]) -> None:
    metrics = made(up=lambda: True, temperature=lambda: 40.0, throttled=lambda: ())
    metrics.frame(*paper)
    body, kind = metrics.text()
    assert kind.startswith("text/plain; version=")
    for family in text_string_to_metric_families(body.decode()):
        assert family.documentation
        assert family.type in ("counter", "gauge", "histogram")
        assert family.name.startswith(("edge_digits_", "process_"))
        assert not family.name.endswith(("_ms", "_milliseconds"))


def test_a_labels_file_with_any_text_is_escaped(reader: DigitReader, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    names = ['"', "\\", "零", *"3456789"]
    labels.write_text("\n".join(names), encoding="utf-8")
    with DigitReader(labels=labels) as named:
        metrics = Metrics(named, temperature=lambda: None, throttled=lambda: None)
        metrics.frame(frame := load(SAMPLES / "paper.jpg"), named.trace(frame))
    values = series(metrics)
    assert [values["edge_digits_digits_total", name] for name in names if values["edge_digits_digits_total", name]]


def test_threads_may_count_and_ask_at_once(made: Made, paper: tuple[Frame, Trace]) -> None:
    metrics = made()
    times, many = 200, 4

    def requests() -> None:
        for _ in range(times):
            metrics.read("read")
            metrics.request("/", 200)

    threads = [threading.Thread(target=requests) for _ in range(many)]
    for thread in threads:
        thread.start()
    for _ in range(times):
        metrics.frame(*paper)
    metrics.text()
    for thread in threads:
        thread.join()
    values = series(metrics)
    assert (
        values["edge_digits_reads_total", "read"] == values["edge_digits_http_requests_total", "/,200"] == times * many
    )
    assert values["edge_digits_frames_total", ""] == times


def test_two_of_them_do_not_meet(made: Made) -> None:
    first, second = made(), made()
    first.still(Frame(np.zeros((4, 4), np.uint8)))
    assert series(first)["edge_digits_frames_total", ""] == 1
    assert series(second)["edge_digits_frames_total", ""] == 0
