"""File systems as boards have them, as far as a check looks at them; recorded, and written where a test wants them."""

import subprocess
from pathlib import Path

DEBIAN_12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n'
DEBIAN_13 = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\n'
GROUPS = "root:x:0:\nvideo:x:44:pi\nrender:x:106:\n"
CONFIG = "# For more options and information see\n[all]\ndtparam=audio=on\ncamera_auto_detect=1\n"


def put(root: Path, path: str, content: str, mode: int = 0o644) -> Path:
    """Write a file of the tree."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    file.chmod(mode)
    return file


def program(root: Path, name: str, script: str) -> Path:
    """Write a program of the tree."""
    return put(root, f"usr/bin/{name}", f"#!/bin/sh\n{script}\n", 0o755)


def _board(root: Path, model: str, system: str, memory: tuple[int, int], millidegrees: int) -> Path:
    put(root, "proc/device-tree/model", f"{model}\0")
    put(root, "etc/os-release", system)
    put(root, "etc/group", GROUPS)
    put(root, "proc/meminfo", f"MemTotal:  {memory[0]} kB\nMemFree:  10000 kB\nMemAvailable:  {memory[1]} kB\n")
    put(root, "sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    put(root, "sys/class/thermal/thermal_zone0/temp", f"{millidegrees}\n")
    put(root, "boot/firmware/config.txt", CONFIG)
    return root


def _subdevices(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        put(root, f"sys/class/video4linux/v4l-subdev{number}/name", f"{name}\n")


def pi3(root: Path) -> Path:
    """A Raspberry Pi 3 B+ with Debian 12, which had too little voltage; no camera."""
    _board(root, "Raspberry Pi 3 Model B Plus Rev 1.3", DEBIAN_12, (931_000, 612_000), 61_224)
    put(root, "sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n")
    return root


def pi4(root: Path) -> Path:
    """A Raspberry Pi 4 with Debian 12 and a camera module 2 on its ribbon cable; all is well."""
    _board(root, "Raspberry Pi 4 Model B Rev 1.4", DEBIAN_12, (3_885_000, 3_100_000), 48_312)
    program(root, "vcgencmd", "echo throttled=0x0")
    _subdevices(root, "imx219 10-0010")
    put(root, "run/systemd/timesync/synchronized", "")
    return root


def pi5(root: Path) -> Path:
    """A Raspberry Pi 5 with Debian 13 and a camera module 3, whose lens has a motor; it is hot and runs slower."""
    _board(root, "Raspberry Pi 5 Model B Rev 1.0", DEBIAN_13, (8_256_000, 7_400_000), 81_900)
    program(root, "vcgencmd", "echo throttled=0xe0008")
    _subdevices(root, "csi2", "pisp-fe", "imx708 10-001a", "dw9807 10-000c")
    return root


def runs_in_a_shell(line: str | None) -> bool:
    """Tell whether a shell can make sense of a remedy."""
    return line is not None and subprocess.run(["bash", "-n", "-c", line], check=False).returncode == 0
