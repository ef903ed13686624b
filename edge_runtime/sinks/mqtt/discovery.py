"""Home Assistant discovery: retained messages that describe a reader of digits as entities of one device."""

import json
import re
from typing import Any

import edge_runtime
from edge_runtime.sinks.mqtt.commands import INSTALL, RESTART, SELFTEST, Actions

Config = dict[str, Any]


def announcements(device: str, base: str, actions: Actions | None = None) -> dict[str, str]:
    """Return payloads by topic for a device whose events and status are published under the topic `base`.

    The sensor's state is the text that last appeared or that a line last changed to; its attributes are the last event.
    With `actions`, there are buttons for the commands, and an update entity where a model may be installed. An entity
    that is not there has an empty payload, which removes one that an earlier run announced.
    """
    identifier = "edge-digits-" + re.sub(r"[^A-Za-z0-9_-]", "_", device)  # the topic allows no other characters
    common = {
        "availability_topic": f"{base}/status",
        "payload_available": "online",
        "payload_not_available": "offline",
        "qos": 1,
        "device": {
            "identifiers": [identifier],
            "name": device,
            "manufacturer": "edge-digits",
            "model": "Reader of handwritten digits",
            "sw_version": edge_runtime.__version__,
        },
        "origin": {"name": "edge-digits", "sw_version": edge_runtime.__version__},
    }
    commanded, updated = actions is not None, actions is not None and actions.update is not None
    entities = {
        "sensor/text": _text(base),
        "button/selftest": _button("Selftest", base, SELFTEST, "diagnostic") if commanded else None,
        "binary_sensor/selftest": _selftest(base) if commanded else None,
        "button/restart": _button("Restart", base, RESTART, "config") if commanded else None,
        "update/model": _model(base) if updated else None,
    }
    payloads = {}
    for entity, own in entities.items():
        platform, _, name = entity.partition("/")
        config = own and json.dumps({"unique_id": f"{identifier}-{name}", **own, **common})
        payloads[f"homeassistant/{platform}/{identifier}/{name}/config"] = config or ""
    return payloads


def _text(base: str) -> Config:
    return {
        "name": "Digits",
        "state_topic": f"{base}/event",
        "value_template": "{{ value_json.text or this.state }}",  # a line that is gone has no text
        "json_attributes_topic": f"{base}/event",
        "icon": "mdi:numeric",
    }


def _button(name: str, base: str, word: str, category: str) -> Config:
    config = {"name": name, "command_topic": f"{base}/command", "payload_press": word, "entity_category": category}
    return config | ({"device_class": "restart"} if word == RESTART else {"icon": "mdi:clipboard-check-outline"})


def _selftest(base: str) -> Config:
    return {
        "name": "Selftest",
        "state_topic": f"{base}/selftest",
        "value_template": "{{ 'OFF' if value_json.passed else 'ON' }}",  # ON is a problem
        "json_attributes_topic": f"{base}/selftest",
        "device_class": "problem",
        "entity_category": "diagnostic",
    }


def _model(base: str) -> Config:
    return {
        "name": "Model",
        "state_topic": f"{base}/update",
        "command_topic": f"{base}/command",
        "payload_install": INSTALL,
        "device_class": "firmware",
        "entity_category": "config",
    }
