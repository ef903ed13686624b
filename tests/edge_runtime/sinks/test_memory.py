import threading
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.records import Box, Event, Frame
from edge_runtime.sinks.memory import Memory, Seen
from edge_runtime.trace import Trace


@pytest.fixture(scope="module")
def trace(reader: DigitReader) -> Trace:
    return reader.trace(np.full((48, 64), 200, np.uint8))


def shot(index: int) -> Frame:
    return Frame(np.zeros((48, 64), np.uint8), "cam", index, moving=True)


def event(frame: int) -> Event:
    return Event("appeared", 1, "7", None, Box(0, 0, 9, 9), 0.9, "cam", frame, datetime.now(UTC))


def test_there_is_nothing_at_first() -> None:
    memory = Memory()
    assert (memory.newest, memory.readings, memory.events) == (None, (), ())
    assert memory.wait_newer(0, timeout=0) is None


def test_the_newest_frame_readings_and_events_are_kept(trace: Trace) -> None:
    memory = Memory(keep=2)
    frames = [shot(index) for index in range(3)]
    for frame in frames:
        memory.frame(frame, trace)
        memory.reading(replace(trace.reading, frame=frame.index))
        memory.event(event(frame.index))
    memory.still(shot(3))
    memory.close()
    assert memory.newest == Seen(3, frames[2], trace)
    assert [reading.frame for reading in memory.readings] == [1, 2]
    assert [event.frame for event in memory.events] == [1, 2]


def test_a_newer_frame_is_waited_for(trace: Trace) -> None:
    memory = Memory()
    seen: list[int] = []

    def follow() -> None:
        number = 0
        while (newer := memory.wait_newer(number, timeout=60)) is not None:
            number = newer.number
            seen.append(newer.frame.index)
            taken.set()

    taken = threading.Event()
    thread = threading.Thread(target=follow)
    thread.start()
    for index in range(5):
        taken.clear()
        memory.frame(shot(index), trace)
        assert taken.wait(60)
    memory.close()
    thread.join(60)
    assert not thread.is_alive()
    assert seen == [0, 1, 2, 3, 4]


def test_who_is_late_gets_the_newest_alone(trace: Trace) -> None:
    memory = Memory()
    for index in range(5):
        memory.frame(shot(index), trace)
    newest = memory.wait_newer(2, timeout=0)
    assert newest is not None
    assert (newest.number, newest.frame.index) == (5, 4)
    assert memory.wait_newer(5, timeout=0) is None
    memory.close()
    assert memory.wait_newer(4, timeout=60) == newest
    assert memory.wait_newer(5, timeout=60) is None


def test_threads_may_ask_while_it_is_filled(trace: Trace) -> None:
    memory = Memory(keep=3)
    over = threading.Event()
    wrong: list[object] = []

    def ask() -> None:
        while not over.is_set():
            frames = [reading.frame for reading in memory.readings]
            if frames != list(range(frames[0], frames[0] + len(frames)) if frames else []):
                wrong.append(frames)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for index in range(500):
        memory.reading(replace(trace.reading, frame=index))
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [reading.frame for reading in memory.readings] == [497, 498, 499]
