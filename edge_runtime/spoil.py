"""What the camera does to a page: the angle it is seen from, blur, noise and compression."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.page_style import PageStyle, Streams
from edge_runtime.records import Box, Uint8

# A homography from the page's pixels to the picture's, 3x3; None where the page is seen straight.
Pose = NDArray[np.float64] | None
EDGE = 2  # pixels that stay free between digits and the picture's sides


def pose(style: PageStyle, digits: Sequence[Box], rng: np.random.Generator) -> Pose:
    """Return the view of a page: tilted, then seen at an angle, then moved and reduced so far that all digits show."""
    angle = float(rng.uniform(*style.tilt)) * (1 if rng.random() < 0.5 else -1)
    share = float(rng.uniform(*style.perspective)) / 100
    side = int(rng.integers(4))
    if angle == 0 and share == 0:
        return None
    width, height = style.size
    turned = np.vstack([cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1), [0, 0, 1]])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners.copy()
    one, other = side, (side + 1) % 4
    moved[one] += share * (corners[other] - corners[one])
    moved[other] += share * (corners[one] - corners[other])
    return _fitted(cv2.getPerspectiveTransform(corners, moved) @ turned, digits, style.size)


def _fitted(view: NDArray[np.float64], digits: Sequence[Box], size: tuple[int, int]) -> NDArray[np.float64]:
    if not digits:
        return view
    corners = [(x, y) for box in digits for x in (box.x - 1, box.right) for y in (box.y - 1, box.bottom)]
    seen = through(view, np.array(corners, np.float64))
    least, most = seen.min(axis=0), seen.max(axis=0)
    inner = np.array(size) - 1 - 2 * EDGE
    scale = min(1.0, *(inner / (most - least)))
    shown = np.clip((least + most) / 2, EDGE + scale * (most - least) / 2, EDGE + inner - scale * (most - least) / 2)
    shift = shown - scale * (least + most) / 2
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]]) @ view


def through(view: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where points (N, 2), x and y, of the page lie in the picture."""
    return np.asarray(cv2.perspectiveTransform(points[None], view)[0], np.float64)


def seen(plane: NDArray[np.float32], x: int, y: int, view: Pose) -> tuple[NDArray[np.float32], int, int]:
    """Return a piece of a page, float32 (rows, columns) or (rows, columns, 3), as the picture shows it, and where.

    `x` and `y` are its first column and row on the page. Beyond its sides it is 0.
    """
    if view is None:
        return plane, x, y
    height, width = plane.shape[:2]
    corners = np.array([(a, b) for a in (x - 1, x + width) for b in (y - 1, y + height)], np.float64)
    shown = through(view, corners)
    left, top = (int(side) for side in np.floor(shown.min(axis=0)))
    right, bottom = (int(side) for side in np.ceil(shown.max(axis=0)))
    whole = _moved(-left, -top) @ view @ _moved(x, y)
    piece = cv2.warpPerspective(plane, whole, (right - left + 1, bottom - top + 1), flags=cv2.INTER_LINEAR)
    return np.asarray(piece, np.float32), left, top


def _moved(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def places(size: tuple[int, int], view: Pose) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return which column and row of the page each pixel of a picture shows: two float32 that broadcast to (H, W)."""
    x, y = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32), sparse=True)
    if view is None:
        return x, y
    (a, b, c), (d, e, f), (g, h, i) = np.linalg.inv(view).astype(np.float32)
    depth = g * x + h * y + i
    return (a * x + b * y + c) / depth, (d * x + e * y + f) / depth


def photographed(page: NDArray[np.float64], style: PageStyle, rng: np.random.Generator, own: Streams) -> Uint8:
    """Return a page, (3, H, W), as the camera brings it: blurred, with noise, compressed; uint8 (H, W, 3)."""
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
