"""picamera2 and libcamera as far as they are used, and as strict as they are, with cameras that show what tests say.

What picamera2 refuses is refused in its own words. What would only go wrong on a Raspberry Pi raises BrokenRule: a
request that is never released, memory that is used after its release, a frame that is asked for before the start.
"""

import enum
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from edge_runtime.records import Uint8

Size = tuple[int, int]
STRIDE = 64
PADDING, RELEASED, COLOR = 0x55, 0xAA, 0x80
PACE = 0.002  # seconds between frames
YUV = {"YUV420", "YVU420", "YUYV", "NV12"}
RGB = {"RGB888", "BGR888", "XRGB8888", "XBGR8888"}


class BrokenRule(AssertionError):
    """What on a Raspberry Pi would hang or give garbage."""


class AfModeEnum(enum.Enum):
    Manual = 0
    Auto = 1
    Continuous = 2


@dataclass
class Sensor:
    """A camera module: the modes of its sensor are (size, part of its sides that is seen, most frames a second)."""

    model: str = "imx708"
    id: str = "/base/soc/i2c0mux/i2c@1/imx708@1a"
    autofocus: bool = True
    modes: tuple[tuple[Size, float, float], ...] = (
        ((1536, 864), 2 / 3, 120.13),
        ((2304, 1296), 1.0, 56.03),
        ((4608, 2592), 1.0, 14.35),
    )
    scene: Uint8 = field(default_factory=lambda: np.full((480, 640), 200, np.uint8))
    adjusted: Size | None = None  # what libcamera makes of any size
    broken: str = ""  # what it says when it is started
    silent: bool = False  # it has stopped sending frames
    taken: bool = False  # another program has it
    owner: "Picamera2 | None" = None
    controls: dict[str, object] = field(default_factory=dict)  # that it was started with
    configurations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def limits(self) -> dict[str, tuple[Any, Any, Any]]:
        ranges: dict[str, tuple[Any, Any, Any]] = {
            "ExposureTime": (26, 220_417_486, 20_000),
            "FrameDurationLimits": (17_849, 220_535_845, 33_333),
        }
        if self.autofocus:
            ranges |= {"AfMode": (0, 2, 0), "LensPosition": (0.0, 15.0, 1.0)}
        return ranges


def installed(patch: pytest.MonkeyPatch, *sensors: Sensor) -> None:
    """Let these be the modules picamera2 and libcamera, with these cameras."""
    picamera2, libcamera = ModuleType("picamera2"), ModuleType("libcamera")
    picamera2.Picamera2 = type("Picamera2", (Picamera2,), {"sensors": sensors})  # type: ignore[attr-defined]
    libcamera.controls = SimpleNamespace(AfModeEnum=AfModeEnum)  # type: ignore[attr-defined]
    patch.setitem(sys.modules, "picamera2", picamera2)
    patch.setitem(sys.modules, "libcamera", libcamera)


