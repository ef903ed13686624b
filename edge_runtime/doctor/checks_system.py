"""The system: its type, Python, the disk, memory, the clock, and the display."""

import os
import platform
import re
import shlex
import struct
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from edge_runtime.doctor.findings import Finding, failed, ok, the_systems_python, warning
from edge_runtime.errors import OptionError
from edge_runtime.system.board import ROOT, os_name, text_of
from edge_runtime.system.state_folder import state_folder
from edge_runtime.system.subprocesses import ask

PYTHON = (3, 11), (3, 14)  # the first and the last version with packages
MB = 1_000_000
DISK_FULL, DISK_LOW = 50 * MB, 500 * MB
INODES = 1000  # a file system with fewer left has little room for new files
# Bytes available to programs: `edge-digits read` takes 70 MB, more with large pictures.
MEMORY_FULL, MEMORY_LOW = 80 * MB, 200 * MB
EARLIEST = 1_767_225_600  # seconds since 1970: the start of 2026, the year of this program
LATEST = EARLIEST + 30 * 365 * 86_400
TIMEOUT = 5.0  # seconds for timedatectl, which starts a service


def system(root: Path = ROOT, *, machine: str | None = None, bits: int | None = None) -> Finding:
    """Report the system; `machine` is the kernel's name of the processor, `bits` are those of programs."""
    machine = platform.machine() if machine is None else machine
    bits = 8 * struct.calcsize("P") if bits is None else bits
    board = text_of(root / "proc/device-tree/model")
    what = f"{board + ': ' if board else ''}{os_name(root)}, {machine}"
    if machine == "armv6l":
        return failed("system", f"{what}: this processor is too old: no interpreter has a package for it")
    if bits == 32:
        beneath = "a 64-bit kernel with 32-bit programs" if "64" in machine else "32-bit"
        advice = "LiteRT has packages for 64-bit systems only: install a 64-bit system if the processor allows it"
        return warning("system", f"{what}, {beneath}: {advice}")
    if sys.platform not in ("linux", "darwin"):
        return warning("system", f"{what}: only Linux and macOS are supported; on Windows, use WSL")
    return ok("system", f"{what}, {bits}-bit")


def python(version: tuple[int, int, int] | None = None) -> Finding:
    """Report the version and location of Python."""
    version = sys.version_info[:3] if version is None else version
    version_text = ".".join(map(str, version))
    if not PYTHON[0] <= version[:2] <= PYTHON[1]:
        first, last = (".".join(map(str, each)) for each in PYTHON)
        return failed("python", f"{version_text}: not one of {first} to {last}", f"python{last} -m venv edge-digits")
    if the_systems_python():
        mend = f"{shlex.quote(sys.executable)} -m venv --system-site-packages ~/edge-digits"
        message = (
            f"{version_text}, the system's own, which pip may not change: install edge-digits into a virtual "
            "environment"
        )
        return warning("python", message, mend)
    where = f"in {sys.prefix}" if sys.prefix != sys.base_prefix else "not in a virtual environment"
    return ok("python", f"{version_text}, {where}")


def disk(folder: Path | None = None) -> Finding:
    """Report the free space for stored data in `folder`, by default the state folder."""
    try:
        folder = state_folder() if folder is None else folder
    except OptionError as error:
        return warning("disk", str(error))
    there = next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))
    try:
        stats = os.statvfs(there)
    except OSError as error:
        return failed("disk", f"{there}: {error.strerror or error}")
    free, total = stats.f_bavail * stats.f_frsize, stats.f_blocks * stats.f_frsize
    usage = f"{_size(free)} of {_size(total)} free at {there}"
    if stats.f_flag & os.ST_RDONLY:
        return warning("disk", f"{there} is read-only: state and models cannot be stored; logs go elsewhere")
    if not os.access(there, os.W_OK | os.X_OK):
        mend = f"sudo install -d -o $(id -u) -g $(id -g) {shlex.quote(str(folder))}"
        return warning("disk", f"{there} is not writable: state and models cannot be stored", mend)
    mend = "sudo apt-get clean && sudo journalctl --vacuum-size=50M"
    inodes = stats.f_favail if stats.f_files else INODES  # some file systems do not count them
    if free < DISK_FULL or inodes < INODES // 10:
        return failed("disk", f"full: {usage}", mend)
    if free < DISK_LOW or inodes < INODES:
        return warning("disk", f"almost full: {usage}", mend)
    return ok("disk", usage)


def memory(root: Path = ROOT) -> Finding:
    """Report the memory available to programs."""
    said = dict(re.findall(r"^(MemTotal|MemAvailable):\s*(\d+) kB", text_of(root / "proc/meminfo"), re.MULTILINE))
    if len(said) < 2:
        return ok("memory", "not available on this system")
    total, available = (1024 * int(said[name]) for name in ("MemTotal", "MemAvailable"))
    usage = f"{_size(available)} of {_size(total)} free for programs"
    mend = "ps -e -o rss,pid,args --sort=-rss | head"
    if available < MEMORY_FULL:
        return failed("memory", f"{usage}, too little; stop the programs that use most", mend)
    if available < MEMORY_LOW:
        return warning("memory", f"{usage}; see which programs use most", mend)
    return ok("memory", usage)


def clock(root: Path = ROOT, *, now: float | None = None) -> Finding:
    """Report whether the clock is set; `now` is its time, in seconds since 1970."""
    now = time.time() if now is None else now
    shown = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)) if 0 <= now < 1e11 else "nonsense"
    synchronized = _synchronized(root)
    set_it = "sudo timedatectl set-ntp true"
    if not EARLIEST <= now <= LATEST:
        return failed("clock", f"{shown} is wrong: records have wrong dates, and TLS fails", set_it)
    if synchronized is False:
        return warning("clock", f"{shown}, not synchronized: it may be wrong after a power cut", set_it)
    return ok("clock", shown + (", synchronized" if synchronized else "; synchronization unknown"))


def _synchronized(root: Path) -> bool | None:
    """Return whether a time server has set the clock; None if unknown."""
    if (root / "run/systemd/timesync/synchronized").exists():
        return True
    answer = ask([root / "usr/bin/timedatectl", "show", "--property=NTPSynchronized", "--value"], TIMEOUT)
    return None if answer is None else {"yes": True, "no": False}.get(answer.out.strip())


def display(environment: Mapping[str, str] = os.environ) -> Finding:
    """Report whether there is a display; only `read --window` needs one."""
    displays = [f"{name}={environment[name]}" for name in ("WAYLAND_DISPLAY", "DISPLAY") if environment.get(name)]
    if displays:
        return ok("display", ", ".join(displays))
    with suppress(KeyError):
        if environment["SSH_CONNECTION"]:
            return ok("display", "none, over ssh: use `edge-digits serve` instead of read --window")
    return ok("display", "none: use `edge-digits serve` instead of read --window")


def _size(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
