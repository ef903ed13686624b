"""Where what must outlive the program is kept."""

import os
from pathlib import Path


def state_folder() -> Path:
    """Return the folder for it: $XDG_STATE_HOME/edge-digits, by default ~/.local/state/edge-digits; it may not exist.

    systemd's StateDirectory= comes first, so that a service needs no home.
    """
    service = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if service:
        return Path(service)
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(home) / "edge-digits"
