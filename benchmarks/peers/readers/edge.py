"""edge-digits with the model that ships and its default options, for pages and for lines."""

from collections.abc import Callable

import cv2

from benchmarks.peers.readers.loading import load
from edge_runtime import DigitReader
from edge_runtime.records import Uint8


def opened(kind: str) -> tuple[Callable[[str], Uint8], Callable[[Uint8], list[str]]]:
    """Return what loads a picture, and what reads it; one thread. `kind` is ignored."""
    cv2.setNumThreads(1)
    reader = DigitReader()
    return load, lambda pixels: list(reader.read(pixels).text)
