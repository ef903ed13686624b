"""Picture files -> pixels, for the readers that take pixels."""

import cv2
import numpy as np

from edge_runtime.errors import PictureError
from edge_runtime.records import Uint8


def load(path: str) -> Uint8:
    """Return a picture as it is, uint8 (H, W) or (H, W, 3) blue-green-red. Raises PictureError if it is none."""
    pixels = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise PictureError(f"{path}: not a picture")
    return np.asarray(pixels, np.uint8)
