"""Commands over MQTT: what is one, who may send them, and what happens to all other messages."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.errors import ModelError
from edge_runtime.sinks.mqtt.broker import Broker
from edge_runtime.sinks.mqtt.commands import Actions
from edge_runtime.sinks.mqtt.sink import Mqtt
from tests.edge_runtime.sinks.mqtt.mosquitto import PROGRAM, Mosquitto, Open, listening
from tests.log import Log

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed")
DOCUMENT = Path(__file__).parents[4] / "docs" / "mqtt.md"
TOPIC = "edge-digits/pi/command"
SUBSCRIBED = "Sending SUBACK to edge-digits-pi"
UNKNOWN = "that is no command is ignored; commands are install, selftest, restart"
DROPPED = "commands that come while another one runs are dropped"


class Device:
    """Actions that write down what was done, and a model that an installation changes."""

    def __init__(self) -> None:
        self.done, self.model, self.offered = Log(), "old", "new"
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.error: ModelError | None = None

    def install(self) -> None:
        self.done.append("install")
        assert self.may_go_on.wait(60)
        if self.error is not None:
            raise self.error
        self.model = self.offered

    def selftest(self) -> dict[str, Any]:
        self.done.append("selftest")
        return {"passed": True}

    def actions(self) -> Actions:
        return Actions(
            selftest=self.selftest,
            restart=lambda: self.done.append("restart"),
            install=self.install,
            update=lambda: {"installed_version": self.model, "latest_version": self.offered},
        )


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.may_go_on.set()


def updates(messages: Log) -> list[tuple[str, bool]]:
    """Return the installed version and whether an installation runs, as they were published."""
    records = [json.loads(message.payload) for message in messages if message.topic == "edge-digits/pi/update"]
    return [(record["installed_version"], record["in_progress"]) for record in records]


def test_a_command_runs_and_its_state_is_published(broker: Mosquitto, sink: Open, device: Device, log: Log) -> None:
    broker.start()
    with listening(broker) as messages:
        sink(broker, actions=device.actions())
        messages.wait(lambda _: updates(messages) == [("old", False)])
        device.may_go_on.clear()
        broker.wait_for(SUBSCRIBED)
        broker.publish(TOPIC, "install")
        messages.wait(lambda _: updates(messages)[-1:] == [("old", True)])
        device.may_go_on.set()
        messages.wait(lambda _: updates(messages) == [("old", False), ("old", True), ("new", False)])
        broker.command("selftest", lambda: log)
        messages.wait(lambda them: ("edge-digits/pi/selftest", '{"passed": true}', 0, False) in them)
        broker.command("restart", lambda: log)
        device.done.wait(lambda done: done == ["install", "selftest", "restart"])
    with listening(broker, "edge-digits/pi/update") as later:
        later.wait(len)
        assert later[0].retain
    came = [line for line in log if line != DROPPED]
    assert came == [f"the command {word} came over MQTT" for word in ("install", "selftest", "restart")]


def test_a_failing_command_says_why_in_one_line(broker: Mosquitto, sink: Open, device: Device, log: Log) -> None:
    broker.start()
    device.error = ModelError("new.tflite is not signed")
    with listening(broker) as messages:
        sink(broker, actions=device.actions())
        broker.wait_for(SUBSCRIBED)
        broker.publish(TOPIC, "install")
        log.wait(lambda lines: len(lines) == 2)
        assert log[-1] == "install: new.tflite is not signed"
        messages.wait(lambda _: updates(messages)[-1:] == [("old", False)])
        device.error = None  # and the next one is taken
        broker.command("install", lambda: log)
        messages.wait(lambda _: ("new", False) in updates(messages))


def test_retained_and_unknown_messages_are_ignored(broker: Mosquitto, sink: Open, device: Device, log: Log) -> None:
    broker.start()
    broker.publish(TOPIC, "restart", retain=True)
    sink(broker, actions=device.actions())
    log.wait(len)  # what was retained before
    broker.wait_for(SUBSCRIBED)
    broker.publish(TOPIC, "install", retain=True)  # and now
    for payload in ("", "Install", "install ", "install /etc/passwd", '{"command": "install"}', "x" * 100_000, "\0"):
        broker.publish(TOPIC, payload)
    broker.publish("edge-digits/other/command", "restart")
    broker.publish(f"{TOPIC}/more", "restart")
    broker.publish(TOPIC, "selftest")
    device.done.wait(lambda done: "selftest" in done)
    assert device.done == ["selftest"]
    lengths = (0, 7, 8, 19, 22, 100_000, 1)
    assert log[:-1] == [
        "a retained command is ignored: publish it without retain",
        *(f"a message of {length} bytes {UNKNOWN}" for length in lengths),
    ]
    assert log[-1] == "the command selftest came over MQTT"


def test_a_burst_becomes_one_command_and_line(broker: Mosquitto, sink: Open, device: Device, log: Log) -> None:
    broker.start()
    device.may_go_on.clear()
    mqtt = sink(broker, actions=device.actions())
    broker.wait_for(SUBSCRIBED)
    for _ in range(20):
        broker.publish(TOPIC, "install")
    log.wait(lambda lines: DROPPED in lines)
    broker.wait_for("Received PUBACK from edge-digits-pi", 20)
    device.may_go_on.set()
    mqtt.close()
    assert device.done == ["install"]
    assert log == ["the command install came over MQTT", DROPPED]


def test_a_restarted_broker_gets_the_subscription_again(broker: Mosquitto, sink: Open, device: Device) -> None:
    broker.start()
    sink(broker, actions=device.actions())
    broker.wait_for(SUBSCRIBED)
    for times in (1, 2):
        broker.kill()
        broker.start()
        broker.wait_for(SUBSCRIBED, times + 1)
        broker.publish(TOPIC, "selftest")
        device.done.wait(lambda done: len(done) == times)  # noqa: B023 - called before the next
    assert device.done == ["selftest", "selftest"]


def test_without_a_model_nothing_is_installed(broker: Mosquitto, sink: Open, device: Device, log: Log) -> None:
    broker.start()
    sink(broker, actions=Actions(selftest=device.selftest, restart=device.install))
    broker.wait_for(SUBSCRIBED)
    broker.publish(TOPIC, "install")
    log.wait(lambda lines: len(lines) == 2)
    assert log[1] == "install: no model may be installed: name one with --mqtt-model"
    assert device.done == []


def test_without_actions_there_is_no_subscription(broker: Mosquitto, sink: Open) -> None:
    broker.start()
    with listening(broker) as messages:
        sink(broker, announce=True)
        messages.wait(len)
        broker.publish(TOPIC, "restart")
        messages.wait(lambda them: TOPIC in [message.topic for message in them])
    assert broker.count("Received SUBSCRIBE from edge-digits-pi") == 0


def announced(broker: Mosquitto, mqtt: Mqtt) -> dict[str, dict[str, Any]]:
    """Return the retained announcements of a sink by entity, once all are published and the sink is closed."""
    with listening(broker, "homeassistant/#") as messages:
        messages.wait(lambda them: len({message.topic for message in them}) == 5)
    mqtt.close()
    with listening(broker, "homeassistant/#") as messages:
        broker.publish("homeassistant/end", "")
        messages.wait(lambda them: "homeassistant/end" in [message.topic for message in them])
    entity = re.compile("homeassistant/(.+)/edge-digits-pi/(.+)/config")
    matches = [(entity.fullmatch(message.topic), message) for message in messages if message.retain]
    return {f"{match[1]}/{match[2]}": json.loads(message.payload) for match, message in matches if match}


def test_entities_come_and_go_with_the_commands(broker: Mosquitto, sink: Open, device: Device) -> None:
    broker.start()
    configs = announced(broker, sink(broker, announce=True, actions=device.actions()))
    assert {*configs} == {"sensor/text", "button/selftest", "button/restart", "binary_sensor/selftest", "update/model"}
    for entity, config in configs.items():
        assert config["unique_id"] == f"edge-digits-pi-{entity.partition('/')[2]}"
        assert config["availability_topic"] == "edge-digits/pi/status"
        assert config["device"]["identifiers"] == ["edge-digits-pi"]
    presses = {(configs[f"button/{name}"]["command_topic"], configs[f"button/{name}"]["payload_press"])
               for name in ("selftest", "restart")}  # fmt: skip
    assert presses == {(TOPIC, "selftest"), (TOPIC, "restart")}
    update = configs["update/model"]
    assert (update["command_topic"], update["payload_install"]) == (TOPIC, "install")
    assert update["state_topic"] == "edge-digits/pi/update"
    assert configs["binary_sensor/selftest"]["state_topic"] == "edge-digits/pi/selftest"
    assert {*announced(broker, sink(broker, announce=True))} == {"sensor/text"}


USERS = ("pi", "other", "homeassistant", "viewer")


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker with the rules of docs/mqtt.md; each user's password is the user's name."""
    rules, words = tmp_path / "acl", tmp_path / "words"
    rules.write_text(DOCUMENT.read_text(encoding="utf-8").split("```\n# /etc/mosquitto/acl\n")[1].split("```")[0])
    words.touch()
    for user in USERS:
        command = ["mosquitto_passwd", "-b", *(["-c"] * (user == USERS[0])), str(words), user, user]
        subprocess.run(command, check=True, capture_output=True)
    for path in (rules, words):
        path.chmod(0o600)
    settings = (f"password_file {words}", f"acl_file {rules}")
    broker = Mosquitto(tmp_path / "broker", *settings, access="allow_anonymous false")
    broker.start()
    yield broker
    broker.kill()


