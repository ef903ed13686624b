"""Draws seeded pages of handwriting, with exact truth, from digits that it is given."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Uint8

# The digits' own ink starts here when their boxes are measured, as `normalize` measures them.
VISIBLE = 96


@dataclass(frozen=True, slots=True)
class PageStyle:
    """How a page looks; ranges are (least, most), drawn uniformly. Lengths are in pixels, colors blue-green-red."""

    size: tuple[int, int] = (640, 480)  # (width, height)
    digit_height: tuple[float, float] = (28.0, 64.0)
    paper: tuple[int, int] = (205, 250)  # brightness
    inks: tuple[tuple[int, int, int], ...] = ((35, 30, 30), (120, 50, 30), (60, 60, 60), (40, 40, 150))
    grain: float = 3.0  # standard deviation of the paper's texture and the sensor's noise
    shade: float = 0.15  # how much darker one side of the page may be
    blur: tuple[float, float] = (0.0, 0.7)  # Gaussian sigma
    light_on_dark: bool = False  # chalk on a blackboard instead of a pen on paper

    def __post_init__(self) -> None:
        if min(self.size) < 1 or self.digit_height[0] <= 0 or not self.inks:
            raise ValueError("a page needs a size, a positive digit height and at least one ink")


@dataclass(frozen=True, slots=True)
class Placed:
    """A digit on a page: its label, the box of its visible ink, and its line, counted from 0 at the top."""

    label: str
    box: Box
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A drawn page: `pixels` uint8 (H, W, 3) blue-green-red, and its digits in reading order."""

    pixels: Uint8
    digits: tuple[Placed, ...]

    @property
    def text(self) -> tuple[str, ...]:
        """The lines of digits, top to bottom."""
        count = max((digit.line for digit in self.digits), default=-1) + 1
        return tuple("".join(d.label for d in self.digits if d.line == line) for line in range(count))


def draw_page(
    images: Uint8, labels: Sequence[int] | Uint8, rng: np.random.Generator, style: PageStyle = PageStyle()
) -> Page:
    """Draw a page with these digits, in this order, left to right and line by line.

    `images` is uint8 (N, 28, 28), ink bright on 0; `labels` holds N numbers. The same generator state gives the same
    page. Raises ValueError where the digits do not fit on the page.
    """
    width, height = style.size
    ink = np.zeros((height, width), np.float32)
    digit_height = float(rng.uniform(*style.digit_height))
    digits: list[Placed] = []
    x, top, line = _margin(rng, digit_height), _margin(rng, digit_height), 0
    for image, label in zip(images, labels, strict=True):
        stamp = _stamp(image, digit_height * float(rng.uniform(0.85, 1.15)))
        if x + stamp.shape[1] >= width - digit_height / 4:
            x, top, line = _margin(rng, digit_height), top + digit_height * 1.6, line + 1
        y = int(top + rng.uniform(-0.12, 0.12) * digit_height)
        if x + stamp.shape[1] > width or y < 0 or y + stamp.shape[0] > height:
            raise ValueError(f"{len(images)} digits {digit_height:.0f} pixels high do not fit on {width}x{height}")
        place = ink[y : y + stamp.shape[0], int(x) : int(x) + stamp.shape[1]]
        np.maximum(place, stamp, out=place)
        digits.append(Placed(str(label), _visible(stamp, int(x), y), line))
        x += stamp.shape[1] + digit_height * float(rng.uniform(0.25, 0.6))
    return Page(_on_paper(ink, rng, style), tuple(digits))


def _margin(rng: np.random.Generator, digit_height: float) -> float:
    return digit_height * float(rng.uniform(0.4, 0.9))


def _stamp(image: Uint8, height: float) -> NDArray[np.float32]:
    """Return a digit's ink, 0-1, cut to its bounding box and enlarged as if its 20x20 were `height` pixels."""
    rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
    cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tight = cv2.copyMakeBorder(cut, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    size = tuple(max(1, round(side * height / 20)) for side in tight.shape[::-1])
    big = np.asarray(cv2.resize(tight.astype(np.float32), size, interpolation=cv2.INTER_CUBIC), np.float32)
    return np.clip(big / 255, 0, 1)


def _visible(stamp: NDArray[np.float32], x: int, y: int) -> Box:
    left, top, width, height = cv2.boundingRect((stamp * 255 >= VISIBLE).astype(np.uint8))
    return Box(x + left, y + top, width, height)


def _on_paper(ink: NDArray[np.float32], rng: np.random.Generator, style: PageStyle) -> Uint8:
    height, width = ink.shape
    fibers = cv2.resize(rng.normal(0, 1, (height // 8 + 2, width // 8 + 2)), (width, height))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    shade = 1 - rng.uniform(0, style.shade) * (0.5 + (x * np.cos(angle) + y * np.sin(angle)) / np.sqrt(2))
    tint = np.array([rng.uniform(0.92, 1.0), rng.uniform(0.97, 1.0), 1.0])
    paper = rng.uniform(*style.paper) * shade[..., None] * tint + style.grain * fibers[..., None]
    color = np.array(style.inks[rng.integers(len(style.inks))])
    page = paper * (1 - ink[..., None]) + color * ink[..., None]
    if style.light_on_dark:
        page = 255 - page
    sigma = float(rng.uniform(*style.blur))
    if sigma > 0.2:
        page = cv2.GaussianBlur(page, (0, 0), sigma)
    page = page + rng.normal(0, style.grain, page.shape)
    return np.asarray(np.clip(np.round(page), 0, 255), np.uint8)
