"""Cameras on a Raspberry Pi's ribbon cable (CSI), by picamera2."""

import importlib
import logging
import os
import textwrap
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edge_runtime.errors import DependencyMissing, SourceError
from edge_runtime.records import Uint8
from edge_runtime.sources.live import Capture
from edge_runtime.sources.options import Options, Settings
from edge_runtime.system.dependencies import REMEDIES

USUAL = 640, 480  # pixels, where no size is asked for
# Microseconds between frames where no rate is asked for: 30 a second, and down to 12 where it is dark.
SHORTEST, LONGEST = 33_333, 83_333
START = 2.0  # seconds that a camera may take for a frame however short the stall: it needs one to start
QUIET = 60  # logging's level beyond CRITICAL


def opener(name: str, options: Options) -> Callable[[], Capture]:
    """Return what opens the camera of the number that follows the name, 0 where none does; that raises SourceError.

    Raises DependencyMissing where picamera2 cannot be used.
    """
    load()
    number = int(name.partition(":")[2] or 0)
    return lambda: PiCamera(name, number, options.settings, options.timeouts.stall)


def load() -> tuple[Any, Any]:
    """Return the class Picamera2 and libcamera's controls. Raises DependencyMissing where they cannot be used."""
    # What both say of a failure is raised as well.
    logging.getLogger("picamera2").setLevel(QUIET)
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:FATAL")
    try:
        return importlib.import_module("picamera2").Picamera2, importlib.import_module("libcamera").controls
    except Exception as error:  # boundary: it comes with the system, and what it meets here may be of another version
        if "size changed" in str(error) or "multiarray" in str(error):  # the numpy that its parts were built for
            remedy = "pip install --upgrade simplejpeg, or pip install 'numpy<2'"
            raise DependencyMissing(f"the system's picamera2 was built for another numpy: {remedy}") from error
        raise DependencyMissing(f"{_short(error)}: {REMEDIES['picamera2']}") from error


def models() -> list[tuple[int, str]]:
    """Return picamera2's number of each camera on a ribbon cable, in its order, and what it is called.

    Raises DependencyMissing, and SourceError where the cameras cannot be told.
    """
    picamera2, _ = load()
    try:
        cameras = picamera2.global_camera_info()
    except Exception as error:  # boundary: whatever a driver raises
        raise SourceError(f"picamera2 cannot tell which cameras there are: {_short(error)}") from error
    # Those on USB, which it finds as well, are read by Video4Linux.
    return [(n, str(info.get("Model", "camera"))) for n, info in enumerate(cameras) if "/usb" not in info["Id"].lower()]


def sensor_modes(number: int) -> list[tuple[str, tuple[int, int], float]]:
    """Return format, size and most frames a second of each mode of a camera's sensor; empty where another has it.

    `number` is picamera2's. Each mode is tried, which takes a second. Raises DependencyMissing.
    """
    picamera2, _ = load()
    try:
        camera = picamera2(number)
        try:
            return [
                (str(mode["format"]), mode["size"], float(mode["fps"])) for mode in camera.sensor_modes if "fps" in mode
            ]
        finally:
            camera.close()
    except Exception:  # boundary: a list of cameras is of use without this
        return []


