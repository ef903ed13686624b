"""Annotated pictures in a folder."""

import os
from pathlib import Path

import cv2

from edge_runtime.errors import OutputError
from edge_runtime.records import Frame, Reading
from edge_runtime.sinks.draw import annotate


class PictureFolder:
    """Writes each frame with its reading drawn over it to `folder`, as NAME.png after its source.

    Two sources of the same name get NAME.png and NAME-2.png. Raises OutputError where something cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror or error}") from error

    def write(self, frame: Frame, reading: Reading) -> Path:
        """Write one picture and return where it is."""
        path = self._folder / f"{self._free_name(Path(frame.source).stem or 'picture')}.png"
        _, encoded = cv2.imencode(".png", annotate(frame, reading))
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
