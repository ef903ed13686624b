"""List cameras, the source names that select them, and their modes."""

import fcntl
import os
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from edge_runtime.errors import DependencyMissing, SourceError

DEV = Path("/dev")
Ioctl = Callable[[int, int, bytearray], Any]  # fcntl.ioctl, which overwrites the request with the answer

# From the kernel's videodev2.h; bits 16 to 29 of a request hold its structure's size.
QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = 0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B
VIDEO_CAPTURE, IO_MC, DEVICE_CAPS = 0x1, 0x20000000, 0x80000000  # capability flags
CAPTURE = 1  # a buffer type
DISCRETE = 1  # a type of sizes and rates
MOST = 100  # answers of a list: a driver may enumerate without end
# A Raspberry Pi's drivers: those that receive raw pictures over the ribbon cable, and those that process them.
RECEIVERS = ("unicam", "bcm2835-unicam", "rp1-cfe")
PROCESSORS = ("bcm2835-isp", "pispbe", "bcm2835-codec")


@dataclass(frozen=True)
class Mode:
    """A camera mode: `format` as the driver names it, (width, height) in pixels, and `fps`, the highest first.

    If any size between two is allowed, `size` is the smaller one and `largest` the other.
    """

    format: str
    size: tuple[int, int]
    largest: tuple[int, int] | None = None
    fps: tuple[float, ...] = ()


@dataclass(frozen=True)
class Listed:
    """A camera: its name, the source names that select it, its modes, and the problem that prevents its use."""

    name: str
    sources: tuple[str, ...]
    modes: tuple[Mode, ...] = ()
    problem: str = ""


class Node(NamedTuple):
    """A Video4Linux device file: its driver, the name it reports, its bus, and its capabilities."""

    path: Path
    driver: str
    name: str
    bus: str
    capabilities: int

    @property
    def usable(self) -> bool:
        """Whether the device gives pictures by itself, without prior setup of other parts."""
        alone = not self.capabilities & IO_MC and self.driver not in RECEIVERS + PROCESSORS
        return bool(self.capabilities & VIDEO_CAPTURE) and alone


def cameras(folder: Path = DEV, ioctl: Ioctl = fcntl.ioctl) -> list[Listed]:
    """Return every camera, the one that `camera` selects first. Tries each mode of a ribbon-cable camera."""
    there = nodes(folder, ioctl)
    return [*_ribbons(there), *(_listed(node, folder, ioctl) for node in there if node.usable)]


def lines(listed: Sequence[Listed]) -> Iterator[str]:
    """Yield lines of text that describe cameras."""
    for camera in listed:
        yield camera.name
        yield f"    {', '.join(camera.sources)}"
        if camera.problem:
            yield f"    {camera.problem}"
        for name, modes in groupby(camera.modes, lambda mode: mode.format):
            yield f"    {name}: {'; '.join(map(_shown, modes))}"


def _shown(mode: Mode) -> str:
    ends = (mode.size,) if mode.largest is None else (mode.size, mode.largest)
    sizes = " to ".join(f"{width}x{height}" for width, height in ends)
    return f"{sizes} at {', '.join(f'{round(fps, 2):g}' for fps in mode.fps)}" if mode.fps else sizes


def nodes(folder: Path = DEV, ioctl: Ioctl = fcntl.ioctl) -> list[Node]:
    """Return the Video4Linux device files that can be opened, ordered by number."""
    numbered = [(int(path.name[5:]), path) for path in folder.glob("video*") if re.fullmatch(r"video\d+", path.name)]
    candidates = (node(path, ioctl) for _, path in sorted(numbered))
    return [one for one in candidates if one is not None]


def node(path: Path, ioctl: Ioctl = fcntl.ioctl) -> Node | None:
    """Return the description of a device file, or None if it is unavailable."""
    file = _opened(path)
    if file is None:
        return None
    try:
        answer = _ask(ioctl, file, QUERYCAP)
    finally:
        os.close(file)
    if answer is None:
        return None
    driver, name, bus, _, every, own = struct.unpack_from("=16s32s32s3I", answer)
    return Node(path, _text(driver), _text(name), _text(bus), own if every & DEVICE_CAPS else every)


