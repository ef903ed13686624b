"""Validate what is published against Home Assistant's own schemas, in an environment where that is installed.

python home_assistant.py < RECORD: {"announcements": {TOPIC: CONFIG}, "updates": [STATE]} as JSON; prints what is valid.
"""

import asyncio
import importlib
import json
import sys
import tempfile
from typing import Any

from homeassistant.components.mqtt.update import MQTT_JSON_UPDATE_SCHEMA
from homeassistant.core import HomeAssistant


async def validate(record: dict[str, Any], folder: str) -> None:
    """Raise where a schema refuses a configuration or a state, or does not know one of its keys."""
    HomeAssistant(folder)  # templates are valid only beside one
    for topic, config in record["announcements"].items():
        platform = topic.split("/")[1]
        schema = importlib.import_module(f"homeassistant.components.mqtt.{platform}").DISCOVERY_SCHEMA
        if unknown := {*config} - {*schema(config)}:
            raise ValueError(f"{platform} knows no {unknown}")
        print(platform)
    for state in record["updates"]:
        MQTT_JSON_UPDATE_SCHEMA(state)
        print("state")


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(validate(json.load(sys.stdin), folder))
