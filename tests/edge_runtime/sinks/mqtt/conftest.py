from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.sinks.mqtt.broker import Broker
from edge_runtime.sinks.mqtt.sink import Mqtt
from tests.edge_runtime.sinks.mqtt.mosquitto import Mosquitto, Open
from tests.log import Log


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "broker")
    yield broker
    broker.kill()


@pytest.fixture
def log(messages: Log) -> Log:
    """What is logged meanwhile; `messages` are those that came to a listener."""
    return messages


@pytest.fixture
def sink(tmp_path: Path, log: Log) -> Iterator[Open]:
    """Return what opens a sink; all are closed at last."""
    opened: list[Mqtt] = []

    def open_sink(at: Mosquitto | Broker | int, **options: object) -> Mqtt:
        broker = Broker(host="127.0.0.1", port=at) if isinstance(at, int) else at
        broker = Broker.parse(broker.url, {}) if isinstance(broker, Mosquitto) else broker
        settings = {"device": "pi", "pauses": (0.02,), **options}
        opened.append(Mqtt(broker, tmp_path / "queue", **settings))  # type: ignore[arg-type]
        return opened[-1]

    yield open_sink
    for each in opened:
        each.close()
