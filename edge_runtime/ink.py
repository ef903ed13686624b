"""Frame -> ink plane: how much darker (or, on a dark ground, lighter) each pixel is than the paper around it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Uint8

# Paper and polarity are judged on a picture halved until its short side is below this: noise has averaged out there.
PAPER_SIDE = 160
# Paper is what remains after a closing of this part of that side: wider than the stroke of the largest digits.
PAPER_WINDOW = 0.25
VECTOR = 32  # columns that OpenCV works on at once; those that are left over take many times as long
# Bytes by which planes are shifted against one another: into such that begin alike, cv2.split writes past the caches
# (OpenCV's STORE_ALIGNED_NOCACHE), and whatever reads them next waits for memory, three times as long as it works.
LINE, SHIFT = 64, 8
# Polarity is judged on one halved further, in regions of this part of its short side.
SKEW_SIDE = 80
REGION = 0.4
# Marks are plainly light where the mean skew is this part of the strongest; where it is less, they are dark if what a
# median of so many pixels takes away is mostly dark, which is so beside a shadow but not beside a board: its cubes add
# up to this part of their amounts.
PLAIN = 0.15
MEDIAN = 15
MOSTLY = 0.35
# A region goes against the polarity of the whole only if its skew is this part of the strongest, and so many levels.
NOTABLE = 0.6
LEAST_SKEW = 12.0
# It must be darker than this part of what surrounds it, as a board is beside a wall.
DARK = 0.6
# Smaller dark things than this part of the picture are none.
LEAST_BOARD = 0.05

# Paper darker than this part of the brightest is taken for as bright: in deeper shadow, noise would count as ink.
SHADE = 0.35
# Where paper falls to this part within a few pixels of the reduced picture lies the edge of the paper or of a thing on
# it: what seems to be ink there is its outline. Shadows are not as deep.
CLIFF = 0.4
EDGE = np.ones((5, 5), np.uint8)


def ink_plane(pixels: Uint8) -> Uint8:
    """Return the ink of a picture.

    `pixels` is uint8 (H, W) gray or (H, W, 3) blue-green-red. The result is uint8 (H, W): 0 where the paper is bare,
    up to 255 where the ink is as dark as can be. Light marks on a dark ground come out the same way, also where only a
    part of the picture is dark. Of a color picture the channel counts in which a pixel is darkest (lightest on a dark
    ground), so that a red pen is as much ink as a black one.
    """
    planes = _planes(pixels.shape[:2])
    if pixels.ndim == 3:
        cv2.split(pixels, planes)
    few = _sampled(pixels)
    skew = _skew(few)
    light = _is_light(few, skew)
    lowest, highest, _, _ = cv2.minMaxLoc(skew)
    plane = _inked(pixels, light, planes)
    small = _reduced(plane, PAPER_SIDE)
    board = _board(small, _skew(small)) if (-lowest if light else highest) > LEAST_SKEW else None
    if board is not None:
        small = small ^ board
        plane = plane ^ _nearest(board, plane.shape)
    small = _paper(small)
    lowest, highest, _, _ = cv2.minMaxLoc(small)
    paper = cv2.resize(small, plane.shape[::-1], planes[1], interpolation=cv2.INTER_LINEAR)
    darker = cv2.subtract(paper, plane, planes[2])
    least = int(SHADE * highest)
    if lowest < least:
        paper = cv2.max(paper, np.array([float(least)]), paper)
    # Where the paper is as black as can be, nothing is darker, and OpenCV answers 0 for the 0 / 0.
    ink: Uint8 = np.asarray(cv2.divide(darker, paper, darker, 255), dtype=np.uint8)
    if lowest < CLIFF * highest:
        cliff = cv2.erode(small, EDGE) < CLIFF * cv2.dilate(small, EDGE)
        ink[_nearest(cliff * np.uint8(255), ink.shape) > 0] = 0
    return ink


def _planes(shape: tuple[int, ...]) -> list[Uint8]:
    """Return three planes of this shape (rows, columns) in one block: memory that is new costs more than its use."""
    size = shape[0] * shape[1]
    stride = -(-size // LINE) * LINE + SHIFT
    block = np.empty((3, stride), np.uint8)
    return [plane[:size].reshape(shape) for plane in block]


def _inked(pixels: Uint8, light: bool, planes: list[Uint8]) -> Uint8:
    """Return a picture as marks that are dark, uint8 (H, W).

    `planes`, each uint8 (H, W), are those of a color picture; they are overwritten.
    """
    plane = pixels
    if pixels.ndim == 3:
        most = cv2.max if light else cv2.min
        plane = np.asarray(most(most(planes[0], planes[1], planes[0]), planes[2], planes[0]), dtype=np.uint8)
    return np.asarray(cv2.bitwise_not(plane, planes[0]), dtype=np.uint8) if light else plane


def _sampled(pixels: Uint8) -> Uint8:
    """Return a picture in gray, as few of its pixels as tell its polarity."""
    step = max(1, min(pixels.shape[:2]) // SKEW_SIDE)
    few = pixels[::step] if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels[::step], cv2.COLOR_BGR2GRAY))
    few = few[:, ::step]
    height, width = (side - side % 2 for side in few.shape) if min(few.shape) > 1 else few.shape
    return np.ascontiguousarray(few[:height, :width], dtype=np.uint8)  # an odd side is not halved as fast


def _reduced(plane: Uint8, side: int) -> Uint8:
    """Halve a picture until its short side is below `side`."""
    while min(plane.shape) >= side:
        size = plane.shape[1] // 2, plane.shape[0] // 2
        plane = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return plane


def _skew(small: Uint8) -> NDArray[np.float32]:
    """Return the cube root of the third central moment around each place of a reduced picture, in gray levels.

    Marks are the minority around any place: where it is negative they are dark, where it is positive they are light.
    """
    small = _reduced(small, SKEW_SIDE)
    side = _odd(min(small.shape) * REGION)
    centered = small.astype(np.float32) - cv2.mean(small)[0]
    squared = cv2.multiply(centered, centered)
    mean, square, cube = (cv2.blur(a, (side, side)) for a in (centered, squared, cv2.multiply(squared, centered)))
    return np.asarray(np.cbrt(cube - mean * (3 * square - 2 * mean * mean)), dtype=np.float32)


def _is_light(few: Uint8, skew: NDArray[np.float32]) -> bool:
    """Tell whether the marks of a reduced picture are lighter than what they are on, given its skew."""
    mean = cv2.mean(skew)[0]
    if mean <= 0 or mean > PLAIN * cv2.norm(skew, cv2.NORM_INF):
        return bool(mean > 0)
    # The edge of a shadow is light on one side and dark on the other; a median keeps it and takes what is slender.
    marks = few - cv2.medianBlur(few, MEDIAN).astype(np.float32)
    cubes = marks * marks * marks
    return bool(cv2.sumElems(cubes)[0] > -MOSTLY * cv2.norm(cubes, cv2.NORM_L1))


def _board(small: Uint8, skew: NDArray[np.float32]) -> Uint8 | None:
    """Return a mask, uint8 of 0 and 255 like `small`, of what bears light marks in a reduced picture of dark ones.

    None where there is nothing of that kind.
    """
    if float(skew.max()) <= max(LEAST_SKEW, -NOTABLE * float(skew.min())):
        return None
    mask = _nearest((skew > NOTABLE * float(skew.max())) * np.uint8(255), small.shape)
    inside, outside = cv2.mean(small, mask)[0], cv2.mean(small, cv2.bitwise_not(mask))[0]
    if inside >= DARK * outside:
        return None
    # A board reaches as far as the picture is dark there, its marks included.
    dark = (small < (inside + outside) / 2) * np.uint8(255)
    outlines, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boards = np.zeros_like(small)
    for outline in outlines:
        if cv2.contourArea(outline) > LEAST_BOARD * small.size:
            board = np.asarray(cv2.drawContours(np.zeros_like(small), [outline], -1, 255, cv2.FILLED), dtype=np.uint8)
            if _bears_light_marks(small, board):
                boards |= board
    return boards if cv2.countNonZero(boards) else None


def _bears_light_marks(small: Uint8, board: Uint8) -> bool:
    """Tell a board from a shadow, whose edge is as light: away from its edge, few pixels are far lighter than most."""
    inner = cv2.erode(board, np.ones((9, 9), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=255)
    levels = small[inner > 0].astype(np.float64)
    deviation = levels.std() if levels.size else 0.0
    return bool(deviation > LEAST_SKEW / 3 and ((levels - levels.mean()) ** 3).mean() > deviation**3)


def _nearest(mask: Uint8, shape: tuple[int, ...]) -> Uint8:
    return np.asarray(cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def _paper(small: Uint8) -> Uint8:
    """Estimate what a reduced picture of dark marks, uint8 (H, W), would be without them.

    A closing fills the strokes and keeps the edges of shadows where they are; with the border repeated outward it also
    keeps corners that are darker.
    """
    side = _odd(min(small.shape) * PAPER_WINDOW)
    reach = side // 2
    height, width = small.shape
    right = reach + -(width + 2 * reach) % VECTOR
    padded = cv2.copyMakeBorder(small, reach, reach, reach, right, cv2.BORDER_REPLICATE)
    paper = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return np.asarray(paper[reach : reach + height, reach : reach + width], dtype=np.uint8)


def _odd(length: float) -> int:
    return 2 * int(length / 2) + 3
