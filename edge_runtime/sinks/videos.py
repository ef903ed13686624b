"""Writes moving pictures, with the readings drawn over them, to a video file.

The best is H.264 in an MP4 file, which browsers play; Debian's OpenCV writes it, PyPI's does not. Motion JPEG in an AVI
file can always be written, takes 2 ms of a PC's core per frame of 640x480, and stays readable where it is cut off.
Browsers also play VP8 in a WebM file, but it takes 30 to 70 ms. VP9, which MP4 files may hold, takes 110 to 400 ms, too
slow for any camera, and OpenCV has no option for its faster modes.
"""

import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.errors import OptionError, OutputError
from edge_runtime.records import Frame, Uint8
from edge_runtime.sinks.canvas import scaled
from edge_runtime.sinks.sink import Sink
from edge_runtime.system.native_logs import is_text, stderr_silenced
from edge_runtime.trace import Trace

logger = logging.getLogger(__name__)
CODECS = {".mp4": "avc1", ".avi": "MJPG", ".webm": "VP80"}  # by the name's suffix
SUBSTITUTE = ".avi"
LIVE_FPS, FILE_FPS = 10.0, 25.0  # frames per second
LONGEST = 2.0  # seconds, longest time that a picture is shown
LEAST = 16  # pixels of the shorter side
SLACK, ENTRY = 131_072, 64  # bytes that closing a file may take, and bytes per frame in its index


