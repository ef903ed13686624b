"""Cameras on a Raspberry Pi's ribbon cable (CSI), read with picamera2."""

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

USUAL = 640, 480  # pixels, the default size
# Default microseconds between frames: 30 frames a second, and down to 12 in the dark.
SHORTEST, LONGEST = 33_333, 83_333
START = 2.0  # minimum timeout in seconds for a frame, however short the stall: a camera needs 1 s to start
QUIET = 60  # a logging level above CRITICAL


def opener(name: str, options: Options) -> Callable[[], Capture]:
    """Return a function that opens the camera whose number follows the name, by default 0; it raises SourceError.

    Raises DependencyMissing if picamera2 cannot be used.
    """
    load()
    number = int(name.partition(":")[2] or 0)
    return lambda: PiCamera(name, number, options.settings, options.timeouts.stall)


def load() -> tuple[Any, Any]:
    """Return the class Picamera2 and libcamera's controls. Raises DependencyMissing if they cannot be used."""
    # Silence both logs: both libraries also raise what they log about a failure.
    logging.getLogger("picamera2").setLevel(QUIET)
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:FATAL")
    try:
        return importlib.import_module("picamera2").Picamera2, importlib.import_module("libcamera").controls
    except Exception as error:  # boundary: picamera2 comes with the system, and packages here may differ in version
        if "size changed" in str(error) or "multiarray" in str(error):  # its parts were built for another numpy
            remedy = "pip install --upgrade simplejpeg, or pip install 'numpy<2'"
            raise DependencyMissing(f"the system's picamera2 was built for another numpy version: {remedy}") from error
        raise DependencyMissing(f"{_short(error)}: {REMEDIES['picamera2']}") from error


def models() -> list[tuple[int, str]]:
    """Return picamera2's number and the model of each camera on a ribbon cable, in picamera2's order.

    Raises DependencyMissing, and SourceError if picamera2 cannot list the cameras.
    """
    picamera2, _ = load()
    try:
        cameras = picamera2.global_camera_info()
    except Exception as error:  # boundary: a driver may raise anything
        raise SourceError(f"picamera2 cannot list the cameras: {_short(error)}") from error
    # Skip USB cameras, which picamera2 also finds: Video4Linux reads them.
    return [(n, str(info.get("Model", "camera"))) for n, info in enumerate(cameras) if "/usb" not in info["Id"].lower()]


def sensor_modes(number: int) -> list[tuple[str, tuple[int, int], float]]:
    """Return format, size and highest frame rate of each sensor mode; empty if another program has the camera.

    `number` is picamera2's. Tries each mode, which takes a second. Raises DependencyMissing.
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
    except Exception:  # boundary: a list of cameras is useful without modes
        return []


class PiCamera:
    """A running camera on the ribbon cable. Raises SourceError if it does not start."""

    def __init__(self, name: str, number: int, settings: Settings, stall: float) -> None:
        self._name, self._timeout = name, max(stall, START)
        picamera2, controls = load()
        cameras = models()
        if number >= len(cameras):
            count = f"only {len(cameras)}" if cameras else "none"
            raise SourceError(
                f"{name}: no such camera: picamera2 finds {count}; is the ribbon cable seated at both ends?"
            )
        try:
            self._camera = picamera2(cameras[number][0])
        except Exception as error:  # boundary: a driver may raise anything
            raise SourceError(
                f"{name}: this camera cannot be opened: another program may be using it ({_short(error)})"
            ) from error
        try:
            self._width, self._height = self._start(settings, controls)
        except Exception as error:  # boundary: a driver may raise anything
            self._camera.close()
            raise SourceError(f"{name}: this camera cannot be started: {_short(error)}") from error

    def _start(self, settings: Settings, controls: Any) -> tuple[int, int]:
        """Start the camera, and return the width and height of its pictures."""
        whole = self._camera.sensor_resolution
        # Planes have even sides, and are not upscaled.
        size = tuple(max(2, min(a, b) // 2 * 2) for a, b in zip(settings.size or USUAL, whole, strict=True))
        # The size of the raw picture selects the sensor mode. On many sensors, the mode nearest to a small size is
        # cropped; half the sensor's size gives the full field of view, with 2x2 binning.
        half = tuple(side // 4 * 2 for side in whole)
        mode = half if all(a <= b for a, b in zip(size, half, strict=True)) else whole
        # A preview, not a video: its brightness ranges from 0 to 255, not from 16 to 235, and it spends least on noise
        # reduction. A main picture no smaller than the low-resolution one is mandatory; nothing reads it, so it is as
        # small as possible, in the format that takes least memory. No queue, so that each frame is the newest.
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
        width, height = self._camera.camera_configuration()["lores"]["size"]  # libcamera may have changed the size
        self._camera.set_controls(_controls(settings, self._camera.camera_controls, controls))
        self._camera.start()
        return int(width), int(height)

    def read(self) -> Uint8:
        """Wait for the next frame, uint8 (H, W) gray. Raises SourceError if none comes."""
        arrived = threading.Event()
        # Not every version of picamera2 can wait with a timeout.
        job = self._camera.capture_request(wait=False, signal_function=lambda _: arrived.set())
        if not arrived.wait(self._timeout):
            raise SourceError(
                f"{self._name}: no frame for {self._timeout:g} s; is the ribbon cable seated at both ends?"
            )
        request = self._camera.wait(job)
        try:
            # Rows are padded; the color rows follow the brightness rows. Copy them: the camera overwrites the request's
            # buffer after its release.
            return np.array(request.make_array("lores")[: self._height, : self._width], np.uint8)
        finally:
            request.release()  # otherwise the camera runs out of buffers

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()


def _controls(settings: Settings, limits: Mapping[str, tuple[Any, ...]], controls: Any) -> dict[str, Any]:
    """Return the controls to set, given each control's limits by name: (minimum, maximum, default)."""
    wanted: dict[str, Any] = {}
    if settings.exposure is not None and "ExposureTime" in limits:
        # Microseconds. ExposureTime alone leaves the gain to the camera; AeEnable=False would not.
        wanted["ExposureTime"] = round(_within(settings.exposure, limits["ExposureTime"]))
    if "FrameDurationLimits" in limits:
        shortest, longest = (SHORTEST, LONGEST) if settings.fps is None else 2 * (1e6 / settings.fps,)
        between = shortest, max(longest, wanted.get("ExposureTime", 0))  # a frame lasts at least its exposure
        wanted["FrameDurationLimits"] = tuple(round(_within(side, limits["FrameDurationLimits"])) for side in between)
    if "AfMode" in limits:  # a module that can focus stays blurred otherwise
        if settings.focus is None or settings.focus == "auto":
            wanted["AfMode"] = controls.AfModeEnum.Continuous
        else:
            wanted["AfMode"] = controls.AfModeEnum.Manual
            wanted["LensPosition"] = _within(float(settings.focus), limits["LensPosition"])  # diopters: 0 is infinity
    return wanted


def _within(value: float, limits: tuple[Any, ...]) -> float:
    """Return the allowed value nearest to a value; a maximum of 0 means unknown."""
    least, most = limits[0], limits[1] or float("inf")
    return min(max(value, float(least)), float(most))


def _short(error: Exception) -> str:
    """Return an error as a line of limited length: libcamera's may contain a whole configuration."""
    return textwrap.shorten(str(error) or type(error).__name__, 200, placeholder=" ...")
