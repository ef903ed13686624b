"""Cameras through Video4Linux, by OpenCV."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.errors import SourceError
from edge_runtime.native import stderr_silenced
from edge_runtime.records import Uint8
from edge_runtime.sources.live import Capture
from edge_runtime.sources.options import Options, Settings

FIRST = 3  # frames that may fail at first: some cameras need a moment


def opener(name: str, options: Options) -> Callable[[], Capture]:
    """Return what opens a camera; it raises SourceError."""
    path = Path(name if name.startswith("/dev") else f"/dev/video{name.partition(':')[2] or 0}")
    return lambda: Camera(path, options.settings, options.patience.stall)


class Camera:
    """A camera at a device file."""

    def __init__(self, path: Path, settings: Settings, stall: float) -> None:
        if not os.path.exists(path):
            raise SourceError(f"{path}: there is no such camera; is it plugged in?")
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(max(1, round(stall))))  # read once, in seconds
        with stderr_silenced():
            self._capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
        self._path, self._frames = path, 0
        if not self._capture.isOpened():
            raise SourceError(
                f"{path}: this camera cannot be opened: another program may have it, or it may not be yours to read "
                "(sudo usermod -aG video $USER, then log in again)"
            )
        # What a driver refuses is left as it is; given to the constructor, it would be an error. Motion JPEG gets more
        # frames through USB than raw pictures do; one frame is kept, for the newest is wanted.
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
        """Wait for the next frame; None once the camera is gone. Raises SourceError where it never gave one."""
        for _ in range(1 if self._frames else FIRST):
            there, pixels = self._capture.read()
            if there:
                self._frames += 1
                return np.asarray(pixels, np.uint8)
        if not self._frames:
            raise SourceError(
                f"{self._path}: it opens, but gives no frame. A camera on a Raspberry Pi's ribbon cable cannot be used "
                "this way; one on USB may want another --size"
            )
        return None

    def close(self) -> None:
        """Free the camera."""
        self._capture.release()
