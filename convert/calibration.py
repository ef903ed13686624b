"""Calibration pictures for the range of every activation: from the training split only, seeded."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train import crops, dataset

COUNT = 1000
SEED = 20_260_101

Indices = NDArray[np.int64]


class Calibration(NamedTuple):
    """`images`: uint8 (N, 28, 28), in the contract; `indices`: the training digits that come first.

    `cut_out` are the indices of the training crops that follow, for a network trained with crops of `pages` pages.
    """

    images: NDArray[np.uint8]
    indices: Indices
    cut_out: Indices | None = None
    pages: int = 0

    def record(self) -> dict[str, object]:
        """Return the entry for the card; the indices follow from seed and count, and their hash proves it."""
        said = {"split": "train", "seed": SEED, "count": len(self.indices), "indices": self.indices.tolist(),
                "indices_sha256": _hash(self.indices)}  # fmt: skip
        if self.cut_out is not None:
            said["camera"] = {"pages": self.pages, "count": len(self.cut_out), "indices_sha256": _hash(self.cut_out)}
        return said


def choose(pages: int | None = None) -> Calibration:
    """Return COUNT of the 50,000 training digits; then up to COUNT crops that the runtime cuts out of `pages` pages."""
    digits = dataset.load("train")
    rng = np.random.default_rng(SEED)
    indices = np.sort(rng.choice(len(digits.images), COUNT, replace=False))
    if pages is None:
        return Calibration(digits.images[indices], indices)
    camera = crops.load("train", pages).camera
    cut_out = np.sort(rng.choice(len(camera.images), min(COUNT, len(camera.images)), replace=False))
    images = np.concatenate([digits.images[indices], camera.images[cut_out]])
    return Calibration(images, indices, cut_out, pages)


def _hash(indices: Indices) -> str:
    return hashlib.sha256(indices.astype("<i8").tobytes()).hexdigest()
