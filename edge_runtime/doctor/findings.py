"""What `edge-digits doctor` says of one thing: a finding, and the command that mends it."""

import shlex
import sys
import sysconfig
from pathlib import Path
from typing import Literal, NamedTuple

Status = Literal["ok", "warning", "failed"]


class Finding(NamedTuple):
    """What was found out about `name`: all is well, something may go wrong, or something does.

    `remedy` is a line for a shell that mends it; None where no command does, as with a cable: `message` says what does.
    """

    name: str
    status: Status
    message: str
    remedy: str | None = None


def ok(name: str, message: str) -> Finding:
    """Return that all is well."""
    return Finding(name, "ok", message)


def warning(name: str, message: str, remedy: str | None = None) -> Finding:
    """Return that something may go wrong, or goes worse than it could."""
    return Finding(name, "warning", message, remedy)


def failed(name: str, message: str, remedy: str | None = None) -> Finding:
    """Return that something does not work."""
    return Finding(name, "failed", message, remedy)


def pip(arguments: str) -> str:
    """Return a command of pip, as "install numpy", for the environment that this program runs in.

    Where the bundle has installed that, without pip and of wheels that go together: how to have it made anew.
    """
    if install := bundled():
        sudo = "sudo " if install.exists() and install.stat().st_uid == 0 else ""
        return f"{sudo}{shlex.quote(str(install))} --uninstall, and then {sudo}./install.sh in the bundle's folder"
    command, _, rest = arguments.partition(" ")
    forced = " --break-system-packages" if the_systems_python() else ""
    return f"{shlex.quote(sys.executable)} -m pip {command}{forced} {rest}"


def bundled() -> Path | None:
    """Return the install.sh that has made the environment that this program runs in; None where none has."""
    return Path(sys.prefix).parents[1] / "install.sh" if Path(sys.prefix, "whole").exists() else None


def the_systems_python() -> bool:
    """Tell whether this is a Python that pip leaves alone unless it is forced to, as Debian's (PEP 668)."""
    marker = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    return sys.prefix == sys.base_prefix and marker.exists()


def text(path: Path) -> str:
    """Return what a file says, without the zero that ends it in the device tree; nothing where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return ""


def a_raspberry_pi(root: Path) -> bool:
    """Tell whether this is one."""
    return "Raspberry Pi" in text(root / "proc/device-tree/model")
