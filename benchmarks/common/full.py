"""The full Keras network, the reference for every small model; only this module imports TensorFlow."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime import DigitReader
from edge_runtime.system.native_logs import stderr_silenced

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with stderr_silenced():  # TensorFlow logs on import
    import keras
    import tensorflow

    from train.model import load as load

MODEL, FUNCTION, PREDICT = "model(x)", "tf.function", "predict"  # the ways to call a Keras network


def probabilities(network: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return a full network's float64 (N, classes) for `images`, uint8 (N, 28, 28)."""
    if not len(images):
        return np.zeros((0, network.output_shape[1]))
    return np.asarray(network.predict(images, batch_size=1000, verbose=0), np.float64)


def calls(network: keras.Model, images: NDArray[np.uint8]) -> dict[str, Callable[[], NDArray[np.float32]]]:
    """Return the ways to call a full network on `images`, uint8 (N, 28, 28), by name; each returns float32 scores.

    Their inputs are already float32, and their outputs are numpy arrays, as with the small models.
    """
    inputs = images.astype(np.float32)
    traced: Callable[[NDArray[np.float32]], Any] = tensorflow.function(network)
    return {
        MODEL: lambda: np.asarray(network(inputs)),
        FUNCTION: lambda: np.asarray(traced(inputs)),
        PREDICT: lambda: np.asarray(network.predict(inputs, batch_size=len(inputs), verbose=0)),
    }


def use_threads(count: int) -> None:
    """Set TensorFlow's number of threads. Raises RuntimeError if TensorFlow has already computed."""
    tensorflow.config.threading.set_intra_op_parallelism_threads(count)
    tensorflow.config.threading.set_inter_op_parallelism_threads(count)


class FullReader(DigitReader):
    """The reader with the full network instead of the small one; labels and threshold are the small one's."""

    def __init__(self, network: keras.Model, model: Path | None) -> None:
        super().__init__(model)
        self.classifier.confidences = partial(probabilities, network)  # type: ignore[method-assign]
