"""The folder for data that outlives the program."""

import os
from pathlib import Path

from edge_runtime.errors import OptionError


def state_folder() -> Path:
    """Return the state folder: $XDG_STATE_HOME/edge-digits, by default ~/.local/state/edge-digits; it may not exist.

    Raises OptionError if there is no home folder. systemd's StateDirectory= comes first, so a service needs no home.
    """
    service = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if service:
        return Path(service)
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    home = named if named.is_absolute() else Path(os.path.expanduser("~"), ".local", "state")
    if not home.is_absolute():
        raise OptionError("there is no home folder to store state in: set XDG_STATE_HOME to a folder")
    return home / "edge-digits"
