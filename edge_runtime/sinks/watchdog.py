"""What a service tells systemd, by its sd_notify protocol: that it is ready, that it is alive, how it is doing.

It is alive only while each of its parts shows that it works: frames that were read, a web server that turns. What hangs
shows nothing, and systemd then begins anew (Type=notify and WatchdogSec= in deploy/edge-digits.service).
"""

import os
import threading
from collections.abc import Callable, Mapping
from time import monotonic

from edge_runtime.records import Frame
from edge_runtime.sinks.sink import Sink
from edge_runtime.trace import Trace

TIMEOUT = 1.0  # seconds that systemd, which is busy, is waited for


class Watchdog:
    """Tells that all `parts` work: READY=1 once each has beaten, WATCHDOG=1 whenever each has beaten since the last.

    That is at most every half of WATCHDOG_USEC. Without NOTIFY_SOCKET, as where a person has started the program, it
    tells nothing. `beat`, `rest` and `status` may be called from any thread. As a context manager it tells at its end
    that the program is ending.
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
        """Note that a part works: it has just done something, or has looked and there was nothing to do."""
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
            if self._send("WATCHDOG=1" if self._ready else "READY=1"):  # else with the next beat
                self._ready = True
                self._seen.clear()
                self._next = self._clock() + (self._interval or 0.0)

    def rest(self, part: str) -> None:
        """Note that a part is done: what follows does not depend on it."""
        with self._lock:
            self._needed.discard(part)

    def status(self, line: str) -> None:
        """Have `systemctl status` show a line."""
        if self._address is not None:
            self._send(f"STATUS={' '.join(line.split())}")

    def sinks(self, part: str) -> list[Sink]:
        """Return what a pipeline gives its frames to, so that each is a beat of a part."""
        return [] if self._address is None else [_Pulse(self, part)]

    def __enter__(self) -> "Watchdog":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ending = True
        if self._address is not None:
            self._send("STOPPING=1")

    def _send(self, message: str) -> bool:
        import socket  # not at the top: most runs are nobody's service

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
    """A beat for each frame."""

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
    """Return how often to tell that all is well, in seconds; None where nobody of this process wants to know."""
    of, length = environment.get("WATCHDOG_PID"), environment.get("WATCHDOG_USEC", "")
    if of is not None and of != str(os.getpid()):
        return None
    return int(length) / 2e6 if length.isascii() and length.isdigit() and int(length) > 0 else None
