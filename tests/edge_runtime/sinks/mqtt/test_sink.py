import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

import edge_runtime
from edge_runtime.errors import OptionError
from edge_runtime.records import Box, Event, Reading, Timings
from edge_runtime.sinks.json_record import event_record, to_record
from edge_runtime.sinks.mqtt.broker import Broker
from edge_runtime.sinks.mqtt.sink import Mqtt
from edge_runtime.system.device_name import device_name
from tests.edge_runtime.sinks.mqtt.mosquitto import PROGRAM, Mosquitto, Open, listening
from tests.log import Log

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed")
MOMENT = datetime(2025, 3, 1, 12, tzinfo=UTC)
ROOT = Path(edge_runtime.__file__).parents[1]


def reading(number: int) -> Reading:
    return Reading("cam", number, MOMENT, 64, 48, ("12",), (), (), Timings(1, 2, 3, 4, 10), "0123456789ab", 5.0, 0)


EVENT = Event("appeared", 1, "48 7", None, Box(1, 2, 3, 4), 0.98765, "cam", 7, MOMENT)


def numbers(messages: Log) -> list[int]:
    """Return which readings came, in the order of coming; one that came again, only the first time."""
    every = [json.loads(message.payload)["frame"] for message in messages if message.topic.endswith("/reading")]
    return list(dict.fromkeys(every))


def status(messages: Log) -> list[str]:
    return [message.payload for message in messages if message.topic.endswith("/status")]


def test_readings_and_events_are_the_printed_json(broker: Mosquitto, sink: Open, log: Log) -> None:
    broker.start()
    with listening(broker, qos=1) as messages:
        mqtt = sink(broker)
        mqtt.reading(reading(3))
        mqtt.event(EVENT)
        mqtt.close()
        messages.wait(lambda them: len(them) == 4)
        mqtt.close()  # once more does no harm
    assert messages == [
        ("edge-digits/pi/status", "online", 1, False),
        ("edge-digits/pi/reading", json.dumps(to_record(reading(3))), 1, False),
        ("edge-digits/pi/event", json.dumps(event_record(EVENT)), 1, False),
        ("edge-digits/pi/status", "offline", 1, False),
    ]
    # Who comes later hears only that nobody is there.
    with listening(broker, "edge-digits/pi/+", qos=1) as later:
        later.wait(lambda them: any(message.retain for message in them))
    # Where the broker was slow, the last will says it once more, and an event may come a second time (QoS 1).
    assert {(message.topic, message.payload, message.qos) for message in later if message.retain} == {
        ("edge-digits/pi/status", "offline", 1)
    }
    assert log == []


