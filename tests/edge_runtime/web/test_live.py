import asyncio
import threading
from dataclasses import replace
from time import monotonic

import cv2
import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.records import Frame
from edge_runtime.sinks.sink import Closed
from edge_runtime.web import live as module
from edge_runtime.web.live import FRAMES, Live
from tests.edge_runtime.web.site import event, shot


@pytest.fixture
def live() -> Live:
    return Live("camera", stall=60)


def feed(live: Live, reader: DigitReader, *indices: int) -> None:
    for index in indices:
        frame = shot(index)
        live.frame(frame, reader.trace(frame))


def test_without_a_source_there_is_nothing() -> None:
    live = Live(None)
    assert (live.state, live.status_line, live.newest, live.fps) == ("none", None, None, None)
    assert live.events_after(0) == []


def test_states_follow_the_source(live: Live, reader: DigitReader) -> None:
    states: list[str] = [live.state]
    feed(live, reader, 0)
    states.append(live.state)
    live.close()
    assert [*states, live.state] == ["waiting", "reading", "ended"]
    impatient = Live("camera", stall=0)
    feed(impatient, reader, 0)
    assert impatient.state == "waiting"


def test_the_sources_status_holds_until_a_frame(reader: DigitReader) -> None:
    live = Live("camera")
    feed(live, reader, 0)
    live.set_status_line("camera: no frame for 5 s")
    notes: list[str | None] = [live.status_line]
    live.still(shot(1))
    assert [*notes, live.status_line] == ["camera: no frame for 5 s", None]


def test_the_last_frames_are_kept_by_their_numbers(live: Live, reader: DigitReader) -> None:
    feed(live, reader, *range(FRAMES + 2))
    assert live.kept(2) is None
    kept = live.kept(3)
    assert kept is not None
    assert kept.frame.index == 2
    assert live.newest is not None
    assert live.newest.number == FRAMES + 2


def test_dropped_frames_are_counted_once_despite_still_ones(live: Live, reader: DigitReader) -> None:
    frame = replace(shot(0), dropped=2)
    live.frame(frame, reader.trace(frame))
    live.still(replace(shot(3), dropped=1))
    late = replace(shot(7), dropped=3 + 2)  # as the pipeline counts: two frames left out before, and three before it
    live.frame(late, reader.trace(late))
    assert live.dropped == 2 + 1 + 3


def test_frames_a_second(live: Live, reader: DigitReader, monkeypatch: pytest.MonkeyPatch) -> None:
    now = monotonic()
    moments = iter([now, now, now + 0.1, now + 0.1, now + 0.2, now + 0.2])
    monkeypatch.setattr(module, "monotonic", lambda: next(moments, now + 0.2))
    feed(live, reader, 0, 1, 2)
    assert live.fps == pytest.approx(10)


def test_another_thread_delivers_an_awaited_frame(live: Live, reader: DigitReader) -> None:
    feed(live, reader, 0)

    async def follow() -> list[int]:
        live.attach()
        first = await live.newer(0, 60)
        thread = threading.Thread(target=feed, args=(live, reader, 1))
        thread.start()
        second = await live.newer(1, 60)
        thread.join()
        none = await live.newer(2, 0)
        assert none is None
        return [seen.number for seen in (first, second) if seen]

    assert asyncio.run(follow()) == [1, 2]


def test_the_end_of_source_or_server_ends_waiting(reader: DigitReader) -> None:
    async def waits(live: Live) -> None:
        live.attach()
        waiting = asyncio.create_task(live.newer(0, 60, or_end=True))
        await asyncio.sleep(0)
        threading.Thread(target=live.close).start()
        assert await waiting is None
        forever = asyncio.create_task(live.more_events(0, 60))
        await asyncio.sleep(0)
        threading.Thread(target=live.end).start()
        assert await forever == []

    asyncio.run(waits(Live("camera")))


def test_a_server_that_ended_ends_the_pipeline(live: Live, reader: DigitReader) -> None:
    live.end()
    with pytest.raises(Closed):
        feed(live, reader, 0)
    with pytest.raises(Closed):
        live.still(shot(0))


def test_events_are_numbered_and_waited_for(live: Live) -> None:
    async def follow() -> list[tuple[int, str | None]]:
        live.attach()
        live.event(event("12"))
        waiting = asyncio.create_task(live.more_events(1, 60))
        await asyncio.sleep(0)
        threading.Thread(target=live.event, args=(event("34"),)).start()
        return [(entry.number, entry.event.text) for entry in await waiting]

    assert asyncio.run(follow()) == [(2, "34")]
    assert [entry.number for entry in live.events_after(0)] == [1, 2]


def test_a_frame_is_encoded_once_for_all(live: Live, reader: DigitReader, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(live, reader, 0)
    made: list[bool] = []
    encode = module.jpeg

    def counted(*arguments: object) -> bytes:
        made.append(True)
        return encode(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "jpeg", counted)

    async def ask() -> list[bytes]:
        seen = live.newest
        assert seen is not None
        leaving = asyncio.create_task(live.picture(seen, False))
        await asyncio.sleep(0)
        leaving.cancel()  # it takes nobody else's picture away
        return list(await asyncio.gather(*(live.picture(seen, False) for _ in range(10)), live.picture(seen, True)))

    pictures = asyncio.run(ask())
    assert len(made) == 2
    assert len(set(pictures[:10])) == 1
    decoded = cv2.imdecode(np.frombuffer(pictures[0], np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    assert decoded.shape[:2] == (48, 64)


@pytest.mark.parametrize(("shape", "expected"), [((3, 70_000), (3, 65_500)), ((70_000, 1, 3), (65_500, 1, 3))])
def test_a_frame_too_large_for_jpeg_is_shrunk(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    made = module.jpeg(Frame(np.full(shape, 200, np.uint8), "long"), None)
    decoded = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    assert decoded.shape == expected
