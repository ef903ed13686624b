"""The full Keras network's answers, with which every small model is compared; TensorFlow is imported here alone."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime import DigitReader
from edge_runtime.errors import ModelError
from edge_runtime.native import stderr_silenced

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with stderr_silenced():  # TensorFlow greets on import
    import keras


def load(network: Path) -> keras.Model:
    """Load the network in a .keras file. Raises ModelError where that cannot be done."""
    try:
        return keras.models.load_model(network, compile=False)
    except (ValueError, OSError, TypeError, KeyError) as error:
        raise ModelError(f"cannot load {network}: {str(error).splitlines()[0]}") from error


def probabilities(network: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return float64 (N, classes) for `images`, uint8 (N, 28, 28), by a full network."""
    if not len(images):
        return np.zeros((0, network.output_shape[1]))
    return np.asarray(network.predict(images, batch_size=1000, verbose=0), np.float64)


class FullReader(DigitReader):
    """The reader with the full network in place of the small one, of which it takes labels and threshold."""

    def __init__(self, network: keras.Model, model: Path | None) -> None:
        super().__init__(model)
        self._network = network

    def _confidences(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        return probabilities(self._network, images)[:, : self.classifier.digits]
