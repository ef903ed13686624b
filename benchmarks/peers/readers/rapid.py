"""RapidOCR: the detector and the recognizer of PP-OCRv6, size small, in ONNX Runtime; its wheel holds both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import rapidocr

from benchmarks.peers.readers.catalog import RAPIDOCR_MODELS
from benchmarks.peers.readers.loading import load
from edge_runtime.records import Box, Uint8
from edge_runtime.vision.lines import group_into_lines

DETECTOR, RECOGNIZER = (Path(rapidocr.__file__).parent / "models" / name for name in RAPIDOCR_MODELS)


def opened(kind: str) -> tuple[Callable[[str], Uint8], Callable[[Uint8], list[str]]]:
    """Return what loads a picture, and what finds its lines and reads them; one thread."""
    return load, page(engine())


def engine() -> Any:
    """Return RapidOCR with its own settings, one thread, and without its classifier of upside-down lines.

    That takes digits for upside down at times.
    """
    cv2.setNumThreads(1)
    threads = {f"EngineConfig.onnxruntime.{which}_op_num_threads": 1 for which in ("intra", "inter")}
    models = {"Det.model_path": str(DETECTOR), "Rec.model_path": str(RECOGNIZER)}
    return rapidocr.RapidOCR(params={"Global.log_level": "error", "Global.use_cls": False, **threads, **models})


def page(reader: Any) -> Callable[[Uint8], list[str]]:
    """Return what reads a page: the pieces of text that RapidOCR finds, joined to lines as edge-digits joins digits."""

    def read(pixels: Uint8) -> list[str]:
        said = reader(pixels)
        if not said.txts:
            return []
        boxes = [Box(*cv2.boundingRect(corners)) for corners in said.boxes]
        return ["".join(said.txts[i] for word in line for i in word) for line in group_into_lines(boxes)]

    return read
