"""Drawn pictures in a folder, named after what they show."""

import os
from pathlib import Path

import cv2

from edge_runtime.errors import OutputError
from edge_runtime.records import Frame, Uint8


class PictureFolder:
    """Writes what was drawn of each frame to `folder`, as NAME.png after the frame's source.

    Two sources of the same name get NAME.png and NAME-2.png. Raises OutputError where something cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror or error}") from error

    def write(self, frame: Frame, picture: Uint8) -> Path:
        """Write a picture of this frame, uint8 (H, W) or (H, W, 3) blue-green-red, and return where it is."""
        path = self._folder / f"{self._free_name(Path(frame.source).stem or 'picture')}.png"
        _, encoded = cv2.imencode(".png", picture)
        temporary = path.with_name(f".{os.getpid()}-{path.name}")
        try:
            temporary.write_bytes(encoded.tobytes())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
        return path

    def _free_name(self, stem: str) -> str:
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name)
        return name
