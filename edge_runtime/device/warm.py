"""A reader that has already read: its model is checked, and what is made on first use is made."""

from pathlib import Path
from typing import cast

import cv2

from edge_runtime.device import golden
from edge_runtime.errors import EdgeError, ModelError
from edge_runtime.model_file import DIGITS
from edge_runtime.reader import DigitReader
from edge_runtime.records import Uint8

PAGE = Path(__file__).parents[1] / "samples" / "paper.jpg"  # with enough digits for whole batches


def opened(
    path: Path, *, labels: Path | None = None, threads: int = 1, min_confidence: float | None = None
) -> DigitReader:
    """Return a DigitReader of a model that has a card, its golden vectors replayed, a page read.

    Raises ModelError where it cannot be used here, for whatever reason, and CheckFailed where it answers wrong.
    """
    reader = DigitReader(path, labels=labels, threads=threads, min_confidence=min_confidence)
    try:
        if golden.check(reader.classifier) is None:
            raise ModelError(f"{path} has no card, so that nothing tells whether it is whole; use it with --model")
        if reader.classifier.labels[: len(DIGITS)] != DIGITS and labels is None:
            raise ModelError(f"{path} reads other things than the digits; use it with --model")
        reader.read(cast(Uint8, cv2.imread(str(PAGE))))
    except EdgeError:
        raise
    except (ValueError, RuntimeError) as error:  # of the interpreter
        reason = " ".join(str(error).split())
        raise ModelError(f"{path} fails as it reads: {reason}") from error
    return reader