def test_a_repeatedly_killed_broker_loses_nothing(broker: Mosquitto, sink: Open, log: Log) -> None:
    broker.start()
    with listening(broker) as messages:
        broker.save()
        mqtt = sink(broker)
        for start in range(0, 600, 200):
            for number in range(start, start + 100):
                mqtt.reading(reading(number))
            messages.wait(lambda _: len(numbers(messages)) > start)  # noqa: B023 - it is in the midst of them
            broker.kill()
            for number in range(start + 100, start + 200):
                mqtt.reading(reading(number))
            log.wait(lambda lines: len(lines) == start // 100 + 1)  # noqa: B023 - called before the next
            broker.start()
        messages.wait(lambda _: len(numbers(messages)) == 600)
        assert numbers(messages) == list(range(600))
        came = sum(message.topic.endswith("/reading") for message in messages)
        assert came <= 600 + 3 * 20  # no more came twice than were on their way
        assert mqtt.dropped == 0
        mqtt.close()
        messages.wait(lambda _: status(messages)[-1] == "offline")
    assert len(log) == 6  # each time that it went, and that it came


def test_a_broker_may_come_late(broker: Mosquitto, sink: Open, log: Log) -> None:
    mqtt = sink(broker)
    for number in range(50):
        mqtt.reading(reading(number))
    log.wait(len)
    broker.start()
    with listening(broker) as messages:
        log.wait(lambda lines: len(lines) == 2)
        mqtt.reading(reading(50))
        messages.wait(lambda _: 50 in numbers(messages))
    assert log == [
        f"{broker.url} is unreachable (Connection refused); messages are kept until it is back",
        f"{broker.url} is connected",
    ]


def test_the_oldest_are_dropped_and_counted(broker: Mosquitto, sink: Open, log: Log, tmp_path: Path) -> None:
    mqtt = sink(broker, limit=30)
    for number in range(100):
        mqtt.reading(reading(number))
    assert mqtt.dropped == 70
    mqtt.close()
    broker.start()
    with listening(broker) as messages:
        sink(broker)
        messages.wait(lambda _: len(numbers(messages)) == 30)
    assert numbers(messages) == list(range(70, 100))
    queue = tmp_path / "queue"
    assert [line for line in log if line.startswith(str(queue))] == [
        f"{queue}: full, with 30 messages: the oldest are dropped",
        f"{queue}: 70 messages were dropped",
    ]


def test_the_next_process_sends_what_was_left(broker: Mosquitto, sink: Open) -> None:
    before = sink(broker)
    for number in range(5):
        before.reading(reading(number))
    before.close()
    broker.start()
    with listening(broker) as messages:
        after = sink(broker)
        for number in range(5, 10):
            after.reading(reading(number))
        messages.wait(lambda _: len(numbers(messages)) == 10)
        after.close()
        # And what was acknowledged does not come a second time.
        last = sink(broker)
        last.reading(reading(10))
        messages.wait(lambda _: 10 in numbers(messages))
    assert numbers(messages) == list(range(11))
    assert len([message for message in messages if message.topic.endswith("/reading")]) == 11


PROGRAM_TO_KILL = """
import sys, threading
from pathlib import Path
from edge_runtime.sinks.mqtt.broker import Broker
from edge_runtime.sinks.mqtt.sink import Mqtt
Mqtt(Broker.parse(sys.argv[1], {}), Path(sys.argv[2]), device="doomed")
threading.Event().wait()
"""


def test_the_last_will_says_offline_after_kills(broker: Mosquitto, tmp_path: Path) -> None:
    broker.start()
    with listening(broker) as messages:
        command = [sys.executable, "-c", PROGRAM_TO_KILL, broker.url, str(tmp_path / "queue")]
        with subprocess.Popen(command, cwd=ROOT) as process:
            messages.wait(len, 60)
            process.kill()
        messages.wait(lambda them: len(them) == 2)
    assert status(messages) == ["online", "offline"]


def test_password_from_environment_and_file(tmp_path: Path, sink: Open, log: Log) -> None:
    words = tmp_path / "words"
    words.touch()
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(words), "me", "s3cret"], check=True, capture_output=True)
    broker = Mosquitto(tmp_path / "broker", f"password_file {words}", access="allow_anonymous false")
    broker.start()
    try:
        (tmp_path / "password").write_text("s3cret\n")
        address = f"mqtt://me@127.0.0.1:{broker.port}"
        with listening(broker, username="me", password="s3cret") as messages:
            for environ in (
                {"EDGE_DIGITS_MQTT_PASSWORD": "s3cret"},
                {"EDGE_DIGITS_MQTT_PASSWORD_FILE": str(tmp_path / "password")},
            ):
                mqtt = sink(Broker.parse(address, environ))
                mqtt.event(EVENT)
                mqtt.close()
            messages.wait(lambda them: len(them) == 6)
            assert log == []
            # A wrong one is said once, however often it is tried.
            wrong = sink(Broker.parse(address, {"EDGE_DIGITS_MQTT_PASSWORD": "wr0ng"}))
            broker.heard.wait(lambda _: broker.count("not authorised") >= 3)
            wrong.close()
        reason = "refuses the connection (Not authorized: check user and password)"
        assert log == [f"{broker.url} {reason}; messages are kept until it is back"]
    finally:
        broker.kill()


