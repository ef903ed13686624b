"""Commands over MQTT to programs as people start them, with a real broker and signed models."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import catalog
from tests.edge_runtime.inference.model_variants import variant
from tests.edge_runtime.sinks.mqtt.mosquitto import PROGRAM, Mosquitto, listening
from tests.edge_runtime.store.maker import Maker
from tests.log import Log

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]
SHIPS = model_file.read(SHIPPED).id


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def offered(tmp_path: Path) -> Path:
    (tmp_path / "offered").mkdir()
    return tmp_path / "offered"


class Program:
    """A program that takes commands, and the lines on its standard error."""

    def __init__(self, broker: Mosquitto, folder: Path, *arguments: object) -> None:
        command = [sys.executable, "-m", "edge_runtime", *arguments, "--mqtt", broker.url]
        command += ["--mqtt-device", "pi", "--mqtt-commands"]
        self._out, self._err = folder / "out", folder / "err"
        environment = {**os.environ, "STATE_DIRECTORY": str(folder)}
        with self._out.open("w") as out, self._err.open("w") as err:
            self._process = subprocess.Popen([*map(str, command)], stdout=out, stderr=err, env=environment)

    def lines(self) -> list[str]:
        """Return what it has printed on standard error."""
        return [line.removeprefix("edge-digits: ") for line in self._err.read_text().splitlines()]

    def end(self) -> tuple[int, list[dict[str, Any]]]:
        """Wait for its end; return the exit code, and what it printed."""
        code = self._process.wait(60)
        return code, [json.loads(line) for line in self._out.read_text().splitlines()]

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def put(folder: Path, name: str, maker: Maker | None) -> str:
    """Offer a model that this maker, if any, has signed, and return its id."""
    path = folder.parent / f"{name}.tflite"
    id = variant(path, name).id
    if maker is not None:
        maker.sign(path).rename(folder / f"{name}.tflite.sig")  # first: a model that has no signature yet is refused
    path.rename(folder / path.name)
    return id


def updates(messages: Log) -> list[tuple[str, str, bool]]:
    """Return the installed and the latest version and whether an installation runs, as they were published."""
    records = [json.loads(message.payload) for message in messages if message.topic == "edge-digits/pi/update"]
    return [(record["installed_version"], record["latest_version"], record["in_progress"]) for record in records]


def models(messages: Log) -> list[str]:
    """Return the models of the readings that were published."""
    return [json.loads(message.payload)["model"] for message in messages if message.topic.endswith("/reading")]


def test_only_signed_models_are_installed_while_reading(
    broker: Mosquitto, maker: Maker, offered: Path, tmp_path: Path
) -> None:
    read = ["read", "synthetic", "--fps", "5", "--json", "--raw"]
    options = ["--mqtt-model", offered, "--trusted-key", maker.public]
    first = put(offered, "first", maker)
    with listening(broker) as messages, Program(broker, tmp_path, *read, *options) as program:
        messages.wait(lambda _: (SHIPS, first, False) in updates(messages))
        messages.wait(lambda _: SHIPS in models(messages))
        broker.wait_for("Sending SUBACK to edge-digits-pi")
        broker.command("install", program.lines)
        messages.wait(lambda _: updates(messages)[-1] == (first, first, False))
        messages.wait(lambda _: first in models(messages))
        count = len(updates(messages))
        put(offered, "second", None)
        put(offered, "third", Maker(tmp_path / "stranger"))
        broker.command("install", program.lines)
        broker.command("selftest", program.lines)
        messages.wait(lambda them: any(message.topic.endswith("/selftest") for message in them))
        (record,) = [json.loads(message.payload) for message in messages if message.topic.endswith("/selftest")]
        broker.command("restart", program.lines)
        code, printed = program.end()
        messages.wait(lambda them: them[-1].topic == "edge-digits/pi/status")
    assert {*updates(messages)[count:]} <= {(first, first, True), (first, first, False)}
    assert catalog.current(tmp_path / "models").stem == first
    assert record["passed"]
    assert record["model"]["id"] == first
    used = [each["model"] for each in printed if each["type"] == "reading"]
    assert used == sorted(used, key=[SHIPS, first].index)
    assert {*used} == {SHIPS, first}
    assert code == 0
    assert messages[-1].payload == "offline"
    refusals = [line for line in program.lines() if line.startswith("install: ")]
    assert len(refusals) == 1
    assert refusals[0].startswith(f"install: {offered / 'third.tflite'}: its signature was not made with a trusted key")


def test_a_server_without_a_source_takes_commands(broker: Mosquitto, tmp_path: Path) -> None:
    with listening(broker) as messages, Program(broker, tmp_path, "serve", "--port", "0") as program:
        broker.wait_for("Sending SUBACK to edge-digits-pi")
        broker.command("selftest", program.lines)
        messages.wait(lambda them: any(message.topic.endswith("/selftest") for message in them))
        broker.command("restart", program.lines)
        assert program.end() == (0, [])
        messages.wait(lambda them: them[-1].payload == "offline")
    assert program.lines()[-1] == "ending, for the service manager to start it again"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["read", "camera", "--mqtt-commands"], "--mqtt-commands requires --mqtt"),
        (["read", "camera", "--mqtt", "mqtt://b", "--mqtt-model", "m"], "--mqtt-model requires --mqtt-commands"),
        (["read", "page.jpg", "--mqtt", "mqtt://b", "--mqtt-commands"], "--mqtt-commands requires a camera"),
        (
            ["serve", "--mqtt", "mqtt://b", "--mqtt-commands", "--mqtt-model", "m"],
            "--mqtt-model requires --trusted-key FILE: commands install only signed models",
        ),
        (
            ["read", "camera", "--mqtt", "mqtt://b", "--mqtt-commands", "--mqtt-model", "m", "--trusted-key", "no.pem"],
            "cannot read the trusted key no.pem: No such file or directory",
        ),
        (
            ["serve", "--mqtt", "mqtt://b", "--mqtt-commands", "--mqtt-model", "m", "--trusted-key", "k", "--model",
             str(SHIPPED)],
            "--mqtt-model installs into the model store, which --model replaces: leave out one of them",
        ),
    ],
)  # fmt: skip
def test_options_of_commands_that_conflict_are_named(
    arguments: list[str], message: str, call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_runtime.cli.main import main

    pytest.importorskip("cryptography")
    monkeypatch.chdir(tmp_path)
    assert (
        call(main, *arguments, *(["--port", "0"] if "serve" in arguments else []))
        .one_line(2)
        .startswith(f"edge-digits: error: {message}")
    )
