"""Writes drawn pictures to a folder, named after their sources."""

import re
from collections import deque
from collections.abc import Callable
from pathlib import Path

import cv2

from edge_runtime.errors import OutputError
from edge_runtime.records import Frame, Uint8
from edge_runtime.sinks.sink import Sink
from edge_runtime.system.atomic_files import write_bytes
from edge_runtime.trace import Trace

LONGEST = 100  # characters of a name


class PictureFolder:
    """Writes the drawn picture of each frame to `folder`, as NAME.png after the frame's source.

    Two sources of the same name get NAME.png and NAME-2.png. For a moving picture, NAME-000123.png shows frame 123, and
    the last `keep` pictures of each source are kept. Raises OutputError where something cannot be written.
    """

    def __init__(self, folder: Path, keep: int = 500) -> None:
        self._folder = folder
        self._taken: set[str] = set()
        self._moving: dict[str, tuple[str, deque[Path]]] = {}  # by source: its name here, and the files kept
        self._keep = keep
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror or error}") from error

    def write(self, frame: Frame, picture: Uint8) -> Path:
        """Write a picture of this frame, uint8 (H, W) or (H, W, 3) blue-green-red, and return its path."""
        kept: deque[Path] = deque()
        if frame.moving:
            if frame.source not in self._moving:
                self._moving[frame.source] = self._free_name(_stem(frame.source)), kept
            name, kept = self._moving[frame.source]
            name += f"-{frame.index:06}"
        else:
            name = self._free_name(_stem(frame.source))
        path = self._folder / f"{name}.png"
        _, encoded = cv2.imencode(".png", picture)
        if not self._folder.is_dir():  # as after a USB stick was removed; it must not be made elsewhere
            raise OutputError(f"cannot write {path}: the folder is gone")
        try:
            write_bytes(path, encoded.tobytes())
            kept.append(path)
            if len(kept) > self._keep:
                kept.popleft().unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
        return path

    def _free_name(self, stem: str) -> str:
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name)
        return name


def _stem(source: str) -> str:
    """Return a valid file name, without suffix, for a source."""
    return re.sub(r"[/:?&=\\]+", "-", Path(source).stem)[:LONGEST] or "picture"


class Pictures(Sink):
    """Writes the picture that `drawn` returns for each frame to a folder."""

    def __init__(self, folder: Path, drawn: Callable[[Frame, Trace], Uint8], keep: int) -> None:
        self._folder, self._drawn = PictureFolder(folder, keep), drawn

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Draw a frame and write it."""
        self._folder.write(frame, self._drawn(frame, trace))