def on_ribbon(path: Path, ioctl: Ioctl = fcntl.ioctl) -> bool:
    """Return whether a device file belongs to a Raspberry Pi's ribbon-cable camera."""
    device = node(path, ioctl)
    return device is not None and device.driver in RECEIVERS + PROCESSORS


def _ribbons(there: Sequence[Node]) -> list[Listed]:
    from edge_runtime.sources import picamera  # not at the top: only this import needs numpy

    try:
        return [
            Listed(
                f"{model}, on a ribbon cable",
                (f"picamera:{i}" if i else "picamera",),
                tuple(Mode(name, size, fps=(fps,)) for name, size, fps in picamera.sensor_modes(number)),
            )
            for i, (number, model) in enumerate(picamera.models())
        ]
    except (DependencyMissing, SourceError) as error:
        buses = dict.fromkeys(node.bus for node in there if node.driver in RECEIVERS)
        return [
            Listed("A camera on a ribbon cable", (f"picamera:{i}" if i else "picamera",), problem=str(error))
            for i, _ in enumerate(buses)
        ]


def _listed(node: Node, folder: Path, ioctl: Ioctl) -> Listed:
    links = sorted(path for path in folder.glob("v4l/by-id/*") if os.path.realpath(path) == os.path.realpath(node.path))
    names = f"camera:{node.path.name[5:]}", *map(str, (node.path, *links))
    file = _opened(node.path)
    if file is None:
        return Listed(node.name, names)
    try:
        return Listed(node.name, names, tuple(_modes(file, ioctl)))
    finally:
        os.close(file)


def _modes(file: int, ioctl: Ioctl) -> Iterator[Mode]:
    """Yield the modes that a camera reports, in the camera's order."""
    for form in _every(ioctl, file, ENUM_FMT, (CAPTURE,)):
        (code,) = struct.unpack_from("=I", form, 44)
        for answer in _every(ioctl, file, ENUM_FRAMESIZES, (code,)):
            kind, *sides = struct.unpack_from("=7I", answer, 8)
            if kind == DISCRETE:
                first, last = (sides[0], sides[1]), None
            else:  # minimum, maximum and step of the width, then of the height
                first, last = (sides[0], sides[3]), (sides[1], sides[4])
            rates = tuple(_rates(file, ioctl, (code, *(last or first))))
            yield Mode(_text(struct.pack("<I", code & 0x7FFFFFFF)), first, last, rates)


def _rates(file: int, ioctl: Ioctl, asked: tuple[int, ...]) -> Iterator[float]:
    """Yield the frame rates, in frames a second, for a format and a size; for a range, its two limits."""
    for answer in _every(ioctl, file, ENUM_FRAMEINTERVALS, asked):
        kind, *seconds = struct.unpack_from("=5I", answer, 16)
        for above, below in (seconds[:2],) if kind == DISCRETE else (seconds[:2], seconds[2:]):
            if above:
                yield below / above


def _every(ioctl: Ioctl, file: int, request: int, asked: tuple[int, ...]) -> Iterator[bytearray]:
    """Yield a driver's answers for index 0, 1, 2, ... and the requested values, until there are none."""
    for index in range(MOST):
        answer = _ask(ioctl, file, request, index, *asked)
        if answer is None:
            return
        yield answer


def _ask(ioctl: Ioctl, file: int, request: int, *asked: int) -> bytearray | None:
    """Return a driver's answer to a request whose structure begins with these numbers; None if there is none."""
    data = bytearray(request >> 16 & 0x3FFF)
    struct.pack_into(f"={len(asked)}I", data, 0, *asked)
    try:
        ioctl(file, request, data)
    except OSError:
        return None
    return data


def _opened(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None


def _text(data: bytes) -> str:
    """Return a driver's text up to the first zero byte, in printable characters."""
    words = data.partition(b"\0")[0].decode("utf-8", "replace").strip()
    return "".join(letter if letter.isprintable() else "?" for letter in words)
