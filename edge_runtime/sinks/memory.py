"""Keeps the latest results in memory, for programs that use edge_runtime as a library and for display threads."""

import threading
from collections import deque
from typing import NamedTuple

from edge_runtime.records import Event, Frame, Reading
from edge_runtime.sinks.sink import Sink
from edge_runtime.trace import Trace


class Seen(NamedTuple):
    """A frame that was read, its trace, and its number, counted from 1."""

    number: int
    frame: Frame
    trace: Trace


class Memory(Sink):
    """Keeps the newest frame, and the last `keep` readings and events; thread-safe."""

    def __init__(self, keep: int = 100) -> None:
        self._changed = threading.Condition()
        self._newest: Seen | None = None
        self._readings: deque[Reading] = deque(maxlen=keep)
        self._events: deque[Event] = deque(maxlen=keep)
        self._closed = False

    @property
    def newest(self) -> Seen | None:
        """The newest frame that was read; None before the first."""
        with self._changed:
            return self._newest

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The last readings that were reported, oldest first."""
        with self._changed:
            return tuple(self._readings)

    @property
    def events(self) -> tuple[Event, ...]:
        """The last events, oldest first."""
        with self._changed:
            return tuple(self._events)

    def wait_newer(self, number: int, timeout: float) -> Seen | None:
        """Wait until a frame after this number has been read, and return the newest.

        Return None where none comes within `timeout` seconds, or where this sink is closed and has none.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._is_newer(number), timeout)
            return self._newest if self._is_newer(number) else None

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Replace the newest frame."""
        with self._changed:
            self._newest = Seen(self._newest.number + 1 if self._newest else 1, frame, trace)
            self._changed.notify_all()

    def reading(self, reading: Reading) -> None:
        """Keep a reading."""
        with self._changed:
            self._readings.append(reading)

    def event(self, event: Event) -> None:
        """Keep an event."""
        with self._changed:
            self._events.append(event)

    def close(self) -> None:
        """End all waits; the results stay."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_newer(self, number: int) -> bool:
        return self._newest is not None and self._newest.number > number
