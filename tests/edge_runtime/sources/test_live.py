import threading
import time
from collections.abc import Callable, Iterator
from queue import Queue

import numpy as np
import pytest

from edge_runtime.errors import SourceError
from edge_runtime.records import Frame, Uint8
from edge_runtime.sources.live import newest
from edge_runtime.sources.options import Options, Timeouts
from tests.log import Log

AT_ONCE = (0.0,)


def gray(value: int) -> Uint8:
    return np.full((4, 6), value, np.uint8)


class Camera:
    """A camera that gives what a test puts into it: numbers as gray frames, None as its end, errors as they are."""

    def __init__(self) -> None:
        self.queue: Queue[int | Exception | None] = Queue()
        self.asked = threading.Semaphore(0)  # released each time that a frame is asked for
        self.closed = False

    def read(self) -> Uint8 | None:
        self.asked.release()
        value = self.queue.get(timeout=10)
        if isinstance(value, Exception):
            raise value
        return None if value is None else gray(value)

    def close(self) -> None:
        self.closed = True

    def give(self, *values: int | Exception | None) -> None:
        """Give each of these, and return once all but a last None or error were taken."""
        for value in values:
            assert self.asked.acquire(timeout=10)
            self.queue.put(value)
        if isinstance(values[-1], int):
            assert self.asked.acquire(timeout=10)
            self.asked.release()


def next_of(frames: Iterator[Frame], camera: Camera, *values: int | Exception | None) -> Frame:
    """Return the next frame, and let the camera give these meanwhile."""
    giver = threading.Thread(target=camera.give, args=values)
    giver.start()
    frame = next(frames)
    giver.join()
    return frame


def value_of(frame: Frame) -> int:
    return int(frame.pixels[0, 0])


def opened(*cameras: Camera | SourceError) -> Callable[[], Camera]:
    """Return what opens one of these after the other, and then nothing."""
    waiting = list(cameras)

    def open_next() -> Camera:
        answer = waiting.pop(0) if waiting else SourceError("cam: there is no more")
        if isinstance(answer, SourceError):
            raise answer
        return answer

    return open_next


@pytest.fixture
def options() -> Options:
    return Options(timeouts=Timeouts(stall=10, retries=1, pauses=AT_ONCE))


def test_the_newest_frame_comes_others_are_counted(options: Options, messages: Log) -> None:
    camera = Camera()
    frames = newest("cam", opened(camera), options)
    started = time.monotonic()
    first = next_of(frames, camera, 7)
    assert (value_of(first), first.index, first.dropped, first.moving, first.source) == (7, 0, 0, True, "cam")
    assert first.taken is not None
    assert started <= first.taken <= time.monotonic()
    camera.give(1, 2, 3)
    second = next(frames)
    assert (value_of(second), second.index, second.dropped) == (3, 3, 2)
    camera.give(9)
    assert value_of(next(frames)) == 9
    camera.give(None)
    with pytest.raises(SourceError, match="there is no more"):
        next(frames)
    assert camera.closed
    assert messages == ["cam: it stopped sending frames; trying again"]


def test_an_ended_source_reopens_and_reports_changes_once(options: Options, messages: Log) -> None:
    first, second = Camera(), Camera()
    tries = [SourceError("cam: busy")] * 3
    patient = Options(timeouts=Timeouts(stall=10, pauses=AT_ONCE))
    frames = newest("cam", opened(first, *tries, second), patient)
    assert value_of(next_of(frames, first, 1)) == 1
    first.give(None)
    again = next_of(frames, second, 2)
    assert (value_of(again), again.index) == (2, 1)
    assert first.closed
    assert messages == ["cam: it stopped sending frames; trying again", "cam: it sends frames again"]
    second.give(None)
    frames.close()
    assert second.closed


def test_a_failed_first_opening_is_an_error(messages: Log) -> None:
    eager = Options(timeouts=Timeouts(pauses=AT_ONCE))
    with pytest.raises(SourceError, match="cam: not plugged in"):
        next(newest("cam", opened(SourceError("cam: not plugged in")), eager))
    assert messages == []


def test_retries_are_counted_from_the_last_frame(options: Options, messages: Log) -> None:
    camera = Camera()
    frames = newest("cam", opened(SourceError("cam: off"), camera), options)
    assert value_of(next_of(frames, camera, 5)) == 5
    assert messages == ["cam: off; trying again", "cam: it sends frames again"]
    camera.give(None)
    with pytest.raises(SourceError, match="there is no more"):
        next(frames)


def test_a_camera_that_hangs_is_said_to(messages: Log) -> None:
    camera = Camera()
    options = Options(timeouts=Timeouts(stall=0.05), until=time.monotonic() + 0.3)
    with pytest.raises(SourceError, match="cam: no frame within the time limit"):
        list(newest("cam", opened(camera), options))
    assert messages == ["cam: no frame for 0.05 s"]
    camera.queue.put(None)


def test_any_driver_exception_is_a_source_error(options: Options) -> None:
    camera = Camera()
    frames = newest("cam", opened(camera), Options(timeouts=Timeouts(retries=0)))
    next_of(frames, camera, 1)
    camera.give(RuntimeError("the driver is confused"))
    with pytest.raises(SourceError, match="cam: RuntimeError: the driver is confused"):
        next(frames)
    assert camera.closed


def test_closing_ends_the_thread_and_frees_the_camera(options: Options) -> None:
    camera = Camera()
    frames = newest("cam", opened(camera), options)
    next_of(frames, camera, 1)
    assert any(thread.name == "capture cam" for thread in threading.enumerate())
    camera.queue.put(2)  # the driver answers
    frames.close()
    assert camera.closed
    assert not any(thread.name == "capture cam" for thread in threading.enumerate())