class Picamera2:
    """A camera that is open."""

    sensors: tuple[Sensor, ...] = ()

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return [
            {"Model": sensor.model, "Location": 2, "Rotation": 180, "Id": sensor.id, "Num": number}
            for number, sensor in enumerate(cls.sensors)
        ]

    def __init__(self, camera_num: int = 0) -> None:
        self._sensor = self.sensors[camera_num]
        if self._sensor.taken or self._sensor.owner is not None:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self._sensor.owner = self
        self.sensor_resolution = max(size for size, _, _ in self._sensor.modes)
        self.camera_config: dict[str, Any] | None = None
        self.outstanding = 0
        self._controls: dict[str, object] = {}
        self._jobs: list[Job] = []
        self._lock = threading.Lock()
        self._loop: threading.Thread | None = None
        self._ended = threading.Event()

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        return self._sensor.limits

    @property
    def sensor_modes(self) -> list[dict[str, Any]]:
        return [
            {"format": "SBGGR10_CSI2P", "bit_depth": 10, "size": size, "fps": fps}
            for size, _, fps in self._sensor.modes
        ]

    def create_preview_configuration(self, main: Any = {}, **options: Any) -> dict[str, Any]:  # noqa: B006 - theirs
        return self._configuration("sYCC", 4, {"FrameDurationLimits": (100, 83_333)}, main, **options)

    def create_video_configuration(self, main: Any = {}, **options: Any) -> dict[str, Any]:  # noqa: B006 - theirs
        return self._configuration("SMPTE170M", 6, {"FrameDurationLimits": (33_333, 33_333)}, main, **options)

    def _configuration(
        self, colour_space: str, buffers: int, usual: dict[str, object], main: dict[str, Any],
        lores: dict[str, Any] | None = None, raw: dict[str, Any] | None = None, buffer_count: int | None = None,
        controls: dict[str, object] | None = None, display: str | None = "main", encode: str | None = "main",
        queue: bool = True,
    ) -> dict[str, Any]:  # fmt: skip
        def stream(usual: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
            for key in settings:
                if key not in ("format", "size"):
                    raise ValueError(f"Bad key {key!r}: valid stream configuration keys are ('format', 'size')")
            return usual | settings

        made = stream({"format": "XBGR8888", "size": (640, 480)}, main)
        return {
            "colour_space": colour_space,
            "buffer_count": buffer_count or buffers,
            "queue": queue,
            "display": display,
            "encode": encode,
            "main": made,
            "lores": None if lores is None else stream({"format": "YUV420", "size": made["size"]}, lores),
            "raw": stream({"format": "SBGGR10_CSI2P", "size": made["size"]}, raw or {}),
            "controls": usual | (controls or {}),
        }

    def configure(self, configuration: dict[str, Any]) -> None:
        if self._loop is not None:
            raise RuntimeError("Camera must be stopped before configuring")
        for name in ("main", "lores", "raw"):
            stream = configuration[name]
            if stream is None:
                continue
            if name != "raw" and stream["format"] not in YUV | RGB:
                raise RuntimeError(f"Bad format {stream['format']} in stream {name}")
            if type(stream["size"]) is not tuple or len(stream["size"]) != 2:
                raise RuntimeError(f"size in {name} stream should be (width, height)")
            if stream["size"][0] % 2 or stream["size"][1] % 2:
                raise RuntimeError("width and height should be even")
            if min(stream["size"]) < 2:
                raise RuntimeError(f"Invalid camera configuration: {configuration}")
        main, lores = configuration["main"], configuration["lores"]
        if lores is not None:
            if lores["size"][0] > main["size"][0] or lores["size"][1] > main["size"][1]:
                raise RuntimeError("lores stream dimensions may not exceed main stream")
            if lores["format"] not in YUV:
                raise RuntimeError("lores stream must be YUV")
            lores["size"] = self._sensor.adjusted or lores["size"]
            lores["stride"] = -(-lores["size"][0] // STRIDE) * STRIDE
        self.camera_config = configuration
        self._sensor.configurations.append(configuration)
        self._controls = {}
        self.set_controls(configuration["controls"])

    def camera_configuration(self) -> dict[str, Any] | None:
        return self.camera_config

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name, value in controls.items():
            if name not in self.camera_controls:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
            fits = {
                "ExposureTime": lambda value: type(value) is int and 0 <= value < 2**31,
                "FrameDurationLimits": lambda value: [type(side) for side in value] == [int, int],
                "AfMode": lambda value: isinstance(value, AfModeEnum),
                "LensPosition": lambda value: type(value) is float,
            }
            if not fits[name](value):
                raise TypeError(f"Unable to cast {value!r} for {name}")
            self._controls[name] = value

    def start(self) -> None:
        if self.camera_config is None:
            raise BrokenRule("it would start with a configuration of its own")
        if self._sensor.broken:
            raise RuntimeError(self._sensor.broken)
        self._sensor.controls = dict(self._controls)
        self._loop = threading.Thread(target=self._run, daemon=True)
        self._loop.start()

    def _run(self) -> None:
        """Do what picamera2's own thread does: finish the next job with the next frame."""
        while not self._ended.wait(PACE):
            if self._sensor.silent:
                continue
            with self._lock:
                job = self._jobs.pop(0) if self._jobs else None
                self.outstanding += job is not None
            if job is not None:
                job.finish(Request(self))

    def capture_request(self, wait: bool | None = None, signal_function: Callable[["Job"], None] | None = None) -> Any:
        if self._loop is None or self.camera_config is None:
            raise BrokenRule("it would wait for ever: the camera has not been started")
        if self.outstanding >= self.camera_config["buffer_count"]:
            raise BrokenRule("it would wait for ever: no buffer was given back")
        job = Job(signal_function)
        with self._lock:
            self._jobs.append(job)
        return job if wait is False or (wait is None and signal_function is not None) else job.result()

    def wait(self, job: "Job") -> "Request":
        return job.result()

    def close(self) -> None:
        self._ended.set()
        if self._loop is not None:
            self._loop.join()
            self._loop = None
        self._sensor.owner = None
        if self.outstanding:
            raise BrokenRule(f"{self.outstanding} requests were not released")

    def shown(self, lores: dict[str, Any]) -> Uint8:
        """Return the buffer of a frame: rows of brightness and of color, padded."""
        (width, height), stride = lores["size"], lores["stride"]
        assert self.camera_config is not None
        # libcamera's choice, which weighs a mode that is too small eight times as heavily as one that is too large.
        wanted = self.camera_config["raw"]["size"]
        _, seen, _ = min(
            self._sensor.modes,
            key=lambda mode: sum(2 * (a - b) if a > b else (b - a) / 4 for a, b in zip(wanted, mode[0], strict=True)),
        )
        rows, columns = self._sensor.scene.shape
        top, left = round(rows * (1 - seen) / 2), round(columns * (1 - seen) / 2)
        picture = self._sensor.scene[top : rows - top, left : columns - left]
        if picture.shape != (height, width):
            picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        if self.camera_config["colour_space"] != "sYCC":
            picture = (16 + picture * (219 / 255)).astype(np.uint8)
        buffer = np.full((height * 3 // 2, stride), PADDING, np.uint8)
        buffer[:height, :width] = picture
        buffer[height:] = COLOR
        return buffer


class Job:
    """What picamera2's thread is to do."""

    def __init__(self, signal_function: Callable[["Job"], None] | None) -> None:
        self._signal, self._done = signal_function, threading.Event()
        self._request: Request | None = None

    def finish(self, request: "Request") -> None:
        self._request = request
        self._done.set()
        if self._signal is not None:
            self._signal(self)

    def result(self) -> "Request":
        assert self._done.wait(10)
        assert self._request is not None
        return self._request


class Request:
    """A frame in the camera's own memory."""

    def __init__(self, camera: Picamera2) -> None:
        self._camera, self._buffers, self._released = camera, list[Uint8](), False

    def make_array(self, name: str) -> Uint8:
        if self._released:
            raise BrokenRule("the request was released")
        config = self._camera.camera_config
        if config is None or config[name] is None:
            raise RuntimeError(f"Stream {name!r} is not defined")
        if name != "lores":
            raise BrokenRule("the low-resolution plane is the one to read")
        self._buffers.append(self._camera.shown(config[name]))
        return self._buffers[-1]

    def release(self) -> None:
        if self._released:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self._released = True
        with self._camera._lock:
            self._camera.outstanding -= 1
        for buffer in self._buffers:
            buffer[:] = RELEASED
