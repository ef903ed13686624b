"""Cameras and streams -> the newest frame: a thread takes every frame, and the reader gets the latest one."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

from edge_runtime.errors import SourceError
from edge_runtime.records import Frame, Uint8
from edge_runtime.sources.options import Options

logger = logging.getLogger(__name__)


class Capture(Protocol):
    """An open camera or stream."""

    def read(self) -> Uint8 | None:
        """Wait for the next frame, uint8 (H, W) or (H, W, 3) blue-green-red; return None if no more frames come.

        Raises SourceError if there is a reason to report.
        """

    def close(self) -> None:
        """Release the camera or stream."""


def newest(name: str, opened: Callable[[], Capture], options: Options) -> Generator[Frame, None, None]:
    """Yield the newest frame of a live source each time, with the number of frames dropped since the previous one.

    `opened` opens the source, and raises SourceError if that fails. Either thread logs each change of state. Raises
    SourceError once `options.timeouts` are exceeded.
    """
    feed = _Feed(name, opened, options)
    index = 0
    try:
        feed.start()
        while options.until is None or time.monotonic() < options.until:
            taken = feed.take(options.until)
            if taken is not None:
                pixels, moment, dropped = taken
                index += dropped
                yield Frame(pixels, name, index, moving=True, taken=moment, dropped=dropped)
                index += 1
        if not index:
            raise SourceError(f"{name}: no frame within the time limit")
    finally:
        feed.stop()


class _Feed(threading.Thread):
    """A thread that takes every frame and keeps the latest."""

    def __init__(self, name: str, opened: Callable[[], Capture], options: Options) -> None:
        super().__init__(name=f"capture {name}", daemon=True)  # daemon, because a driver may hang in read
        self._source, self._opened, self._timeouts = name, opened, options.timeouts
        self._fresh = threading.Condition()
        self._newest: tuple[Uint8, float] | None = None
        self._passed = 0  # frames that arrived since the last take
        self._away = False
        self._failed: SourceError | None = None
        self._ended = threading.Event()

    def take(self, until: float | None) -> tuple[Uint8, float, int] | None:
        """Return the newest frame not taken yet, its arrival time, and the number of frames dropped before it.

        Returns None after a stall, or if no frame comes before `until`.
        """
        left = float("inf") if until is None else max(0.0, until - time.monotonic())
        with self._fresh:
            self._fresh.wait_for(self._settled, min(left, self._timeouts.stall))
            if self._newest is not None:
                (pixels, moment), self._newest = self._newest, None
                dropped, self._passed = self._passed - 1, 0
                return pixels, moment, dropped
            if self._failed is not None:
                raise self._failed
        if left > self._timeouts.stall:
            self._say(True, f"{self._source}: no frame for {self._timeouts.stall:g} s")
        return None

    def _settled(self) -> bool:
        return self._newest is not None or self._failed is not None

    def stop(self) -> None:
        """End the thread: at once, or when the driver returns."""
        self._ended.set()
        if self.ident is not None:
            self.join(1.0)

    def run(self) -> None:
        """Take frames until stopped or out of time; then wake the waiting reader, whatever the cause."""
        try:
            reason = self._take_frames()
        except Exception as error:  # boundary: a log handler may fail
            reason = SourceError(f"{self._source}: {type(error).__name__}: {error}")
        with self._fresh:
            self._failed = reason or SourceError(f"{self._source}: closed")
            self._fresh.notify()

    def _take_frames(self) -> SourceError | None:
        """Open the source, take its frames, and retry; return the last error, or None if stopped."""
        failures, seen = 0, False
        while not self._ended.is_set():
            why = "it sends no frames"
            try:
                for _ in self._frames():
                    failures, seen, why = 0, True, "it stopped sending frames"
                reason = SourceError(f"{self._source}: {why}")
            except SourceError as error:
                reason = error
            except Exception as error:  # boundary: a driver may raise anything, and the reader must not wait forever
                reason = SourceError(f"{self._source}: {type(error).__name__}: {error}")
            if self._ended.is_set():
                return None
            failures += 1
            retries = self._timeouts.retries
            if (failures > retries) if retries is not None else not seen:
                return reason
            self._say(True, f"{reason}; trying again")
            pauses = self._timeouts.pauses
            self._ended.wait(pauses[min(failures, len(pauses)) - 1])
        return None

    def _frames(self) -> Iterator[None]:
        """Open the source and keep its newest frame until no more frames come."""
        capture = self._opened()
        try:
            while not self._ended.is_set() and (pixels := capture.read()) is not None:
                self._say(False, f"{self._source}: it sends frames again")  # first: before who takes the frame goes on
                with self._fresh:
                    self._newest = pixels, time.monotonic()
                    self._passed += 1
                    self._fresh.notify()
                yield
        finally:
            capture.close()

    def _say(self, away: bool, line: str) -> None:
        """Log a line if the state changes: an interruption as a warning, its end as information."""
        with self._fresh:
            changed, self._away = self._away != away, away
        if changed:
            logger.log(logging.WARNING if away else logging.INFO, line)
