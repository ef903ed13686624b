"""The cameras: device files, permissions, ribbon cables, and picamera2."""

import fcntl
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from edge_runtime.doctor.findings import NO_NUMPY, WITHOUT_NUMPY, Finding, a_raspberry_pi, failed, ok, pip, warning
from edge_runtime.doctor.probe import Probe
from edge_runtime.sources import camera_list
from edge_runtime.sources.camera_list import PROCESSORS, RECEIVERS, VIDEO_CAPTURE, Ioctl, Node
from edge_runtime.system.board import ROOT, text_of

# The kernel's name of a ribbon-cable sensor, with its address ("imx708 10-001a"), and of the lens motor beside it.
SENSOR = re.compile(r"([a-z0-9_]+) \d+-[0-9a-f]{4}")
LENS = re.compile(r"(dw|ak)\d+")
CONFIGS = "boot/firmware/config.txt", "boot/config.txt"
INSTALL = "sudo apt-get install -y python3-picamera2"
MayOpen = Callable[[Path], bool]


def may_open(path: Path) -> bool:
    """Return whether this user may read and write a file."""
    return os.access(path, os.R_OK | os.W_OK)


def files(root: Path = ROOT) -> list[Path]:
    """Return the Video4Linux device files, ordered by number."""
    paths = [path for path in root.glob("dev/video*") if re.fullmatch(r"video\d+", path.name)]
    return sorted(paths, key=_number)


def cameras(root: Path = ROOT, *, ioctl: Ioctl = fcntl.ioctl, may_open: MayOpen = may_open) -> list[Finding]:
    """Report the cameras of Video4Linux, and the purpose of its other device files."""
    there = files(root)
    nodes = camera_list.nodes(root / "dev", ioctl)
    usable = [node for node in nodes if node.usable]
    findings = [ok("camera", f"{node.path}: {node.name} ({node.driver}, {node.bus})") for node in usable]
    silent = [path for path in there if may_open(path) and path not in {node.path for node in nodes}]
    for path in silent:
        findings.append(warning("camera", f"{path} ({_name(root, path)}) does not answer: plug it in again"))
    others = [(node.path, _part(node)) for node in nodes if not node.usable]
    for what, group in groupby(sorted(others, key=lambda other: (other[1], _number(other[0]))), lambda other: other[1]):
        numbers = _ranges([_number(path) for path, _ in group])
        findings.append(ok("device files", f"{root / 'dev' / 'video'}{numbers}: {what}"))
    on_ribbon = sensors(root) or any(node.driver in RECEIVERS for node in nodes)
    if not usable and not silent and not on_ribbon and all(map(may_open, there)):
        findings.insert(0, warning("camera", "none: is one plugged in? Pictures, videos and streams need none"))
    return findings


def groups(
    root: Path = ROOT, *, may_open: MayOpen = may_open, user: str | None = None, ids: Sequence[int] | None = None
) -> Finding:
    """Report whether this user may open cameras: `user` is its name, `ids` are the numbers of its current groups."""
    user = _user() if user is None else user
    ids = (os.getegid(), *os.getgroups()) if ids is None else ids
    closed = [path for path in files(root) if not may_open(path)]
    line = re.search(r"^video:[^:\n]*:(\d+):([^\n]*)$", text_of(root / "etc/group"), re.MULTILINE)
    inside = line is not None and int(line[1]) in ids
    join = f"sudo usermod -aG video {shlex.quote(user)}"
    if closed:
        names = ", ".join(map(str, closed[:3])) + (f" and {len(closed) - 3} more" if len(closed) > 3 else "")
        if inside:
            return failed("groups", f"{user} is in the group video, but may not open {names}", f"ls -l {closed[0]}")
        if line is not None and user in line[2].split(","):
            reason = f"{user} was added to the group video, but not for this session: log in again, or"
            return failed("groups", f"{reason} start a shell in that group", "newgrp video")
        return failed("groups", f"{user} may not open {names}: join the group video, and log in again", join)
    if inside or user == "root":
        return ok("groups", f"{user} {'is in the group video' if inside else 'needs no group'}")
    if a_raspberry_pi(root):
        return warning(
            "groups", f"{user} is not in the group video, which picamera2 needs: join, and log in again", join
        )
    why = "and need not be" if files(root) else "which nothing here asks for"
    return ok("groups", f"{user} is not in the group video, {why}")


def sensors(root: Path = ROOT) -> list[str]:
    """Return the sensors that the kernel found on ribbon cables."""
    names = (text_of(path) for path in sorted(root.glob("sys/class/video4linux/v4l-subdev*/name")))
    matches = (SENSOR.fullmatch(name) for name in names)
    return [match[1] for match in matches if match is not None and not LENS.match(match[1])]


