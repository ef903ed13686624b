"""Video files -> all their frames: none is dropped, however long reading takes."""

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.errors import PictureError
from edge_runtime.records import Frame
from edge_runtime.sources.options import Excerpt
from edge_runtime.system.native_logs import is_text, stderr_silenced


def frames(path: Path, excerpt: Excerpt) -> Iterator[Frame]:
    """Yield the frames of a video file, upright, each with its number in the file, from 0.

    Raises PictureError if the file is missing, is no video, or holds no frame. Leaves out what follows damage, as
    players do.
    """
    if not os.path.isfile(path):
        raise PictureError(f"{path}: {'not a file' if os.path.exists(path) else 'no such file'}")
    if not os.access(path, os.R_OK):
        raise PictureError(f"{path}: cannot be read: permission denied")
    absolute = os.path.abspath(path)  # FFmpeg takes text before a colon as a protocol
    if not is_text(absolute):
        raise PictureError(f"{path}: OpenCV cannot open a file of this name; rename it")
    with stderr_silenced():  # FFmpeg prints many messages about a damaged file
        capture = cv2.VideoCapture(absolute, cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise PictureError(f"{path}: not a video that OpenCV can read, or damaged at its beginning")
        yielded = False
        for frame in _frames(capture, str(path), excerpt):
            yielded = True
            yield frame
        if not yielded:
            raise PictureError(f"{path}: no frame of this video, or of the selected part, can be read")
    finally:
        capture.release()


def _frames(capture: cv2.VideoCapture, name: str, excerpt: Excerpt) -> Iterator[Frame]:
    """Yield the requested frames; decode the others no further than necessary."""
    index = 0
    while True:
        with stderr_silenced():
            grabbed = capture.grab()
        if not grabbed:
            return
        seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if excerpt.end is not None and seconds >= excerpt.end:
            return
        if seconds >= excerpt.start and index % excerpt.every == 0:
            with stderr_silenced():
                decoded, pixels = capture.retrieve()
            if decoded:
                yield Frame(np.asarray(pixels, np.uint8), name, index, moving=True)
        index += 1