class PiCamera:
    """A camera on the ribbon cable, running. Raises SourceError where it does not."""

    def __init__(self, name: str, number: int, settings: Settings, stall: float) -> None:
        self._name, self._timeout = name, max(stall, START)
        picamera2, controls = load()
        cameras = models()
        if number >= len(cameras):
            count = f"only {len(cameras)}" if cameras else "none"
            raise SourceError(
                f"{name}: there is no such camera: picamera2 finds {count}; is the ribbon cable seated at both ends?"
            )
        try:
            self._camera = picamera2(cameras[number][0])
        except Exception as error:  # boundary: whatever a driver raises
            raise SourceError(
                f"{name}: this camera cannot be opened: another program may have it ({_short(error)})"
            ) from error
        try:
            self._width, self._height = self._start(settings, controls)
        except Exception as error:  # boundary: the same
            self._camera.close()
            raise SourceError(f"{name}: this camera cannot be started: {_short(error)}") from error

    def _start(self, settings: Settings, controls: Any) -> tuple[int, int]:
        """Start it, and return width and height of the pictures that it gives."""
        whole = self._camera.sensor_resolution
        # Planes have even sides, and are not blown up.
        size = tuple(max(2, min(a, b) // 2 * 2) for a, b in zip(settings.size or USUAL, whole, strict=True))
        # The sensor's mode is chosen by the size of the raw picture. That nearest to a small one would be cropped, on
        # many: half the sensor's size gives what it sees as a whole, two by two pixels taken together.
        half = tuple(side // 4 * 2 for side in whole)
        mode = half if all(a <= b for a, b in zip(size, half, strict=True)) else whole
        # A preview rather than a video: its brightness goes from 0 to 255, not from 16 to 235, and it spends least on
        # noise. There has to be a main picture no smaller than the low-resolution one; nobody reads it, so it is as
        # small as may be, in the format that takes least memory. Nothing is queued: the newest frame is wanted.
        self._camera.configure(
            self._camera.create_preview_configuration(
                main={"size": size, "format": "YUV420"},
                lores={"size": size, "format": "YUV420"},
                raw={"size": mode},
                queue=False,
                display=None,
                encode=None,
            )
        )
        width, height = self._camera.camera_configuration()["lores"]["size"]  # libcamera may have changed it
        self._camera.set_controls(_controls(settings, self._camera.camera_controls, controls))
        self._camera.start()
        return int(width), int(height)

    def read(self) -> Uint8:
        """Wait for the next frame, uint8 (H, W) gray. Raises SourceError where none comes."""
        arrived = threading.Event()
        # Not every version of picamera2 can wait for so long and no longer.
        job = self._camera.capture_request(wait=False, signal_function=lambda _: arrived.set())
        if not arrived.wait(self._timeout):
            raise SourceError(
                f"{self._name}: no frame for {self._timeout:g} s; is the ribbon cable seated at both ends?"
            )
        request = self._camera.wait(job)
        try:
            # Rows are padded; below those of the brightness lie those of the color. What belongs to the request is
            # overwritten once that is released.
            return np.array(request.make_array("lores")[: self._height, : self._width], np.uint8)
        finally:
            request.release()  # or the camera would run out of buffers

    def close(self) -> None:
        """Free the camera."""
        self._camera.close()


def _controls(settings: Settings, limits: Mapping[str, tuple[Any, ...]], controls: Any) -> dict[str, Any]:
    """Return what to ask of a camera whose controls have these limits: (least, most, usual) by name."""
    wanted: dict[str, Any] = {}
    if settings.exposure is not None and "ExposureTime" in limits:
        # Microseconds. By itself it leaves the gain to the camera, which AeEnable=False would not.
        wanted["ExposureTime"] = round(_within(settings.exposure, limits["ExposureTime"]))
    if "FrameDurationLimits" in limits:
        shortest, longest = (SHORTEST, LONGEST) if settings.fps is None else 2 * (1e6 / settings.fps,)
        between = shortest, max(longest, wanted.get("ExposureTime", 0))  # a frame takes no less than it is exposed
        wanted["FrameDurationLimits"] = tuple(round(_within(side, limits["FrameDurationLimits"])) for side in between)
    if "AfMode" in limits:  # the module can focus: it would stay blurred unless told to
        if settings.focus is None or settings.focus == "auto":
            wanted["AfMode"] = controls.AfModeEnum.Continuous
        else:
            wanted["AfMode"] = controls.AfModeEnum.Manual
            wanted["LensPosition"] = _within(float(settings.focus), limits["LensPosition"])  # dioptres: 0 is far away
    return wanted


def _within(value: float, limits: tuple[Any, ...]) -> float:
    """Return what comes nearest to a value; a greatest one of 0 is not known."""
    least, most = limits[0], limits[1] or float("inf")
    return min(max(value, float(least)), float(most))


def _short(error: Exception) -> str:
    """Return an error in a line of bearable length: libcamera's may hold a whole configuration."""
    return textwrap.shorten(str(error) or type(error).__name__, 200, placeholder=" ...")
