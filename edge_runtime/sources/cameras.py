"""Cameras, read through Video4Linux with OpenCV."""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.errors import DependencyMissing, SourceError
from edge_runtime.records import Uint8
from edge_runtime.sources import picamera
from edge_runtime.sources.camera_list import DEV, Ioctl, nodes, on_ribbon
from edge_runtime.sources.live import Capture
from edge_runtime.sources.options import Options, Settings
from edge_runtime.system.dependencies import REMEDIES
from edge_runtime.system.native_logs import stderr_silenced

FIRST = 3  # attempts to read the first frame: some cameras need time to start


def opener(name: str, options: Options, folder: Path = DEV, ioctl: Ioctl = fcntl.ioctl) -> Callable[[], Capture]:
    """Return a function that opens a camera; the function raises SourceError.

    Without a number, the camera is the first on a Raspberry Pi's ribbon cables, else the first of Video4Linux.
    """
    if name.lower() == "camera":
        with suppress(DependencyMissing, SourceError):
            if picamera.models():
                return picamera.opener(name, options)
    return lambda: Camera(_path(name, folder, ioctl), options.settings, options.timeouts.stall, ioctl)


def _path(name: str, folder: Path, ioctl: Ioctl) -> Path:
    if name.startswith("/"):
        return Path(name)
    _, _, number = name.partition(":")
    if number:
        return folder / f"video{number}"
    return next((node.path for node in nodes(folder, ioctl) if node.usable), folder / "video0")


class Camera:
    """A camera at a device file."""

    def __init__(self, path: Path, settings: Settings, stall: float, ioctl: Ioctl = fcntl.ioctl) -> None:
        if not os.path.exists(path):
            raise SourceError(f"{path}: there is no such camera; is it plugged in?")
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(max(1, round(stall))))  # read only once, in s
        with stderr_silenced():
            self._capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
        self._path, self._ioctl, self._frames = path, ioctl, 0
        if not self._capture.isOpened():
            self._refuse_ribbon()
            raise SourceError(
                f"{path}: this camera cannot be opened: another program may be using it, or you may lack permission "
                "(sudo usermod -aG video $USER, then log in again)"
            )
        # A setting that the driver refuses stays unchanged; in the constructor, it would be an error. Motion JPEG gets
        # more frames through USB than raw pictures. The buffer keeps one frame, so that reads return the newest.
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        if settings.size is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.size[1])
        if settings.fps is not None:
            self._capture.set(cv2.CAP_PROP_FPS, settings.fps)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if settings.focus is not None:
            self._capture.set(cv2.CAP_PROP_AUTOFOCUS, float(settings.focus == "auto"))
            if settings.focus != "auto":
                self._capture.set(cv2.CAP_PROP_FOCUS, float(settings.focus))
        if settings.exposure is not None:
            self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, 1)  # V4L2_EXPOSURE_MANUAL
            self._capture.set(cv2.CAP_PROP_EXPOSURE, settings.exposure)

    def read(self) -> Uint8 | None:
        """Wait for the next frame; return None once the camera is gone. Raises SourceError if it never gave a frame."""
        for _ in range(1 if self._frames else FIRST):
            there, pixels = self._capture.read()
            if there:
                self._frames += 1
                return np.asarray(pixels, np.uint8)
            if not self._frames:
                self._refuse_ribbon()
        if not self._frames:
            raise SourceError(f"{self._path}: it opens, but sends no frame; try another --size")
        return None

    def _refuse_ribbon(self) -> None:
        """Raise SourceError if the device belongs to a ribbon-cable camera: only libcamera gets pictures from it."""
        if on_ribbon(self._path, self._ioctl):
            raise SourceError(
                f"{self._path}: a camera on a Raspberry Pi's ribbon cable sends no frame this way: use the source "
                f"picamera, which needs picamera2 ({REMEDIES['picamera2']})"
            )

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()
