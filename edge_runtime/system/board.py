"""The board: its system, usable cores, the processor's temperature, and whether it throttles."""

import os
import platform
import re
from pathlib import Path

from edge_runtime.system.subprocesses import ask

ROOT = Path("/")
# Temperature sensors, in thousandths of a degree Celsius: folders, the name file, and the temperature file.
SENSORS = (("sys/class/thermal/thermal_zone*", "type", "temp"), ("sys/class/hwmon/hwmon*", "name", "temp1_input"))
# Name prefixes of processor sensors, the likeliest first: boards, PCs, and boards with one sensor for the chip.
PROCESSORS = ("cpu", "x86_pkg_temp", "coretemp", "k10temp", "soc", "bcm2835_thermal")
COLDEST, WARMEST = -60.0, 150.0  # a sensor that measures nothing reports values outside
# The bits of the Raspberry Pi's get_throttled; 16 bits higher, the same since boot.
CONDITIONS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
STATES = tuple(f"{condition} {when}" for when in ("now", "since boot") for condition in CONDITIONS)
BITS = (*range(4), *range(16, 20))
TIMEOUT = 1.0  # seconds


def usable_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def temperature(root: Path = ROOT) -> float | None:
    """Return the processor's temperature in degrees Celsius; None if no sensor reports it.

    `root` is the root of the file system.
    """
    sensors = []
    for folders, name, value in SENSORS:
        for folder in sorted(root.glob(folders)):
            rank = _rank(text_of(folder / name))
            degrees = _degrees(text_of(folder / value)) if rank is not None else None
            if rank is not None and degrees is not None:
                sensors.append((rank, degrees))
    return min(sensors, key=lambda sensor: sensor[0])[1] if sensors else None


def throttled(root: Path = ROOT) -> tuple[str, ...] | None:
    """Return those of STATES that hold: () if all is well, None if unknown, as on all but a Raspberry Pi.

    The call starts a program and may take TIMEOUT seconds: frequent callers cache the result. `root` is the root of the
    file system.
    """
    answer = vcgencmd(root / "usr/bin/vcgencmd", "get_throttled")
    bits = None if answer is None else _hexadecimal(answer.strip())
    if bits is None:
        # The kernel clears the bits since boot, and logs a warning that this file is deprecated.
        files = sorted(root.glob("sys/devices/platform/soc*/*firmware/get_throttled"))
        bits = _hexadecimal(text_of(files[0])) if files else None
    return None if bits is None else tuple(state for bit, state in zip(BITS, STATES, strict=True) if bits >> bit & 1)


def os_name(root: Path = ROOT) -> str:
    """Return the name and version of the operating system. `root` is the root of the file system."""
    named = re.search(r'^PRETTY_NAME="?([^"\n]*)', text_of(root / "etc/os-release"), re.MULTILINE)
    return named[1] if named else platform.platform()


def _rank(name: str) -> int | None:
    """Return how likely a sensor is the processor's, the likeliest 0; None if it is another's."""
    name = name.lower().replace("-", "_")
    return next((rank for rank, start in enumerate(PROCESSORS) if name.startswith(start)), None)


def _degrees(text: str) -> float | None:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        return None
    degrees = int(text) / 1000
    return degrees if COLDEST < degrees < WARMEST else None


def _hexadecimal(text: str) -> int | None:
    """Return the number in "50005", "0x50005" or "throttled=0x50005"."""
    match = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-f]{1,8})", text, re.IGNORECASE)
    return int(match[1], 16) if match else None


def vcgencmd(program: Path, command: str) -> str | None:
    """Return vcgencmd's answer; None if it is missing, may not query the firmware, or does not answer in time."""
    answer = ask([program, command], TIMEOUT)
    return answer.out if answer is not None and answer.code == 0 else None


def text_of(path: Path) -> str:
    """Return the text of a file such as one in /proc or /sys, without white space and NUL at its ends.

    Device-tree files end in NUL. It is empty if the file cannot be read, as for a sleeping sensor.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0 \t\r\n")
    except OSError:
        return ""
