"""The pipeline's newest frames and events for any number of viewers; each frame is encoded once."""

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Literal, NamedTuple

import cv2
import numpy as np

from edge_runtime.records import Event, Frame
from edge_runtime.sinks.draw import annotate
from edge_runtime.sinks.memory import Seen
from edge_runtime.sinks.sink import Closed, Sink
from edge_runtime.trace import Trace

State = Literal["none", "waiting", "reading", "ended"]
FRAMES = 8  # kept frames, for viewers that request one a little late
PICTURES = 64  # frames whose encoded pictures, which are small, are kept
EVENTS = 1000
AVERAGE = 30  # frames that the frame rate is averaged over
QUALITY = 85  # JPEG quality
LONGEST = 65_500  # pixels, the longest side of a JPEG


class NumberedEvent(NamedTuple):
    """An event, and its number from 1."""

    number: int
    event: Event


class Live(Sink):
    """Keeps the newest frames and the last events of a `source` (its public name; None without a source).

    The pipeline's thread adds frames and events and never waits; viewers read in the event loop that called `attach`.
    After `stall` seconds without a frame the source counts as lost. `run` names this run of the program: numbers
    restart with each run.
    """

    def __init__(self, source: str | None, stall: float = 5.0) -> None:
        self.source, self.dropped, self.run = source, 0, secrets.token_hex(4)
        self._stall = stall
        self._lock = threading.Lock()
        self._frames: deque[Seen] = deque(maxlen=FRAMES)
        self._events: deque[NumberedEvent] = deque(maxlen=EVENTS)
        self._moments: deque[float] = deque(maxlen=AVERAGE)
        self._skipped = 0  # frames in the next `dropped` that were still or are already counted here
        self._last: float | None = None
        self._status_line: str | None = None
        self._over = self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._encoder = ThreadPoolExecutor(1, "encoder")
        self._pictures: dict[tuple[int, bool], asyncio.Future[bytes]] = {}

    def attach(self) -> None:
        """Let viewers in the running event loop wait for new frames and events."""
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    # Called by the pipeline's thread.

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Keep a frame. Raises Closed after the server has ended."""
        with self._lock:
            number = self._frames[-1].number + 1 if self._frames else 1
            self._frames.append(Seen(number, frame, trace))
            self.dropped += (frame.dropped or 0) - self._skipped
            self._skipped = 0
            self._moments.append(monotonic())
            self._seen()

    def still(self, frame: Frame) -> None:
        """Record that the source is alive."""
        with self._lock:
            self.dropped += frame.dropped or 0
            self._skipped += 1 + (frame.dropped or 0)
            self._seen()

    def event(self, event: Event) -> None:
        """Keep an event."""
        with self._lock:
            self._events.append(NumberedEvent(self._events[-1].number + 1 if self._events else 1, event))
        self._wake()

    def close(self) -> None:
        """Record that no more frames will come; kept frames and events stay."""
        with self._lock:
            self._over = True
        self._wake()

    def set_status_line(self, line: str) -> None:
        """Set a line about the source, shown until it gives frames again. Any thread may call it."""
        with self._lock:
            self._status_line = line
        self._wake()

    def end(self) -> None:
        """End the endless answers now and the pipeline at its next frame. Any thread may call it."""
        self._closing = True
        self._wake()

    # Called for viewers.

    @property
    def closing(self) -> bool:
        """Whether the server is ending."""
        return self._closing

    @property
    def state(self) -> State:
        """The state of the source: none, waiting for a frame, reading, or ended."""
        if self.source is None:
            return "none"
        if self._over:
            return "ended"
        return "waiting" if self._last is None or monotonic() - self._last > self._stall else "reading"

    @property
    def status_line(self) -> str | None:
        """The last line about the source; None while all is well."""
        return self._status_line

    @property
    def newest(self) -> Seen | None:
        """The newest frame; None before the first."""
        with self._lock:
            return self._frames[-1] if self._frames else None

    @property
    def fps(self) -> float | None:
        """The recent frame rate per second; None without recent frames."""
        with self._lock:
            if len(self._moments) < 2 or self.state != "reading" or monotonic() - self._moments[-1] > self._stall:
                return None
            return (len(self._moments) - 1) / max(self._moments[-1] - self._moments[0], 1e-9)

    def kept(self, number: int) -> Seen | None:
        """Return a frame by its number; None where it is no longer kept."""
        with self._lock:
            return next((seen for seen in self._frames if seen.number == number), None)

    def events_after(self, number: int) -> list[NumberedEvent]:
        """Return the kept events after this number, oldest first."""
        with self._lock:
            return [entry for entry in self._events if entry.number > number]

    async def newer(self, number: int, seconds: float, or_end: bool = False) -> Seen | None:
        """Wait up to `seconds` for a frame after `number`, and return the newest; None where there is none.

        With `or_end`, the end of the source ends the wait too.
        """
        await self._until(lambda: self._is_newer(number) or (or_end and self._over), seconds)
        return self.newest if self._is_newer(number) else None

    async def more_events(self, number: int, seconds: float) -> list[NumberedEvent]:
        """Wait up to `seconds` for events after `number`, and return them."""
        await self._until(lambda: bool(self.events_after(number)), seconds)
        return self.events_after(number)

    async def picture(self, seen: Seen, boxes: bool) -> bytes:
        """Return a frame as JPEG, encoded once for all viewers; with `boxes`, the reading is drawn over it."""
        return await asyncio.shield(self.prepare(seen, boxes))  # a viewer that leaves does not cancel it for others

    async def kept_picture(self, number: int, boxes: bool) -> bytes | None:
        """Return a frame by its number as JPEG; None where it is no longer kept."""
        made, seen = self._pictures.get((number, boxes)), self.kept(number)
        if made is not None:
            return await asyncio.shield(made)
        return None if seen is None else await self.picture(seen, boxes)

    def prepare(self, seen: Seen, boxes: bool) -> "asyncio.Future[bytes]":
        """Start to encode a frame's picture, unless this was done before."""
        key = seen.number, boxes
        if key not in self._pictures:
            self._pictures = {old: made for old, made in self._pictures.items() if old[0] > seen.number - PICTURES}
            trace = seen.trace if boxes else None
            self._pictures[key] = asyncio.get_running_loop().run_in_executor(self._encoder, jpeg, seen.frame, trace)
        return self._pictures[key]

    async def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Wait until `holds` returns true, the server is ending, or `seconds` are over."""
        try:
            async with asyncio.timeout(seconds):
                while not (holds() or self._closing):
                    await self._changed.wait()
        except TimeoutError:
            pass

    def _is_newer(self, number: int) -> bool:
        newest = self.newest
        return newest is not None and newest.number > number

    def _seen(self) -> None:
        """Record that a frame came; the caller holds the lock."""
        if self._closing:
            raise Closed
        self._last, self._status_line = monotonic(), None
        self._wake()

    def _wake(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._announce)

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def jpeg(frame: Frame, trace: Trace | None) -> bytes:
    """Return a frame as JPEG, shrunk to LONGEST if larger; with a trace, the reading is drawn over it."""
    pixels = frame.pixels if trace is None else annotate(frame, trace.reading)
    height, width = pixels.shape[:2]
    scale = LONGEST / max(width, height)
    if scale < 1:
        size = max(1, round(scale * width)), max(1, round(scale * height))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
