"""What the board tells of itself: how warm its processor is, and whether it runs slower to keep from harm."""

import re
import subprocess
from pathlib import Path

ROOT = Path("/")
# What tells temperatures, in thousandths of a degree Celsius: folders, the file that names one, and its temperature.
SENSORS = (("sys/class/thermal/thermal_zone*", "type", "temp"), ("sys/class/hwmon/hwmon*", "name", "temp1_input"))
# How the names of a processor's own sensors begin, the likeliest first: boards, PCs, and boards with one for the chip.
PROCESSORS = ("cpu", "x86_pkg_temp", "coretemp", "k10temp", "soc", "bcm2835_thermal")
COLDEST, WARMEST = -60.0, 150.0  # what lies outside is what a sensor says that measures nothing
# The bits of the Raspberry Pi's get_throttled; 16 bits further up, the same since it was started.
CONDITIONS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
STATES = tuple(f"{condition} {when}" for when in ("now", "since boot") for condition in CONDITIONS)
BITS = (*range(4), *range(16, 20))
TIMEOUT = 1.0  # seconds


def temperature(root: Path = ROOT) -> float | None:
    """Return the processor's temperature in degrees Celsius; None where no sensor tells it.

    `root` is where the file system begins.
    """
    sensors = []
    for folders, name, value in SENSORS:
        for folder in sorted(root.glob(folders)):
            rank = _rank(_text(folder / name))
            degrees = _degrees(_text(folder / value)) if rank is not None else None
            if rank is not None and degrees is not None:
                sensors.append((rank, degrees))
    return min(sensors, key=lambda sensor: sensor[0])[1] if sensors else None


def throttled(root: Path = ROOT) -> tuple[str, ...] | None:
    """Return those of STATES that hold: () where all is well, None where nothing tells, as on all but a Raspberry Pi.

    It may take TIMEOUT seconds, and starts a program: what asks often keeps the answer for a while. `root` is where the
    file system begins.
    """
    bits = _asked(root / "usr/bin/vcgencmd")
    if bits is None:
        # The kernel clears what it says of the time since boot, and warns in its log that this file is old.
        files = sorted(root.glob("sys/devices/platform/soc*/*firmware/get_throttled"))
        bits = _hexadecimal(_text(files[0])) if files else None
    return None if bits is None else tuple(state for bit, state in zip(BITS, STATES, strict=True) if bits >> bit & 1)


def _rank(name: str) -> int | None:
    """Return how likely a sensor is the processor's, the likeliest 0; None where it is another's."""
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


def _asked(program: Path) -> int | None:
    """Return what vcgencmd says; None where it is not there, may not ask the firmware, or does not answer in time."""
    try:
        done = subprocess.run(
            [program, "get_throttled"], capture_output=True, timeout=TIMEOUT, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return _hexadecimal(done.stdout.decode(errors="replace").strip())


def _text(path: Path) -> str:
    """Return what a file of sysfs says; nothing where it cannot be read, as that of a sensor that sleeps."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
