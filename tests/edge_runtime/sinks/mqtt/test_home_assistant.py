"""Home Assistant's own schemas accept what is announced; `make test-home-assistant` installs it and runs this."""

import json
import subprocess
from pathlib import Path

import pytest

from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.sinks.mqtt import discovery
from edge_runtime.sinks.mqtt.commands import Actions
from edge_runtime.store import table

PYTHON = Path(__file__).parents[4] / "build" / "venv-home-assistant" / "bin" / "python"
PROGRAM = Path(__file__).with_name("home_assistant.py")
pytestmark = [
    pytest.mark.home_assistant,
    pytest.mark.skipif(not PYTHON.exists(), reason="Home Assistant is not installed: make test-home-assistant"),
]


def validated(announcements: dict[str, str], *updates: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Let Home Assistant validate announcements by topic, and states of the update entity."""
    configs = {topic: json.loads(payload) for topic, payload in announcements.items() if payload}
    record = json.dumps({"announcements": configs, "updates": updates})
    return subprocess.run([PYTHON, PROGRAM], input=record, capture_output=True, text=True, check=False)


def test_its_schemas_accept_every_announcement_and_state() -> None:
    actions = Actions(selftest=dict, restart=list, install=list, update=dict)  # type: ignore[arg-type]
    state = {
        "installed_version": "cf827e7f8116",
        "latest_version": "334cd539ffb7",
        "title": "Model of edge-digits",
        "release_summary": table.summary(model_file.read(SHIPPED).card or {}),
        "in_progress": False,
    }
    done = validated(discovery.announcements("kitchen.pi", "edge-digits/kitchen.pi", actions), state)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["sensor", "button", "binary_sensor", "button", "update", "state"]


@pytest.mark.parametrize(
    ("key", "wrong", "reason"),
    [
        ("state_topic", "states_topic", "required key not provided @ data['state_topic']"),
        ("icon", "ikon", "sensor knows no {'ikon'}"),
    ],
)
def test_its_schemas_refuse_wrong_announcements(key: str, wrong: str, reason: str) -> None:
    announcements = discovery.announcements("pi", "edge-digits/pi")
    renamed = {topic: payload.replace(f'"{key}"', f'"{wrong}"') for topic, payload in announcements.items()}
    assert reason in validated(renamed).stderr


def test_its_schema_refuses_a_wrong_state() -> None:
    assert "in_progress" in validated({}, {"installed_version": "a", "in_progress": "perhaps"}).stderr
