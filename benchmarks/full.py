"""The full Keras network's answers, with which every small model is compared; TensorFlow is imported here alone."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.native import stderr_silenced

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with stderr_silenced():  # TensorFlow greets on import
    import keras


def probabilities(network: Path, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return float64 (N, classes) for `images`, uint8 (N, 28, 28), by the network in a .keras file."""
    try:
        loaded = keras.models.load_model(network, compile=False)
    except (ValueError, OSError, TypeError, KeyError) as error:
        raise ModelError(f"cannot load {network}: {str(error).splitlines()[0]}") from error
    return np.asarray(loaded.predict(images, batch_size=1000, verbose=0), np.float64)
