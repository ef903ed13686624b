"""Check a reader's model, and create in advance what first use creates."""

from pathlib import Path
from typing import cast

import cv2

from edge_runtime.errors import EdgeError, ModelError
from edge_runtime.inference import golden
from edge_runtime.inference.model_file import DIGITS
from edge_runtime.reader import DigitReader
from edge_runtime.records import Uint8

PAGE = Path(__file__).parents[1] / "samples" / "paper.jpg"  # with enough digits for whole batches


def up(reader: DigitReader) -> None:
    """Replay the golden vectors of a reader's model, and read a page.

    Raises ModelError if the model cannot be used here, for any reason, and CheckFailed if it answers wrong.
    """
    model = reader.classifier.model
    try:
        if golden.check(reader.classifier) is None:
            raise ModelError(f"{model.path} has no card, so it cannot be verified; use it with --model")
        if model.labels[: len(DIGITS)] != DIGITS:
            raise ModelError(f"{model.path} has other labels than the digits; use it with --model")
        reader.read(cast(Uint8, cv2.imread(str(PAGE))))
    except EdgeError:
        raise
    except (ValueError, RuntimeError) as error:  # from the interpreter
        reason = " ".join(str(error).split())
        raise ModelError(f"{model.path} fails to read: {reason}") from error
