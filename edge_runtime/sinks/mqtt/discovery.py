"""Home Assistant discovery: a retained message that describes a reader of digits as a sensor."""

import json
import re

import edge_runtime


def announcement(device: str, base: str) -> tuple[str, str]:
    """Return topic and payload for a device whose events and status are published under the topic `base`.

    The sensor's state is the text that last appeared or that a line last changed to; its attributes are the last event.
    """
    identifier = "edge-digits-" + re.sub(r"[^A-Za-z0-9_-]", "_", device)  # the topic allows no other characters
    config = {
        "name": "Digits",
        "unique_id": f"{identifier}-text",
        "state_topic": f"{base}/event",
        "value_template": "{{ value_json.text or this.state }}",  # a line that is gone has no text
        "json_attributes_topic": f"{base}/event",
        "availability_topic": f"{base}/status",
        "payload_available": "online",
        "payload_not_available": "offline",
        "qos": 1,
        "icon": "mdi:numeric",
        "device": {
            "identifiers": [identifier],
            "name": device,
            "manufacturer": "edge-digits",
            "model": "Reader of handwritten digits",
            "sw_version": edge_runtime.__version__,
        },
        "origin": {"name": "edge-digits", "sw_version": edge_runtime.__version__},
    }
    return f"homeassistant/sensor/{identifier}/text/config", json.dumps(config)
