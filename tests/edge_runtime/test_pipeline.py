import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime import DigitReader, pipeline
from edge_runtime.errors import EdgeError, OutputError, SourceError
from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.pipeline import Report, run
from edge_runtime.records import Event, Frame, Reading, Uint8
from edge_runtime.sinks.sink import Sink
from edge_runtime.sources.options import Excerpt, Options, Timeouts
from edge_runtime.sources.view import View
from edge_runtime.trace import Trace
from tests.edge_runtime.sources.servers import Request, part, serving
from tests.log import Log

Digits = tuple[Uint8, Uint8]


class Memory(Sink):
    """Keeps what it is given; fails from its `broken`th frame on."""

    def __init__(self, broken: int | None = None) -> None:
        self.frames: list[Frame] = []
        self.readings: list[Reading] = []
        self.events: list[Event] = []
        self.closed = 0
        self.broken = broken

    def frame(self, frame: Frame, trace: Trace) -> None:
        if self.broken is not None and len(self.frames) >= self.broken:
            raise OutputError("the disk is full")
        self.frames.append(frame)

    def reading(self, reading: Reading) -> None:
        self.readings.append(reading)

    def event(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1

    @property
    def said(self) -> list[tuple[int, str, str | None]]:
        return [(event.frame, event.event, event.text or event.previous) for event in self.events]


def page(digits: Digits, text: str, seed: int = 1) -> Uint8:
    """Return a page, 480 rows and 640 columns, with these digits on one line."""
    images, labels = digits
    chosen = [int(np.flatnonzero(labels == int(label))[3]) for label in text]
    style = PageStyle(digit_height=(48, 48))
    return draw_page(images[chosen], labels[chosen], np.random.default_rng(seed), style).pixels


@pytest.fixture
def shown(digits: Digits) -> list[Uint8]:
    """Return ten frames of a page, ten of another with its line further down, and ten of bare paper."""
    pages = page(digits, "2741"), np.roll(page(digits, "508"), 200, axis=0), page(digits, "")
    return [pixels for pixels in pages for _ in range(10)]


@pytest.fixture
def video(tmp_path: Path, shown: list[Uint8]) -> Path:
    path = tmp_path / "pages.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480))
    for pixels in shown:
        writer.write(pixels)
    writer.release()
    return path


# Of the two pages of the fixture `video`, whose lines do not lie in the same place.
SAID = [(2, "appeared", "2741"), (12, "gone", "2741"), (12, "appeared", "508"), (22, "gone", "508")]
Read = Callable[..., tuple[Memory, list[EdgeError]]]


@pytest.fixture
def read(reader: DigitReader) -> Read:
    """Return what reads sources into a memory, and what failed."""

    def call(*sources: str | Path, others: tuple[Sink, ...] = (), raw: bool = False, **options: object):  # type: ignore[no-untyped-def]
        memory, failed = Memory(), list[EdgeError]()
        settings = Options(**options)  # type: ignore[arg-type]
        run([*map(str, sources)], reader, [memory, *others], settings, Report(raw=raw), failed.append)
        return memory, failed

    return call


def test_pictures_give_readings_and_videos_give_events(read: Read, video: Path, samples: Path) -> None:
    memory, failed = read(samples / "digit.png", video)
    assert failed == []
    assert [reading.text for reading in memory.readings] == [("2",)]
    assert memory.said == SAID
    assert len(memory.frames) == 31
    assert memory.closed == 1


def test_raw_gives_the_reading_of_every_frame_too(read: Read, video: Path) -> None:
    memory, _ = read(video, raw=True, excerpt=Excerpt(every=5))
    assert [(reading.frame, reading.text) for reading in memory.readings] == [
        (0, ("2741",)),
        (5, ("2741",)),
        (10, ("508",)),
        (15, ("508",)),
        (20, ()),
        (25, ()),
    ]
    assert [(reading.age_ms, reading.dropped) for reading in memory.readings] == [(None, None)] * 6


def test_still_frames_are_read_once_and_counted(reader: DigitReader, video: Path) -> None:
    memory = Memory()
    run([str(video)], reader, [memory], Options(), Report(skip_still=True), lambda error: None)
    assert [frame.index for frame in memory.frames] == [0, 10, 20]
    assert memory.said == SAID


def test_frames_dropped_before_unread_ones_are_counted_next(reader: DigitReader) -> None:
    blank, dark = np.full((48, 64), 200, np.uint8), np.full((48, 64), 90, np.uint8)
    shown = [(blank, 0), (blank, 5), (blank, 1), (dark, 2)]
    frames = [Frame(pixels, "cam", i, moving=True, dropped=n, taken=0.0) for i, (pixels, n) in enumerate(shown)]
    memory = Memory()
    outlets = pipeline._Outlets([memory], lambda error: None)
    report = Report(skip_still=True, raw=True)
    read_all = list(pipeline._readings(iter(frames), reader, outlets, report, lambda error: None))
    assert len(read_all) == 4
    # Frames that were looked at and not read are left out, too: 1 + 5 and 1 + 1 of them, and the 2 before the last.
    assert [reading.dropped for reading in memory.readings] == [0, 10]


def test_boxes_are_those_of_the_viewed_picture(reader: DigitReader, tmp_path: Path, digits: Digits) -> None:
    upright = page(digits, "2741")
    cv2.imwrite(str(tmp_path / "turned.png"), cv2.rotate(upright, cv2.ROTATE_90_COUNTERCLOCKWISE))
    expected = reader.read(upright)
    memory = Memory()
    turned = View(rotate=90)
    run([str(tmp_path / "turned.png")], reader, [memory], Options(), Report(), lambda error: None, turned)
    (reading,) = memory.readings
    assert (reading.width, reading.height, reading.text) == (640, 480, expected.text)
    assert [digit.box for digit in reading.digits] == [digit.box for digit in expected.digits]


def test_frames_are_counted_for_each_source(read: Read, video: Path, samples: Path) -> None:
    memory, _ = read(video, samples, frames=2)
    assert [frame.source for frame in memory.frames] == [str(video)] * 2 + [
        str(samples / "blackboard.jpg"),
        str(samples / "digit.png"),
    ]


def test_unreadable_pictures_are_reported_the_rest_read(read: Read, samples: Path, tmp_path: Path) -> None:
    memory, failed = read(tmp_path / "none.png", samples / "digit.png", tmp_path / "none.mp4")
    assert [str(error) for error in failed] == [
        f"{tmp_path}/none.png: no such file",
        f"{tmp_path}/none.mp4: no such file",
    ]
    assert len(memory.readings) == 1


def test_a_failing_sink_is_left_out_alone(read: Read, video: Path) -> None:
    broken = Memory(broken=4)
    memory, failed = read(video, others=(broken,))
    assert [str(error) for error in failed] == ["the disk is full"]
    assert (len(broken.frames), broken.closed) == (4, 0)
    assert len(memory.frames) == 30


def test_the_last_sink_that_fails_ends_it_all(reader: DigitReader, video: Path) -> None:
    broken = Memory(broken=4)
    with pytest.raises(OutputError, match="the disk is full"):
        run([str(video)], reader, [broken], Options(), Report(), lambda error: None)
    assert len(broken.frames) == 4


def test_a_stream_is_read_with_its_frames_age(reader: DigitReader, shown: list[Uint8]) -> None:
    def paced(request: Request) -> None:
        body = request.begin_stream()
        for pixels in shown[:10]:
            body.write(part(bytes(cv2.imencode(".png", pixels)[1])))

    memory, failed = Memory(), list[EdgeError]()
    options = Options(timeouts=Timeouts(retries=0))
    with serving(paced) as address, pytest.raises(SourceError, match="it stopped sending frames"):
        run([address], reader, [memory], options, Report(raw=True), failed.append)
    read_frames = [reading.frame for reading in memory.readings]
    assert read_frames == sorted(set(read_frames))
    # Every frame that was sent was read, or counted as dropped.
    assert sum(1 + (reading.dropped or 0) for reading in memory.readings) == 10
    assert {reading.text for reading in memory.readings} == {("2741",)}
    assert all(reading.age_ms is not None and reading.age_ms >= 0 for reading in memory.readings)
    assert (failed, memory.closed) == ([], 1)


def test_a_restarted_streams_reading_continues(reader: DigitReader, shown: list[Uint8], messages: Log) -> None:
    picture = part(bytes(cv2.imencode(".jpg", shown[0])[1]))
    # One frame for each that was read: none is on its way when the server is killed, however slow the reader is.
    wanted, ended, gone = threading.Semaphore(), threading.Event(), threading.Event()

    def endless(request: Request) -> None:
        body = request.begin_stream()
        while not ended.is_set():
            if wanted.acquire(timeout=0.01):
                body.write(picture)
        gone.set()

    class Restarting(Memory):
        """Starts the server anew once some frames of the old one were read."""

        def frame(self, frame: Frame, trace: Trace) -> None:
            super().frame(frame, trace)
            if len(self.frames) == 4:
                ended.set()
                assert gone.wait(30)
                servers.close()
                ended.clear()
                servers.enter_context(serving(endless, port))
            wanted.release()

    memory = Restarting()
    with ExitStack() as servers:
        address = servers.enter_context(serving(endless))
        port = int(address.rpartition(":")[2])
        options = Options(frames=10, timeouts=Timeouts(pauses=(0.05,)))
        run([address], reader, [memory], options, Report(), lambda error: None)
        ended.set()
    assert len(memory.frames) == 10
    assert messages == [f"{address}: it stopped sending frames; trying again", f"{address}: it sends frames again"]
    assert memory.said == [(memory.events[0].frame, "appeared", "2741")]


def test_every_sink_is_closed_though_one_fails(reader: DigitReader) -> None:
    closed: list[str] = []

    class Closing(Sink):
        def __init__(self, name: str) -> None:
            self.name = name

        def close(self) -> None:
            closed.append(self.name)
            if self.name == "a":
                raise OutputError("a cannot be closed")

    with pytest.raises(OutputError, match="a cannot be closed"):
        run([], reader, [Closing("a"), Closing("b"), Closing("c")])
    assert closed == ["a", "b", "c"]