def openssl(folder: Path, *arguments: str) -> None:
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([*new, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves refused sockets open
def test_encryption_needs_a_trusted_certificate(tmp_path: Path, sink: Open, log: Log) -> None:
    openssl(tmp_path, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=an authority",
            "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    openssl(tmp_path, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "key.pem", "-out", "cert.pem",
            "-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE")  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    secure = [f"listener {port} 127.0.0.1", f"certfile {tmp_path}/cert.pem", f"keyfile {tmp_path}/key.pem"]
    broker = Mosquitto(tmp_path / "broker", *secure)
    broker.start()
    try:
        with listening(broker) as messages:
            mqtt = sink(Broker.parse(f"mqtts://127.0.0.1:{port}", {}, tmp_path / "ca.pem"))
            for number in range(40):
                mqtt.reading(reading(number))
            messages.wait(lambda _: len(numbers(messages)) == 40)
            mqtt.close()
            messages.wait(lambda _: status(messages) == ["online", "offline"])
            assert log == []
            sink(Broker.parse(f"mqtts://127.0.0.1:{port}", {})).event(EVENT)
            log.wait(len)
        (line,) = log
        assert line.startswith(f"mqtts://127.0.0.1:{port} has a certificate that is not trusted (")
        assert line.endswith(": name its authority with --mqtt-ca); messages are kept until it is back")
    finally:
        broker.kill()


def test_a_silent_broker_delays_nobody(sink: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        mqtt = sink(server.getsockname()[1])
        started = time.monotonic()
        for number in range(100):
            mqtt.reading(reading(number))
        assert time.monotonic() - started < 4
        connection, _ = server.accept()
        with connection:
            started = time.monotonic()
            mqtt.close()
            assert time.monotonic() - started < 4  # two, and what a busy machine adds
    assert not any(thread.name.startswith("mqtt ") for thread in threading.enumerate())


def test_a_hanging_broker_delays_nobody_and_hears_goodbye(broker: Mosquitto, sink: Open) -> None:
    broker.start()
    with listening(broker) as messages:
        mqtt = sink(broker)
        messages.wait(len)
        broker.send(signal.SIGSTOP)
        for number in range(60):
            mqtt.reading(reading(number))
        started = time.monotonic()
        mqtt.close()
        assert time.monotonic() - started < 4  # two, and what a busy machine adds
        assert not any(thread.name.startswith("mqtt ") for thread in threading.enumerate())
        broker.send(signal.SIGCONT)
        messages.wait(lambda _: status(messages) == ["online", "offline"])
        sink(broker)
        messages.wait(lambda _: len(numbers(messages)) == 60)
    assert numbers(messages) == list(range(60))


def test_two_of_the_same_name_are_said(broker: Mosquitto, sink: Open, log: Log, tmp_path: Path) -> None:
    broker.start()
    with listening(broker) as messages:
        sink(broker, pauses=(60.0,))
        messages.wait(len)
        other = Mqtt(Broker.parse(broker.url, {}), tmp_path / "other", device="pi")
        log.wait(len)
        messages.wait(lambda _: status(messages) == ["online", "offline", "online"])  # that of the other stays
        other.close()
    # paho-mqtt before 2.1 does not hear the reason.
    reasons = ("Session taken over: another client has the same device name", "Normal disconnection")
    assert log in [
        [f"{broker.url} is unreachable ({reason}); messages are kept until it is back"] for reason in reasons
    ]


def test_a_refused_message_is_dropped_and_logged_once(tmp_path: Path, sink: Open, log: Log) -> None:
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite edge-digits/pi/event\ntopic readwrite edge-digits/pi/status\n")
    broker = Mosquitto(tmp_path / "broker", f"acl_file {rules}", "max_packet_size 600")
    broker.start()
    try:
        with listening(broker) as messages:
            mqtt = sink(broker)
            mqtt.reading(reading(1))
            mqtt.reading(reading(2))
            mqtt.event(Event("appeared", 1, "1" * 600, None, Box(1, 2, 3, 4), 0.5, "cam", 7, MOMENT))
            mqtt.event(EVENT)
            messages.wait(lambda them: len(them) == 2)
            assert json.loads(messages[1].payload) == event_record(EVENT)
            log.wait(lambda lines: len(lines) == 2)
        assert sorted(log) == [
            f"{broker.url} refuses messages (Not authorized); they are dropped",
            f"{broker.url} refuses messages (too large); they are dropped",
        ]
    finally:
        broker.kill()


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00\x01", b"\x20\x03\x00\x00\xff", b""]
)
def test_what_is_no_broker_does_no_harm(answer: bytes, sink: Open, log: Log) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        mqtt = sink(port)
        for _ in range(3):  # it tries again
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(4096)
                connection.sendall(answer)
        mqtt.event(EVENT)
        mqtt.close()
    assert log[0].startswith(f"mqtt://127.0.0.1:{port} ")
    assert log[1:] == [f"mqtt://127.0.0.1:{port}: 1 messages were not sent; the next start sends them"]


def test_home_assistant_is_told_what_there_is(broker: Mosquitto, sink: Open) -> None:
    broker.start()
    sink(broker, announce=True, device="kitchen.pi").close()
    mqtt = sink(broker, announce=True, device="kitchen.pi")
    mqtt.event(EVENT)
    mqtt.close()
    with listening(broker, "homeassistant/#") as messages:
        messages.wait(len)
    (message,) = messages
    assert (message.topic, message.retain) == ("homeassistant/sensor/edge-digits-kitchen_pi/text/config", True)
    config = json.loads(message.payload)
    assert config["unique_id"] == "edge-digits-kitchen_pi-text"
    assert config["state_topic"] == config["json_attributes_topic"] == "edge-digits/kitchen.pi/event"
    assert config["availability_topic"] == "edge-digits/kitchen.pi/status"
    assert config["value_template"] == "{{ value_json.text or this.state }}"
    assert config["device"] == {
        "identifiers": ["edge-digits-kitchen_pi"],
        "name": "kitchen.pi",
        "manufacturer": "edge-digits",
        "model": "Reader of handwritten digits",
        "sw_version": edge_runtime.__version__,
    }


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "a\0b", "a b", "a\n", "ä", "x" * 65])
def test_a_device_cannot_be_called_anything(name: str, sink: Open, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="1 to 64 letters, digits, dots, dashes and underscores"):
        sink(1, device=name)
    assert not (tmp_path / "queue.lock").exists()


def test_a_device_is_called_like_its_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    for host, name in (("pi.local", "pi.local"), ("a/b+#\0", "a-b---"), ("", "edge-digits"), ("x" * 70, "x" * 64)):
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        assert device_name() == name
    assert device_name("Pi_4-a.b") == "Pi_4-a.b"
