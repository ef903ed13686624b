"""The name by which others know a device: in MQTT topics, Home Assistant and metrics."""

import re
import socket

from edge_runtime.errors import OptionError


def device_name(name: str | None = None) -> str:
    """Return `name` if it is a valid device name; without one, derive it from this computer's name.

    Raises OptionError where it is not 1 to 64 letters, digits, dots, dashes and underscores.
    """
    if name is None:
        return re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:64] or "edge-digits"
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name):
        raise OptionError(
            f"{name!r} is not a device name: 1 to 64 letters, digits, dots, dashes and underscores are allowed"
        )
    return name
