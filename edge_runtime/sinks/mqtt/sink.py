"""Sends readings and events to an MQTT 5 broker, as the JSON that is printed; needs the extra edge-digits[mqtt]."""

import json
import logging
import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_runtime.records import Event, Reading
from edge_runtime.sinks.json_record import event_record, to_record
from edge_runtime.sinks.mqtt import discovery
from edge_runtime.sinks.mqtt.broker import Broker
from edge_runtime.sinks.mqtt.commands import Actions, Commands
from edge_runtime.sinks.mqtt.spool import Spool
from edge_runtime.sinks.sink import Sink
from edge_runtime.system.dependencies import explain
from edge_runtime.system.device_name import device_name

logger = logging.getLogger(__name__)
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before each further attempt to connect; the last one from then on
ANSWER = 10.0  # seconds, timeout for a broker to accept a connection
DRAIN, FAREWELL, LAST = 1.0, 0.4, 1.8  # seconds in close: to send the queue, to publish offline, in all


class Mqtt(Sink):
    """Publishes readings and events, with QoS 1, under edge-digits/DEVICE/reading and edge-digits/DEVICE/event.

    Each message enters the queue at `queue` first, which holds the last `limit`, and leaves it once the broker has
    acknowledged it; the broker may be unavailable, also at the start. Callers never wait for the network: a thread
    connects, retries after `pauses` in seconds, and sends the queue in order. edge-digits/DEVICE/status is online while
    connected, else offline; with `announce`, the sink announces the device to Home Assistant. With `actions`, commands
    that come at edge-digits/DEVICE/command are executed, in another thread.

    All threads log when the broker goes away, when it is back, and what it rejects. Raises OptionError where `device`
    is not a valid name, OutputError where the queue cannot be used.
    """

    def __init__(
        self,
        broker: Broker,
        queue: Path,
        *,
        device: str,
        limit: int = 10_000,
        announce: bool = False,
        actions: Actions | None = None,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        try:
            from edge_runtime.sinks.mqtt.link import Link, Subscription  # not at the top: the extra may be missing
        except ImportError as error:
            raise explain(error) from error
        self._link: type[Link] = Link
        self._broker, self._device, self._pauses = broker, device_name(device), pauses
        self._base = f"edge-digits/{device}"
        self._retained = discovery.announcements(device, self._base, actions) if announce else {}
        self._spool = Spool(queue, limit)
        self._bell, self._ear = socket.socketpair()  # wakes the thread while it waits for the network
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._ending = threading.Event()
        self._until = float("inf")  # when to stop sending, in time.monotonic()
        self._commands = None if actions is None else Commands(actions, self._retain)
        self._subscription: Subscription | None = None
        if self._commands is not None:
            self._subscription = Subscription(f"{self._base}/command", self._commands.take)
        # A thread that looks up a host's name cannot be stopped, so it is a daemon.
        self._thread = threading.Thread(target=self._run, name=f"mqtt {broker.name}", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many messages were dropped because the queue was full."""
        return self._spool.dropped

    def reading(self, reading: Reading) -> None:
        """Queue a reading."""
        self._put("reading", to_record(reading))

    def event(self, event: Event) -> None:
        """Queue an event."""
        self._put("event", event_record(event))

    def close(self) -> None:
        """Send for up to a second, publish offline, and end the thread; unsent messages stay in the queue.

        Takes no more than two seconds, or three where a command runs. Raises OutputError where remaining messages
        cannot be kept on disk.
        """
        if not self._ending.is_set():
            if self._commands is not None:
                self._commands.close()
            self._until = time.monotonic() + DRAIN
            self._ending.set()
            self._wake()
            self._thread.join(LAST)
            self._bell.close()
            if left := len(self._spool):
                logger.warning(f"{self._broker.name}: {left} messages were not sent; the next start sends them")
        self._spool.close()

    def _put(self, kind: str, record: dict[str, Any]) -> None:
        self._spool.put(f"{self._base}/{kind}", json.dumps(record))
        self._wake()

    def _retain(self, kind: str, record: dict[str, Any]) -> None:
        """Publish the state of this moment, or once connected; states in between are skipped."""
        topic, payload = f"{self._base}/{kind}", json.dumps(record)
        if self._retained.get(topic) != payload:
            self._retained[topic] = payload
            self._wake()

    def _wake(self) -> None:
        with suppress(OSError):  # enough wake-ups are pending, or the thread has ended
            self._bell.send(b"!")

    def _refused(self, clause: str) -> None:
        logger.warning(f"{self._broker.name} refuses {clause}")

    def _run(self) -> None:
        """Connect until closed, and log each change; while the broker is away, log each kind of reason once."""
        reported = set[str]()
        tries = 0
        with self._ear:
            while not self._ending.is_set():
                began = time.monotonic()
                try:
                    reason = self._serve(reported)
                except Exception as error:  # boundary: a broker may send anything, and the next attempt may work
                    reason = _said(error)
                if self._ending.is_set():
                    return
                kind = reason.partition(" (")[0]
                if kind not in reported:
                    reported.add(kind)
                    logger.warning(f"{self._broker.name} {reason}; messages are kept until it is back")
                tries = tries + 1 if time.monotonic() - began < self._pauses[-1] else 1
                self._ending.wait(self._pauses[min(tries, len(self._pauses)) - 1])

    def _serve(self, reported: set[str]) -> str:
        """Connect, send until the connection ends, and return why it ended."""
        link = self._link(
            self._broker, self._device, self._base, self._retained, self._spool, self._ear, self._refused,
            self._subscription,
        )  # fmt: skip
        waiting = time.monotonic() + ANSWER
        try:
            while link.open:
                if self._ending.is_set() and (time.monotonic() >= self._until or not self._spool):
                    break
                link.pump(min(self._until, time.monotonic() + 1.0))
                if link.taken:
                    if reported:
                        reported.clear()
                        logger.warning(f"{self._broker.name} is connected")
                    link.send()
                elif time.monotonic() >= waiting:
                    return "is unreachable (no answer)"
            if self._ending.is_set() and link.taken:
                link.leave(self._until + FAREWELL)
            return link.reason
        finally:
            link.close()


def _said(error: Exception) -> str:
    """Return why a connection failed, for logs."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not trusted ({error.verify_message}: name its authority with --mqtt-ca)"
    if isinstance(error, OSError):
        return f"is unreachable ({error.strerror or error})"
    return f"sent an invalid answer ({type(error).__name__}: {error})"
