"""RapidOCR's recognizer of PP-OCRv6, size small, alone: it takes the whole picture for one line."""

from collections.abc import Callable

from benchmarks.peers.readers.loading import load
from benchmarks.peers.readers.rapid import engine
from edge_runtime.records import Uint8


def opened(kind: str) -> tuple[Callable[[str], Uint8], Callable[[Uint8], list[str]]]:
    """Return what loads a picture, and what reads it as one line; one thread."""
    reader = engine()
    return load, lambda pixels: list(reader(pixels, use_det=False).txts or ())
