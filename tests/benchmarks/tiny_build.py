"""A build as `make tflite` leaves one, of a network that is small and knows nothing."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from convert.fold import fold
from convert.quantize import quantize
from convert.recipes import CONVERSIONS, Conversion


def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(24, activation="relu"),
            layers.Dense(16, activation="relu"), layers.Dense(10), layers.Softmax(),
        ]
    )  # fmt: skip


def write(folder: Path, calibration: NDArray[np.uint8]) -> Path:
    """Write digits.keras and the four model files, without cards, into a new folder; return that."""
    folder.mkdir()
    made = network()
    made.save(folder / "digits.keras")
    for conversion in CONVERSIONS.values():
        write_converted(folder / conversion.file_name, made, conversion, calibration)
    return folder


def write_converted(path: Path, made: keras.Model, conversion: Conversion, calibration: NDArray[np.uint8]) -> None:
    path.write_bytes(quantize(fold(made), conversion, calibration))
