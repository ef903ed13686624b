"""How Home Assistant learns of a reader of digits: a retained message that describes a sensor."""

import json
import re

import edge_runtime


def announcement(device: str, base: str) -> tuple[str, str]:
    """Return topic and payload for a device whose events and status are published under the topic `base`.

    The sensor shows the text that appeared last or that a line changed to, and the last event as its attributes.
    """
    identifier = "edge-digits-" + re.sub(r"[^A-Za-z0-9_-]", "_", device)  # no other characters may be in the topic
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
