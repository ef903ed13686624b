"""Benchmark inputs: generated pages with ten of the digits that ship with the package, and a single digit."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Uint8

SAMPLES = Path(__file__).parents[1] / "samples"
DIGIT = SAMPLES / "digit.png"
SIZES = {"320x240": (320, 240), "640x480": (640, 480), "1280x720": (1280, 720)}
PHOTO, PHOTO_SIZE = "12 megapixels", (4000, 3000)
PAGES = 5  # of each size
DIGITS = 10  # on a page
SEED = 20_261_124


@cache
def samples() -> tuple[Uint8, Uint8]:
    """Return the digits that ship with the package: uint8 (200, 28, 28), ink bright on 0, and their labels (200,)."""
    with np.load(SAMPLES / "digits.npz") as arrays:
        return arrays["images"], arrays["labels"]


def page(size: tuple[int, int], seed: int) -> Uint8:
    """Return a generated page with ten digits: uint8 (H, W, 3) blue-green-red, `size` (width, height) in pixels."""
    rng = np.random.default_rng([SEED, seed])
    images, labels = samples()
    chosen = rng.choice(len(images), DIGITS, replace=False)
    scale = min(size) / 480
    style = PageStyle(size=size, digit_height=(28 * scale, 64 * scale))
    return draw_page(images[chosen], labels[chosen], rng, style).pixels


def photo(seed: int) -> Uint8:
    """Return a page as a 12-megapixel photo, uint8 (3000, 4000, 3) blue-green-red: drawn at a quarter and enlarged."""
    drawn = page((PHOTO_SIZE[0] // 4, PHOTO_SIZE[1] // 4), seed)
    return np.asarray(cv2.resize(drawn, PHOTO_SIZE, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def every() -> dict[str, list[Uint8]]:
    """Return PAGES pages of each of SIZES, and a photo, by name: 40 MB in total."""
    pages = {name: [page(size, seed) for seed in range(PAGES)] for name, size in SIZES.items()}
    return {**pages, PHOTO: [photo(0)]}