def test_only_who_has_the_right_commands(guarded: Mosquitto, sink: Open, device: Device, log: Log) -> None:
    address = f"mqtt://pi@127.0.0.1:{guarded.port}"
    with listening(guarded, username="homeassistant", password="homeassistant") as messages:
        sink(Broker.parse(address, {"EDGE_DIGITS_MQTT_PASSWORD": "pi"}), announce=True, actions=device.actions())
        guarded.wait_for(SUBSCRIBED)
        for user in ("viewer", "other", "pi"):
            guarded.publish(TOPIC, "restart", user=user)
        guarded.publish(TOPIC, "selftest", user="homeassistant")
        messages.wait(lambda them: any(message.topic.endswith("/selftest") for message in them))
    assert device.done == ["selftest"]
    assert log == ["the command selftest came over MQTT"]  # and nothing of its own was refused
    assert guarded.count("Denied PUBLISH") == 3


def test_a_device_reads_its_commands_alone(guarded: Mosquitto) -> None:
    with listening(guarded, "#", username="pi", password="pi") as messages:
        guarded.publish("edge-digits/other/event", "{}", user="other")
        guarded.publish("edge-digits/other/command", "restart", user="homeassistant")
        guarded.publish("edge-digits/pi/event", "{}", user="pi")
        guarded.publish(TOPIC, "restart", user="homeassistant")
        messages.wait(len)
    assert [message.topic for message in messages] == [TOPIC]
