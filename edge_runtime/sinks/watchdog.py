"""Reports a service's readiness, heartbeat and status to systemd, by its sd_notify protocol.

Heartbeats go out only while each part shows that it works: frames are read, the web server's loop runs. If a part
hangs, they stop, and systemd restarts the service (Type=notify and WatchdogSec= in deploy/edge-digits.service).
"""

import os
import threading
from collections.abc import Callable, Mapping
from time import monotonic

from edge_runtime.records import Frame
from edge_runtime.sinks.sink import Sink
from edge_runtime.trace import Trace

TIMEOUT = 1.0  # seconds to wait for a busy systemd


class Watchdog:
    """Sends READY=1 once all `parts` have sent a heartbeat, and WATCHDOG=1 whenever all have since the last.

    WATCHDOG=1 follows at most every half of WATCHDOG_USEC. Without NOTIFY_SOCKET, as where a person started the
    program, it sends nothing. `beat`, `rest` and `status` may be called from any thread. As a context manager, it sends
    STOPPING=1 at the end.
    """

    def __init__(
        self,
        *parts: str,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._needed, self._seen = set(parts), set[str]()
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._interval = _interval(environment)
        self._clock, self._lock = clock, threading.Lock()
        self._ready = self._ending = False
        self._next = 0.0

    def beat(self, part: str) -> None:
        """Record a heartbeat of a part: it has just done something, or has found nothing to do."""
        if self._address is None:
            return
        with self._lock:
            if self._ending:
                return
            self._seen.add(part)
            if not self._needed <= self._seen or (self._ready and self._clock() < self._next):
                return
            if self._ready and self._interval is None:
                return
            if self._send("WATCHDOG=1" if self._ready else "READY=1"):  # else with the next heartbeat
                self._ready = True
                self._seen.clear()
                self._next = self._clock() + (self._interval or 0.0)

    def rest(self, part: str) -> None:
        """Record that a part is done: the watchdog no longer needs its heartbeats."""
        with self._lock:
            self._needed.discard(part)

    def status(self, line: str) -> None:
        """Set the line that `systemctl status` shows."""
        if self._address is not None:
            self._send(f"STATUS={' '.join(line.split())}")

    def sinks(self, part: str) -> list[Sink]:
        """Return the sinks by which each frame of a pipeline is a heartbeat of a part."""
        return [] if self._address is None else [_Pulse(self, part)]

    def __enter__(self) -> "Watchdog":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ending = True
        if self._address is not None:
            self._send("STOPPING=1")

    def _send(self, message: str) -> bool:
        import socket  # not at the top: most runs are not a service

        assert self._address is not None
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(TIMEOUT)
                sender.connect(self._address)
                sender.send(message.encode(errors="replace"))
        except OSError:
            return False
        return True


class _Pulse(Sink):
    """Sends a heartbeat for each frame."""

    output = False

    def __init__(self, watchdog: Watchdog, part: str) -> None:
        self._watchdog, self._part = watchdog, part

    def frame(self, frame: Frame, trace: Trace) -> None:
        self._watchdog.beat(self._part)

    def still(self, frame: Frame) -> None:
        self._watchdog.beat(self._part)


def _address(named: str) -> bytes | None:
    """Return the address of NOTIFY_SOCKET: a path, or an abstract name after an @; None for any other kind."""
    if named.startswith("@") and len(named) > 1:
        return b"\0" + os.fsencode(named[1:])
    return os.fsencode(named) if named.startswith("/") else None


def _interval(environment: Mapping[str, str]) -> float | None:
    """Return the heartbeat interval in seconds; None where systemd does not watch this process."""
    of, length = environment.get("WATCHDOG_PID"), environment.get("WATCHDOG_USEC", "")
    if of is not None and of != str(os.getpid()):
        return None
    return int(length) / 2e6 if length.isascii() and length.isdigit() and int(length) > 0 else None
