"""The wheels of a lock file for another computer: which apply there, and their download."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

NEWEST_GLIBC = 36  # 2.36, of Debian 12: its wheels also run on Debian 13
OLDEST_GLIBC = 17  # manylinux2014


class Pin(NamedTuple):
    """A line of a lock file: one version of a package, and the SHA-256 of each of its files."""

    name: str
    version: str
    hashes: frozenset[str]


def pins(lock: str, python: str, machine: str) -> list[Pin]:
    """Return a lock file's pins for Linux with this Python, as "3.13", on this machine, as "aarch64".

    pip would evaluate the markers of a lock file for its own Python and select the wrong numpy.
    """
    there = {
        "implementation_name": "cpython", "platform_python_implementation": "CPython", "os_name": "posix",
        "platform_machine": machine, "platform_system": "Linux", "sys_platform": "linux",
        "python_version": python, "python_full_version": f"{python}.0", "implementation_version": f"{python}.0",
    }  # fmt: skip
    matching = []
    for entry in lock.replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.lstrip().startswith("#"):
            continue
        requirement = Requirement(entry.partition("--hash")[0])
        if requirement.marker is None or requirement.marker.evaluate(there):
            (version,) = requirement.specifier
            hashes = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
            matching.append(Pin(canonicalize_name(requirement.name), version.version, hashes))
    return matching


def fetch(wanted: list[Pin], python: str, machine: str, folder: Path) -> list[Path]:
    """Download the wheel of each pin into a folder, and return them in the order of the pins.

    Raises OSError if pip does not find a wheel, or finds one that differs from the lock file.
    """
    listed = folder / ".wanted.txt"
    listed.write_text("".join(f"{pin.name}=={pin.version}{_hashes(pin)}\n" for pin in wanted))
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST_GLIBC, OLDEST_GLIBC - 1, -1)]
    short = python.replace(".", "")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}",
        f"--abi=cp{short}", "--abi=abi3", "--abi=none",
        *(f"--platform={platform}" for platform in [*platforms, f"manylinux2014_{machine}"]),
        f"--dest={folder}", f"--requirement={listed}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    listed.unlink()
    if done.returncode:
        raise OSError(f"the wheels for Python {python} on {machine}: {_last_line(done.stderr)}")
    return [_matching(pin, folder) for pin in wanted]


def line(wheel: Path) -> str:
    """Return the requirements line that accepts exactly this wheel."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    return f"{name}=={version} --hash=sha256:{sha256(wheel)}"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _matching(pin: Pin, folder: Path) -> Path:
    """Return the wheel of a pin, selected by hash because another Python's wheel may be beside it."""
    (wheel,) = (
        path
        for path in sorted(folder.glob("*.whl"))
        if parse_wheel_filename(path.name)[0] == pin.name and sha256(path) in pin.hashes
    )
    return wheel


def _hashes(pin: Pin) -> str:
    return "".join(f" --hash=sha256:{one}" for one in sorted(pin.hashes))


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "pip says nothing")
