"""The digits that show the converter the range of every activation: from the training split only, seeded."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train import dataset

COUNT = 1000
SEED = 20_260_101


class Calibration(NamedTuple):
    """`images`: uint8 (N, 28, 28), in the contract; `indices`: which training digits they are."""

    images: NDArray[np.uint8]
    indices: NDArray[np.int64]

    def record(self) -> dict[str, object]:
        """Return what the card says of them; the indices follow from seed and count, and their hash proves it."""
        digest = hashlib.sha256(self.indices.astype("<i8").tobytes()).hexdigest()
        return {"split": "train", "seed": SEED, "count": len(self.indices), "indices": self.indices.tolist(),
                "indices_sha256": digest}  # fmt: skip


def choose() -> Calibration:
    """Return COUNT digits drawn from the 50,000 to train with."""
    digits = dataset.load("train")
    indices = np.sort(np.random.default_rng(SEED).choice(len(digits.images), COUNT, replace=False))
    return Calibration(digits.images[indices], indices)
