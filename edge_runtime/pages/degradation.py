"""Camera degradation of a page: blur, noise and compression."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages.style import PageStyle, Streams
from edge_runtime.records import Uint8


def photographed(page: NDArray[np.float64], style: PageStyle, rng: np.random.Generator, own: Streams) -> Uint8:
    """Return the camera's picture of a page (3, H, W): blurred, with noise, compressed; uint8 (H, W, 3)."""
    picture = cv2.merge(list(page))
    sigma = float(rng.uniform(*style.blur))
    if sigma > 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    noise = rng.standard_normal(picture.shape)
    noise *= style.grain
    noise += picture
    extra = own("noise")
    sigma = float(extra.uniform(*style.noise))
    if sigma:
        noise += np.float32(sigma) * extra.standard_normal(picture.shape, np.float32)
    pixels = np.clip(np.rint(noise, out=noise), 0, 255, out=noise).astype(np.uint8)
    return pixels if style.jpeg is None else _compressed(pixels, style.jpeg, own("jpeg"))


def _compressed(pixels: Uint8, qualities: tuple[int, int], rng: np.random.Generator) -> Uint8:
    quality = int(rng.integers(qualities[0], qualities[1] + 1))
    _, data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
