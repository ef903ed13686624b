"""A real MQTT broker, mosquitto, that tests start, stop, kill and start again, and somebody who listens to it."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from paho.mqtt import publish
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_runtime.sinks.mqtt.sink import Mqtt
from tests.log import Log

Open = Callable[..., Mqtt]  # what opens a sink at a broker
PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """A broker on the loopback device, with its files in `folder`; what it logs is `heard`.

    It keeps the sessions that were there when it was told to `save`.
    """

    def __init__(self, folder: Path, *settings: str, access: str = "allow_anonymous true") -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.heard = Log()
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._config = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", access, "queue_qos0_messages true", "persistence true"]
        lines += [f"persistence_location {folder}/", "log_dest stderr", "log_type all", *settings]
        if os.getuid() == 0:
            lines.append("user root")
        self._config.write_text("\n".join(lines) + "\n")
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        assert PROGRAM is not None
        begun = self.count("running")
        self.process = subprocess.Popen([PROGRAM, "-c", str(self._config)], stderr=subprocess.PIPE, text=True)
        self._reading = threading.Thread(target=self._read, args=(self.process,))
        self._reading.start()
        self.heard.wait(lambda lines: self.count("running") > begun)

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self.heard.append(line.strip())

    def count(self, words: str) -> int:
        """Tell how many lines of its log hold these words."""
        return sum(words in line for line in tuple(self.heard))

    def wait_for(self, words: str, times: int = 1) -> None:
        """Wait until so many lines of its log hold these words."""
        self.heard.wait(lambda _: self.count(words) >= times)

    def publish(self, topic: str, payload: str, retain: bool = False, user: str = "") -> None:
        """Publish a message, as a user whose password is the same, and wait until it is taken or refused."""
        auth: publish.AuthParameter | None = {"username": user, "password": user} if user else None
        publish.single(
            topic, payload, 1, retain, "127.0.0.1", self.port, auth=auth, protocol=MQTTProtocolVersion.MQTTv5
        )

    def command(self, word: str, lines: Callable[[], Sequence[str]]) -> None:
        """Send a command to the device pi until its log says that it came: while another one ends, it does not."""
        accepted, acknowledged = f"the command {word} came over MQTT", "Received PUBACK from edge-digits-pi"
        before, until = sum(accepted in line for line in lines()), time.monotonic() + 60
        while sum(accepted in line for line in lines()) == before:
            assert time.monotonic() < until
            times = self.count(acknowledged)
            self.publish("edge-digits/pi/command", word)
            self.wait_for(acknowledged, times + 1)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def save(self) -> None:
        """Let it save its sessions."""
        saved = self.count("Saving in-memory database")
        self.send(signal.SIGUSR1)
        self.heard.wait(lambda lines: self.count("Saving in-memory database") > saved)

    def kill(self) -> None:
        """Kill it, if it is running."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._reading.join()
            self.process = None


class Message(NamedTuple):
    """A message that came."""

    topic: str
    payload: str
    qos: int
    retain: bool


@contextmanager
def listening(broker: Mosquitto, topics: str = "edge-digits/#", qos: int = 0, **user: str) -> Iterator[Log]:
    """Yield the list of the messages that come meanwhile; its session outlives a broker that saves it.

    With QoS 0, a broker writes to it what it takes before it acknowledges that, and it never writes back: what a killed
    broker has acknowledged has come.
    """
    heard, subscribed = Log(), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, "listener", protocol=MQTTProtocolVersion.MQTTv5)
    client.reconnect_delay_set(0.05, 0.05)  # type: ignore[arg-type]
    if user:
        client.username_pw_set(**user)

    def took(_: Client, __: object, message: MQTTMessage) -> None:
        heard.append(Message(message.topic, message.payload.decode(), message.qos, message.retain))

    client.on_connect = lambda client, *_: client.subscribe(topics, qos) and None
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = took
    forever = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    forever.SessionExpiryInterval = 0xFFFFFFFF
    client.connect("127.0.0.1", broker.port, clean_start=False, properties=forever)
    client.loop_start()
    try:
        assert subscribed.wait(60)
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()
