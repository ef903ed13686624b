"""The mapping from page to picture: tilt, perspective, a sheet that fills a part of the picture, and curl."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages.style import PageStyle
from edge_runtime.records import Box

EDGE = 2  # pixels of margin between digits and the picture's sides
SMOOTHED = 0.75  # below this scale, pieces are smoothed first, or thin strokes would break
SIDE_POINTS = 9  # points per side of a curled piece's outline: enough to find its bounding box


class Pose(NamedTuple):
    """The view of a page: a curl, then a homography into the picture.

    `matrix` is float64 (3, 3), from the page's pixels to the picture's. `curl` is the height in pixels of the page's
    middle column above its sides, along a cosine. `width` is the page's width in pixels.
    """

    matrix: NDArray[np.float64]
    curl: float = 0.0
    width: int = 1

    @property
    def scale(self) -> float:
        """Picture pixels per page pixel near the page's origin."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:2, :2]))))


def pose(style: PageStyle, digits: Sequence[Box], rng: np.random.Generator) -> Pose | None:
    """Return the view of a page: tilt, perspective, and desk, adjusted so that all digits show.

    None where the page is straight and fills the picture.
    """
    angle = float(rng.uniform(*style.tilt)) * (1 if rng.random() < 0.5 else -1)
    share = float(rng.uniform(*style.perspective)) / 100
    side = int(rng.integers(4))
    curl = float(rng.uniform(*style.curl)) / 100 * style.size[1] * (1 if rng.random() < 0.5 else -1)
    if angle == 0 and share == 0 and curl == 0 and not style.desk:
        return None
    width, height = style.size
    turned = np.vstack([cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1), [0, 0, 1]])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners.copy()
    one, other = side, (side + 1) % 4
    moved[one] += share * (corners[other] - corners[one])
    moved[other] += share * (corners[one] - corners[other])
    matrix = cv2.getPerspectiveTransform(corners, moved) @ turned
    if style.desk:
        smaller = float(rng.uniform(*style.sheet))
        shift = (1 - smaller) * np.array(style.size) * rng.uniform(0, 1, 2)
        matrix = np.array([[smaller, 0, shift[0]], [0, smaller, shift[1]], [0, 0, 1]]) @ matrix
    return _fitted(Pose(matrix, curl, width), digits, style.size)


def _fitted(view: Pose, digits: Sequence[Box], size: tuple[int, int]) -> Pose:
    """Shift and shrink a view until all digits show."""
    if not digits:
        return view
    corners = [(x, y) for box in digits for x in (box.x - 1, box.right) for y in (box.y - 1, box.bottom)]
    seen = through(view, np.array(corners, np.float64))
    least, most = seen.min(axis=0), seen.max(axis=0)
    inner = np.array(size) - 1 - 2 * EDGE
    scale = min(1.0, *(inner / (most - least)))
    shown = np.clip((least + most) / 2, EDGE + scale * (most - least) / 2, EDGE + inner - scale * (most - least) / 2)
    shift = shown - scale * (least + most) / 2
    moved = np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]]) @ view.matrix
    return view._replace(matrix=moved)


def through(view: Pose, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map points (N, 2), x and y, from the page to the picture."""
    if view.curl:
        points = points - np.stack([np.zeros(len(points)), rise(view, points[:, 0])], axis=1)
    return np.asarray(cv2.perspectiveTransform(points[None], view.matrix)[0], np.float64)


def rise(view: Pose, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the height in pixels of a curled page above a flat one at these columns."""
    return np.asarray(view.curl * np.cos(np.pi * (x / view.width - 0.5)))


def seen(plane: NDArray[np.float32], x: int, y: int, view: Pose | None) -> tuple[NDArray[np.float32], int, int]:
    """Map a piece of a page, float32 (rows, columns) or (rows, columns, 3), to the picture, and return its place too.

    `x` and `y` are the piece's first column and row on the page. Beyond its sides it is 0.
    """
    if view is None:
        return plane, x, y
    height, width = plane.shape[:2]
    count = SIDE_POINTS if view.curl else 2
    columns, rows = np.linspace(x - 1, x + width, count), np.linspace(y - 1, y + height, count)
    outline = np.array([(a, b) for a in columns for b in (rows[0], rows[-1])], np.float64)
    shown = through(view, outline)
    left, top = (int(side) for side in np.floor(shown.min(axis=0)))
    right, bottom = (int(side) for side in np.ceil(shown.max(axis=0)))
    size = (right - left + 1, bottom - top + 1)
    if view.scale < SMOOTHED:
        border = cv2.BORDER_CONSTANT if plane.ndim == 2 else cv2.BORDER_REPLICATE
        plane = np.asarray(cv2.GaussianBlur(plane, (0, 0), 0.4 / view.scale, borderType=border))
    if view.curl:
        across, down = places(size, view, (left, top))
        piece = cv2.remap(plane, across - np.float32(x), down - np.float32(y), cv2.INTER_LINEAR)
    else:
        whole = _moved(-left, -top) @ view.matrix @ _moved(x, y)
        piece = cv2.warpPerspective(plane, whole, size, flags=cv2.INTER_LINEAR)
    return np.asarray(piece, np.float32), left, top


def _moved(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def places(
    size: tuple[int, int], view: Pose | None, start: tuple[int, int] = (0, 0)
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the page column and row that each pixel of a picture shows: two float32 that broadcast to (H, W).

    `start` is the first column and row of a part of the picture; `size` is then the size of that part.
    """
    x, y = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32), sparse=True)
    x, y = x + np.float32(start[0]), y + np.float32(start[1])
    if view is None:
        return x, y
    (a, b, c), (d, e, f), (g, h, i) = np.linalg.inv(view.matrix).astype(np.float32)
    depth = g * x + h * y + i
    across, down = (a * x + b * y + c) / depth, (d * x + e * y + f) / depth
    if view.curl:
        down = down + rise(view, across).astype(np.float32)
    return across, down
