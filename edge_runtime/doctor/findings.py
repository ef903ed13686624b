"""A finding of `edge-digits doctor`, and the command that fixes it."""

import shlex
import sys
import sysconfig
from pathlib import Path
from typing import Literal, NamedTuple

from edge_runtime.system.board import text_of

Status = Literal["ok", "warning", "failed"]
# The error of a package that needs numpy where that is missing, and the message of its finding.
NO_NUMPY, WITHOUT_NUMPY = "No module named 'numpy'", "not checked: numpy is missing"


class Finding(NamedTuple):
    """The result for `name`: all is well, something may go wrong, or something does not work.

    `remedy` is a shell command that fixes it; None if no command does, as for a cable: `message` then names the fix.
    """

    name: str
    status: Status
    message: str
    remedy: str | None = None


def ok(name: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(name, "ok", message)


def warning(name: str, message: str, remedy: str | None = None) -> Finding:
    """Return a finding that something may go wrong, or works worse than it could."""
    return Finding(name, "warning", message, remedy)


def failed(name: str, message: str, remedy: str | None = None) -> Finding:
    """Return a finding that something does not work."""
    return Finding(name, "failed", message, remedy)


def pip(arguments: str) -> str:
    """Return a pip command, such as "install numpy", for the environment of this program.

    If the bundle has installed that environment, without pip and from matching wheels, return how to rebuild it.
    """
    if install := bundled():
        sudo = "sudo " if install.exists() and install.stat().st_uid == 0 else ""
        return f"{sudo}{shlex.quote(str(install))} --uninstall, and then {sudo}./install.sh in the bundle's folder"
    command, _, rest = arguments.partition(" ")
    forced = " --break-system-packages" if the_systems_python() else ""
    return f"{shlex.quote(sys.executable)} -m pip {command}{forced} {rest}"


def bundled() -> Path | None:
    """Return the install.sh that made the environment of this program; None if none did."""
    return Path(sys.prefix).parents[1] / "install.sh" if Path(sys.prefix, "whole").exists() else None


def the_systems_python() -> bool:
    """Return whether pip leaves this Python alone unless forced, as for Debian's (PEP 668)."""
    marker = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    return sys.prefix == sys.base_prefix and marker.exists()


def a_raspberry_pi(root: Path) -> bool:
    """Return whether this machine is a Raspberry Pi."""
    return "Raspberry Pi" in text_of(root / "proc/device-tree/model")
