"""The readers that are compared, what each reads, and whether it is installed.

`process.py` starts from this module: it imports the standard library alone, so that no package counts as memory of a
reader that does without it.
"""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PAGE, LINE, DIGIT = "page", "line", "digit"  # what the pictures of a set hold: anything; one line each; one digit each
EVERY = (PAGE, LINE, DIGIT)
EDGE = "edge-digits"
EXTRA = "pip install 'edge-digits[peers]'"
RAPIDOCR_MODELS = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"  # the detector and the recognizer, in its wheel


class Reader(NamedTuple):
    """A reader: its module here, the kinds of pictures that it reads, and what it is installed as.

    `module` has a function `opened(kind)`, which returns two functions: one that loads a picture file, whose time does
    not count, and one that reads what the first returns, as lines of text. `missing` returns what to do where the
    reader is not installed, else None.
    """

    module: str
    kinds: tuple[str, ...]
    packages: tuple[str, ...]  # names of Python distributions
    missing: Callable[[], str | None]
    debian: str | None = None  # the name of a Debian package


def _present() -> None:
    """Return None: everything it needs comes with edge-digits."""


def _rapidocr() -> str | None:
    package = importlib.util.find_spec("rapidocr")
    if package is None or package.origin is None or importlib.util.find_spec("onnxruntime") is None:
        return f"not installed: {EXTRA}"
    models = Path(package.origin).parent / "models"
    lacking = [name for name in RAPIDOCR_MODELS if not (models / name).exists()]  # RapidOCR would download these
    return f"this version of rapidocr has no {lacking[0]}: {EXTRA}" if lacking else None


def _tesseract() -> str | None:
    return None if shutil.which("tesseract") else "not installed: apt install tesseract-ocr"


def _mnist() -> str | None:
    from train import dataset

    try:
        dataset.load("train")
    except dataset.DataError as error:
        return f"no training digits: {error}"
    return None


READERS = {
    EDGE: Reader("edge", EVERY, (), _present),
    "RapidOCR": Reader("rapid", EVERY, ("rapidocr", "onnxruntime"), _rapidocr),
    "RapidOCR, line alone": Reader("rapid_line", (LINE, DIGIT), ("rapidocr", "onnxruntime"), _rapidocr),
    "Tesseract": Reader("tesseract", EVERY, (), _tesseract, "tesseract-ocr"),
    "OpenCV sample": Reader("opencv_sample", EVERY, ("numpy", "opencv-python"), _mnist),
}
