"""One connection to an MQTT broker."""

import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_runtime.sinks.mqtt.broker import Broker
from edge_runtime.sinks.mqtt.spool import Spool

WINDOW = 20  # most messages in flight
KEEPALIVE = 30  # seconds of silence after which each side checks that the other is there
EXTRA = 32  # most bytes that a message has besides its topic and payload
ONLINE, OFFLINE = "online", "offline"
# Advice for logs, by the broker's reason.
ADVICE = {
    "Not authorized": ": check user and password",
    "Bad user name or password": ": check them",
    "Session taken over": ": another client has the same device name",
    "Unsupported protocol version": ": it does not support MQTT 5",
}


class Subscription(NamedTuple):
    """A topic to subscribe to, and what takes each payload there and whether its sender had it retained."""

    topic: str
    take: Callable[[bytes, bool], None]


class Link:
    """One connection to a broker, which sends the messages of a queue in order.

    Each link has a client of its own, without state from earlier ones: messages that these sent without acknowledgment
    are still in the queue, and are sent again only from there, in order. All methods are called from one thread.

    The topic `base`/status says whether `device` is online; `retained` holds payloads by their topics, which are
    published before the queue, and again whenever one has changed. `subscription` is renewed with each link. Data at
    `ear` ends waiting, and is read and discarded. `refused` receives what the broker rejects and
    why, once for each reason. Raises OSError where the broker cannot be reached.
    """

    def __init__(
        self,
        broker: Broker,
        device: str,
        base: str,
        retained: Mapping[str, str],
        spool: Spool,
        ear: socket.socket,
        refused: Callable[[str], None],
        subscription: Subscription | None = None,
    ) -> None:
        self._status, self._spool, self._ear, self._refused = f"{base}/status", spool, ear, refused
        self._retained, self._published = retained, dict[str, str]()
        self._subscription = subscription
        self._flying: dict[int, int] = {}  # queue numbers by message ID; 0 for messages outside the queue
        self._window, self._largest = WINDOW, float("inf")
        self._refusals = set[str]()
        self.taken = False  # whether the broker has accepted the connection
        self.reason = "is unreachable (connection lost)"  # why the connection has ended
        self._client = client = Client(
            CallbackAPIVersion.VERSION2,
            f"edge-digits-{device}",
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.on_connect, client.on_disconnect, client.on_publish = self._answered, self._ended, self._acknowledged
        client.on_subscribe = self._subscribed
        client.username_pw_set(broker.user, broker.password)
        client.will_set(self._status, OFFLINE, qos=1, retain=True)
        if broker.tls is not None:
            client.tls_set_context(broker.tls)
        client.connect(broker.host, broker.port, KEEPALIVE, clean_start=True)

    @property
    def open(self) -> bool:
        """Whether the connection is open."""
        return self._client.socket() is not None

    def pump(self, until: float) -> None:
        """Send and receive bytes; wait for them, or for the ear, until `until` in time.monotonic() at most."""
        connection = self._client.socket()
        if connection is None:
            return
        decrypted = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        seconds = 0.0 if decrypted else max(0.0, until - time.monotonic())
        writing = [connection] if self._client.want_write() else []
        readable, writable, _ = select.select([connection, self._ear], writing, [], seconds)
        if self._ear in readable:
            with suppress(BlockingIOError):
                self._ear.recv(4096)
        if decrypted or connection in readable:
            self._client.loop_read()
        if connection in writable:
            self._client.loop_write()
        self._client.loop_misc()

    def send(self) -> None:
        """Send as much as the window allows: retained messages, then those of the queue that are not in flight."""
        for topic, state in {self._status: ONLINE, **self._retained}.items():
            if len(self._flying) < self._window and self._published.get(topic) != state:
                self._published[topic] = state
                self._publish(topic, state, retain=True)
        on_their_way = set(self._flying.values())
        for number, name, payload in self._spool.first(self._window):
            if len(self._flying) >= self._window or not self.open:
                break
            if number in on_their_way:
                continue
            if len(name) + len(payload) + EXTRA > self._largest:
                self._refuse("messages (too large); they are dropped")
                self._spool.done(number)
            else:
                self._publish(name.decode(), payload, number)

    def leave(self, until: float) -> None:
        """Publish the offline status, and disconnect.

        Where no acknowledgment comes by `until`, in time.monotonic(), do not disconnect: the last will reports it.
        """
        farewell = self._publish(self._status, OFFLINE, retain=True)
        while self.open and farewell in self._flying and time.monotonic() < until:
            self.pump(until)
        if farewell not in self._flying:
            self._client.disconnect()

    def close(self) -> None:
        """Close the connection."""
        connection = self._client.socket()
        if connection is not None:
            connection.close()

    def _publish(self, topic: str, payload: str | bytes, number: int = 0, retain: bool = False) -> int:
        message = self._client.publish(topic, payload, qos=1, retain=retain).mid
        self._flying[message] = number
        return message

    def _refuse(self, clause: str) -> None:
        if clause not in self._refusals:
            self._refusals.add(clause)
            self._refused(clause)

    def _answered(
        self, client: Client, _: object, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self.reason = f"refuses the connection ({code}{ADVICE.get(str(code), '')})"
            return
        self.taken = True
        self._window = min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW))
        self._largest = getattr(properties, "MaximumPacketSize", self._largest)
        if self._subscription is not None:
            topic, take = self._subscription
            client.message_callback_add(topic, lambda _, __, message: take(bytes(message.payload), message.retain))
            client.subscribe(topic, options=SubscribeOptions(qos=1, retainAsPublished=True))

    def _subscribed(
        self, client: Client, _: object, message: int, codes: list[ReasonCode], properties: Properties | None
    ) -> None:
        for code in codes:
            if code.is_failure:
                self._refuse(f"the subscription to commands ({code}); none will come")

    def _ended(
        self, client: Client, _: object, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.reason = f"is unreachable ({code}{ADVICE.get(str(code), '')})"

    def _acknowledged(
        self, client: Client, _: object, message: int, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._refuse(f"messages ({code}); they are dropped")
        self._spool.done(self._flying.pop(message, 0))