class Video(Sink):
    """Writes the pictures that `drawn` returns for moving frames, uint8 (H, W) or (H, W, 3), to one video at `path`.

    Where this OpenCV cannot write the format of the suffix (.mp4, .avi or .webm), the video becomes an AVI file beside
    it, and never replaces another file; this is logged, and the attribute `path` is its place. Where no frame comes,
    there is no video, and this is logged too.

    Frames of live sources are repeated or left out so that the video, of 10 frames per second, runs in real time;
    pauses of more than 2 s are shortened to 2 s. Frames of video files come once each, 25 per second. The first frame
    sets the size; others are fitted into it.

    The video grows under a temporary name, .NAME.part.mp4, and is moved into place when it is closed. If the program is
    killed, the partial video stays under that name until the next video of its name. Before the disk is full, the video
    is closed and kept. Raises OutputError where it cannot be written, OptionError where the suffix is invalid.
    """

    def __init__(self, path: Path, drawn: Callable[[Frame, Trace], Uint8]) -> None:
        if path.suffix.lower() not in CODECS:
            raise OptionError(f"{path}: the name of a video must end in {', '.join(CODECS)}")
        if not is_text(str(path)):
            raise OutputError(f"{path}: OpenCV cannot open a file of this name; choose another one")
        self._drawn = drawn
        self.path = _writable(path)
        self._part = _part(self.path)
        if self.path.suffix != path.suffix:
            logger.warning(f"{path}: this OpenCV cannot write H.264; the video goes to {self.path}")
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._frames = 0  # written so far
        self._waiting: tuple[Uint8, Frame] | None = None  # to write once its number of repetitions is known
        self._due = 0.5  # frames due by the time that has passed, not written yet

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Draw a frame and add it."""
        if frame.moving:
            self._add(self._drawn(frame, trace), frame)

    def still(self, frame: Frame) -> None:
        """Add the last picture once more."""
        if self._waiting is not None:
            self._add(self._waiting[0], frame)

    def close(self) -> None:
        """Write the last picture, and move the video into place."""
        if self._waiting is None:
            logger.warning(f"{self.path}: no frames of a video, camera or stream, so no video was written")
            return
        self._write(self._waiting[0])
        self._finish()

    def _add(self, picture: Uint8, frame: Frame) -> None:
        """Write the waiting picture as often as it is due, and make `picture` the waiting one."""
        if self._waiting is not None:
            for _ in range(self._times(self._waiting[1], frame)):
                self._write(self._waiting[0])
        self._waiting = picture, frame

    def _times(self, before: Frame, after: Frame) -> int:
        """Return how often to write a frame until the next one."""
        if before.taken is None or after.taken is None or before.source != after.source:
            self._due = 0.5
            return 1
        self._due += min(after.taken - before.taken, LONGEST) * LIVE_FPS
        times = int(self._due)
        self._due -= times
        return times

    def _write(self, picture: Uint8) -> None:
        writer = self._writer or self._begin(picture)
        self._check_space()
        picture = _fitted(picture, self._size)
        with stderr_silenced():
            writer.write(picture)
        self._frames += 1

    def _begin(self, picture: Uint8) -> cv2.VideoWriter:
        live = self._waiting is not None and self._waiting[1].taken is not None
        height, width = picture.shape[:2]
        self._size = max(LEAST, width), max(LEAST, height)
        self._writer = _opened(self._part, LIVE_FPS if live else FILE_FPS, self._size)
        if not self._writer.isOpened():
            with suppress(OSError):
                self._part.unlink()
            raise OutputError(f"cannot write {self.path}: OpenCV cannot write a video of {width}x{height} pixels")
        return self._writer

    def _check_space(self) -> None:
        """Close the video while there still is room for that: OpenCV does not report a failed write."""
        try:
            disk = shutil.disk_usage(self._part.parent)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error
        if disk.total and disk.free < 3 * self._size[0] * self._size[1] + self._frames * ENTRY + SLACK:
            self._finish()
            kept = f"its first {self._frames} frames are kept" if self._frames else "no frame was written"
            raise OutputError(f"cannot write {self.path}: No space left on device; {kept}")

    def _finish(self) -> None:
        """Close the video and move it into place."""
        if self._writer is not None:
            with stderr_silenced():
                self._writer.release()
        try:
            if not self._frames:
                self._part.unlink(missing_ok=True)
            elif _is_whole(self._part, self._frames):
                self._part.replace(self.path)
            else:
                raise OutputError(f"cannot write {self.path}: the disk failed; the part written so far is {self._part}")
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from error


def _part(path: Path) -> Path:
    """Return the path of a video while it grows; FFmpeg takes the format from the suffix."""
    return path.with_name(f".{path.stem}.part{path.suffix}")


def _writable(path: Path) -> Path:
    """Return where a video can be written: this path or, in another format, a free one beside it.

    Raises OutputError where no file, or no video, can be written there.
    """
    if os.path.isdir(path):
        raise OutputError(f"cannot write {path}: it is a folder")
    others = (path.with_name(f"{path.stem}{f'-{n}' * (n > 1)}{SUBSTITUTE}") for n in count(1))
    for candidate in (path, next(other for other in others if not os.path.exists(other))):
        part = _part(candidate)
        try:
            if not os.path.exists(path.parent):
                path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(bytes(SLACK))
            if _is_fit(part):
                return candidate
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
        finally:
            with suppress(OSError):
                part.unlink()
    raise OutputError(f"cannot write {path}: this OpenCV cannot write videos")


def _is_fit(part: Path) -> bool:
    """Return whether OpenCV can write and read a video at this path."""
    writer = _opened(part, LIVE_FPS, (320, 240))
    with stderr_silenced():
        for shade in (0, 255):
            writer.write(np.full((240, 320, 3), shade, np.uint8))
        writer.release()
    return _is_whole(part, 2)


def _opened(path: Path, fps: float, size: tuple[int, int]) -> cv2.VideoWriter:
    codec = cv2.VideoWriter.fourcc(*CODECS[path.suffix.lower()])
    absolute = os.path.abspath(path)  # FFmpeg takes text before a colon as a protocol
    with stderr_silenced():
        return cv2.VideoWriter(absolute, cv2.CAP_FFMPEG, codec, fps, size)


def _is_whole(path: Path, frames: int) -> bool:
    """Return whether a video reports about this many frames, and its end can be read."""
    with stderr_silenced():
        capture = cv2.VideoCapture(os.path.abspath(path), cv2.CAP_FFMPEG)
        try:
            said = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            if not capture.isOpened() or abs(said - frames) > 1 + frames / 100:
                return False
            capture.set(cv2.CAP_PROP_POS_FRAMES, max(0.0, min(said, frames) - 2))
            return capture.grab()
        finally:
            capture.release()


def _fitted(picture: Uint8, size: tuple[int, int]) -> Uint8:
    """Return a picture, uint8 (H, W) or (H, W, 3), centered on a black one of this size, (width, height)."""
    if picture.ndim == 2:
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    scale = min(size[0] / width, size[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    x, y = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    field = np.zeros((size[1], size[0], 3), np.uint8)
    field[y : y + inner[1], x : x + inner[0]] = scaled(picture, inner)
    return field
