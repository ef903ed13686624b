"""The digit classifier: `scores` returns the graph's output, `confidences` returns probabilities."""

import threading
from pathlib import Path

import numpy as np

from edge_runtime.errors import OptionError
from edge_runtime.inference import model_file
from edge_runtime.inference.contract import SIDE
from edge_runtime.inference.interpreter import Float64, Graph, Scores
from edge_runtime.inference.model_file import ModelFile
from edge_runtime.records import Uint8
from edge_runtime.system.closing import Closing

# Created once: every call compares with them, and creating them costs as much as the rest of the check.
UINT8 = np.dtype(np.uint8)
PICTURE = (SIDE, SIDE)


class Classifier(Closing):
    """A LiteRT interpreter around a model file.

        with Classifier() as classifier:                       # the shipped model
            confidences = classifier.confidences(images)       # uint8 (N, 28, 28) -> float64 (N, 11)

    The first `digits` columns belong to the labels that can be read; the eleventh column of the shipped model is the
    probability that the image is not a digit.

    `model` is a path; `labels` is the path of a text file with one label per line, for a custom model. Calls may come
    from several threads; they take turns. `close` may be called more than once. Raises ModelError where the model
    cannot be used, OptionError where `threads` or `labels` are invalid.
    """

    def __init__(self, model: str | Path | None = None, *, labels: str | Path | None = None, threads: int = 1) -> None:
        if threads < 1:
            raise OptionError(f"threads must be at least 1, not {threads}")
        self.model = model_file.read(Path(model) if model is not None else model_file.SHIPPED)
        self._lock = threading.Lock()
        self._graph = Graph(self.model, threads)
        self.labels = _labels(self.model, self._graph.classes, labels)
        self.digits = len(self.labels) - (self.labels[-1] == model_file.NOT_A_DIGIT)

    def scores(self, images: Uint8) -> Scores:
        """Return the graph's output, (N, classes) in its own dtype, for `images`, uint8 (N, 28, 28).

        Ink is bright, up to 255, on a background of 0. Raises ValueError for another shape or dtype, or once closed.
        """
        if images.dtype != UINT8 or images.shape[1:] != PICTURE:
            raise ValueError(f"images must be uint8 (N, {SIDE}, {SIDE}), not {images.dtype} {images.shape}")
        with self._lock:
            return self._graph.run(images)

    def confidences(self, images: Uint8) -> Float64:
        """Return probabilities, float64 (N, classes), each row summing to 1, for `images` as in `scores`."""
        return self._graph.probabilities(self.scores(images))

    def close(self) -> None:
        """Free the interpreters."""
        with self._lock:
            self._graph.close()


def _labels(model: ModelFile, classes: int, path: str | Path | None) -> tuple[str, ...]:
    labels = model.labels
    if path is not None:
        try:
            labels = tuple(Path(path).read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(f"cannot read the labels {path}: {error}") from error
    if len(labels) == len(model_file.DIGITS) == classes - 1:
        labels = (*labels, model_file.NOT_A_DIGIT)  # ten digits of any names, and an output for non-digits
    if len(labels) != classes:
        raise OptionError(
            f"{model.path} has {classes} classes, but there are {len(labels)} labels: "
            "give a text file with one label per line (--labels)"
        )
    return labels