def ribbon(root: Path = ROOT, *, ioctl: Ioctl = fcntl.ioctl) -> Finding:
    """Report whether a Raspberry Pi's ribbon cable has a camera, and the camera's device file."""
    seen = sensors(root)
    nodes = [node for node in camera_list.nodes(root / "dev", ioctl) if node.driver in RECEIVERS]
    if seen or nodes:
        at = f", at {nodes[0].path} ({nodes[0].driver})" if nodes else ""
        return ok("ribbon cable", f"{' and '.join(seen) or 'a camera'}{at}: use the source picamera")
    if not a_raspberry_pi(root):
        return ok("ribbon cable", "only a Raspberry Pi has one")
    path, config = next(((root / each, text_of(root / each)) for each in CONFIGS if (root / each).exists()), (None, ""))
    if path is not None:
        if re.search(r"^\s*start_x=1", config, re.MULTILINE):
            mend = f"sudo sed -i '/^ *start_x=1/d' {path} && sudo reboot"
            message = f"{path} enables the legacy camera stack (start_x=1), which hides the camera"
            return warning("ribbon cable", message, mend)
        if not re.search(r"^\s*(camera_auto_detect=1|dtoverlay=(imx|ov|arducam))", config, re.MULTILINE):
            mend = f"echo camera_auto_detect=1 | sudo tee -a {path} && sudo reboot"
            return warning("ribbon cable", f"no camera detected; camera_auto_detect is off in {path}", mend)
    return ok("ribbon cable", "no camera detected; if there is one, reseat its cable at both ends and reboot")


def picamera2(probe: Probe, root: Path = ROOT, *, prefix: Path | None = None) -> Finding:
    """Report whether picamera2 works in this environment, whose folder is `prefix`."""
    needed = bool(sensors(root))
    if probe.works:
        count = probe.said["cameras"]
        if needed and not count:
            return failed("picamera2", "finds no camera, although the kernel does: another program may be using it",
                          "rpicam-hello --list-cameras")  # fmt: skip
        return ok("picamera2", f"{probe.said['version'] or 'installed'}, finds {' and '.join(count) or 'no camera'}")
    if not needed:
        return ok("picamera2", f"{_why(probe)}; only a camera on a ribbon cable needs it")
    if probe.missing:
        if not (root / "usr/lib/python3/dist-packages/picamera2").exists():
            return failed("picamera2", "not installed, and a camera on a ribbon cable needs it", INSTALL)
        settings = (Path(sys.prefix) if prefix is None else prefix) / "pyvenv.cfg"
        message = "installed, but this virtual environment excludes the system's packages"
        if re.search(r"^include-system-site-packages\s*=\s*true", text_of(settings), re.MULTILINE):
            message = "installed for the system's Python, but this virtual environment has another one"
            mend = "/usr/bin/python3 -m venv --clear --system-site-packages " + shlex.quote(str(settings.parent))
            return failed("picamera2", message, mend)
        pattern = "s/^\\(include-system-site-packages *= *\\)false/\\1true/"
        return failed("picamera2", message, f"sed -i {shlex.quote(pattern)} {shlex.quote(str(settings))}")
    if re.search(r"another numpy|size changed|multiarray|_ARRAY_API", f"{probe.why} {probe.complaints}"):
        message = "the system's package was built for another numpy version"
        return failed("picamera2", message, pip("install --upgrade simplejpeg"))
    if probe.why == NO_NUMPY:
        return failed("picamera2", WITHOUT_NUMPY, pip("install numpy"))
    return failed("picamera2", _why(probe), "sudo apt-get install --reinstall -y python3-picamera2 python3-libcamera")


def _why(probe: Probe) -> str:
    return "not visible from this environment" if probe.missing else f"does not work: {probe.why[:200]}"


def _part(node: Node) -> str:
    """Return the purpose of a device file that gives no pictures by itself."""
    if node.driver in RECEIVERS:
        return f"{node.driver}, raw frames of the ribbon cable, for picamera2 only"
    if node.driver in PROCESSORS:
        return f"{node.driver}, which processes pictures and is not a camera"
    if not node.capabilities & VIDEO_CAPTURE:
        return f"{node.name} ({node.driver}), no pictures: metadata, or an output"
    return f"{node.name} ({node.driver}), a component that libcamera configures"


def _name(root: Path, path: Path) -> str:
    return text_of(root / "sys/class/video4linux" / path.name / "name") or "unnamed"


def _number(path: Path) -> int:
    return int(path.name.removeprefix("video"))


def _ranges(numbers: Sequence[int]) -> str:
    """Return numbers as ranges, such as "10-12, 18"."""

    def each() -> Iterator[str]:
        for _, group in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
            run = [number for _, number in group]
            yield f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0])

    return ", ".join(each())


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
