"""Ink planes -> regions: connected components at rising thresholds, as a tree, each with its own ink.

A digit on a ruled line, in a box or in a shadow forms one component with it at a low threshold, and one of its own at a
higher one. If the rule is as dark as the digit, the rule is removed: see `rules`. The classifier decides which regions
are digits: see `page_model.standing`.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Uint8
from edge_runtime.vision.boxes import lies_in, touching
from edge_runtime.vision.glyphs import SLENDER
from edge_runtime.vision.planes import SAMPLE, SHORTEST_SIDE, STROKE_WINDOW, VGA, Plane
from edge_runtime.vision.rules import without_rules

# The lowest threshold on ink, of 255. 18 triples the errors on dark desks, 36 doubles false digits; the steps between
# thresholds hardly matter.
FAINTEST, STEP = 26, 2.2
THRESHOLDS = FAINTEST, round(STEP * FAINTEST), round(STEP * STEP * FAINTEST)
# A component whose box covers this part of its parent's is the same thing, at a higher threshold.
SHRUNK = 0.75
# Sizes of regions for the classifier, in pixels of their plane: the long side is at least SMALLEST at the finest level
# and SMALL at all others; the height is at most LARGE, except at the coarsest level. Strokes of larger digits would be
# wider than the planes' window.
SMALLEST, SMALL, LARGE = 8, STROKE_WINDOW, 2 * SHORTEST_SIDE
# A component wider than so many times its height is a line or a word, no row of digits that touch.
WORD = 6.0
# A plane with more edges than this part of its pixels, at a threshold, is a texture there: grass, gravel, noise.
TEXTURE = 0.12
# The limit on regions in a frame of VGA size (see `work_budget`). The largest are kept, but regions that the picture's
# edge cuts off only after all others: around a sheet, these are often stripes, keys and cables. Where they counted half
# as large, 11.4 % of the characters on 91 photographs were wrong instead of 11.1. If simply the 220 largest are kept, a
# page on stripes gives no digits.
MOST_REGIONS = 330
NO_BOXES = np.zeros((0, 4), np.int64)
# Pixels: rules are thinner, since anything larger may be a digit; remains of a crossing are less than twice that.
RULE = SMALLEST - 1
RIM = np.ones((3, 3), np.uint8)  # a region's ink includes a pixel around its component, the rest of its soft edge


class Region(NamedTuple):
    """A component. `box` and `place`, which is the box with a rim, are in pixels of its plane, number `plane`.

    `ink` is uint8 (rows, columns), bright on 0: its own ink in `place`; None if its size or shape is no digit's, or if
    it is beyond the limit MOST_REGIONS. `parent` is the index of the region that it is a part of, or -1; parents come
    first. `attached` marks a part, at any depth, of a region whose size or shape is no digit's.

    A `freed` region was cut out of such a region at its rules, and is part of no tree; it is attached if it is slender,
    as a piece of a rule is.
    """

    box: Box
    place: Box
    ink: Uint8 | None
    plane: int
    parent: int
    attached: bool
    freed: bool = False


def work_budget(pixels: int) -> float:
    """Return the limit on work for a picture of so many `pixels`, relative to a VGA frame: the ratio of sides."""
    return float(max(1.0, pixels / VGA) ** (1 / 2))


def find_regions(planes: Sequence[Plane]) -> list[Region]:
    """Return the regions of all planes: trees, plane by plane, parents before parts; then the freed ones."""
    regions: list[Region] = []
    freed: list[Region] = []
    most = int(MOST_REGIONS * work_budget(planes[0].ink.size))
    for number, plane in enumerate(planes):
        smallest = SMALLEST if plane.level == 0 else SMALL
        largest = LARGE if plane.level < planes[-1].level else max(plane.ink.shape)
        outer, numbers = NO_BOXES, NO_BOXES[:, 0]  # boxes at the threshold below, and their regions
        darkest = cv2.norm(plane.ink, cv2.NORM_INF)
        for threshold in THRESHOLDS:
            if darkest < threshold:
                break
            binary = np.asarray(cv2.threshold(plane.ink, threshold - 1, 255, cv2.THRESH_BINARY)[1], np.uint8)
            if _is_texture(binary):
                continue  # the next threshold is compared with the one before
            components = _Components(binary, smallest, most)
            parents, same = _nested(components.boxes, outer, numbers)
            # A component that is the same thing as its parent adds no region, and passes on the parent's number.
            numbers = parents.copy()
            for i in np.flatnonzero(~same).tolist():
                numbers[i] = len(regions)
                box = Box(*components.boxes[i].tolist())
                place = box.rimmed(plane.ink.shape[::-1])
                ink = components.ink(i, plane.ink, place) if _may_be_digit(box, largest) else None
                parent = int(parents[i])
                attached = parent >= 0 and (regions[parent].attached or regions[parent].ink is None)
                regions.append(Region(box, place, ink, number, parent, attached))
            outer = components.boxes
            if plane.level < planes[-1].level:
                freed += _freed(components, number, plane, most)
    return _affordable(regions, planes, most) + _affordable(freed, planes, most // 2)


def _freed(components: "_Components", number: int, plane: Plane, most: int) -> list[Region]:
    """Return the components left after rules are removed from those larger than any digit on their plane."""
    regions = []
    for i in components.larger_than(LARGE):
        outer = Box(*components.boxes[i].tolist())
        free = without_rules(components.mask(i, outer), LARGE, RULE)
        if free is None:
            continue
        ink = plane.ink[outer.slices]
        left = _Components(free, 2 * RULE, most)
        for k, (x, y, width, height) in enumerate(left.boxes.tolist()):
            box = Box(x, y, width, height)
            if _may_be_digit(box, LARGE):
                place, slender = box.rimmed(ink.shape[::-1]), width < SLENDER * height
                own = left.ink(k, ink, place)
                box, place = box.moved(outer.x, outer.y), place.moved(outer.x, outer.y)
                regions.append(Region(box, place, own, number, -1, slender, freed=True))
    return regions


def _may_be_digit(box: Box, largest: int) -> bool:
    return box.width <= WORD * box.height and box.height <= largest


class _Components:
    """The components of a binary plane: int (N, 4) `boxes` of those whose long side is at least `smallest`.

    If there are more than `most`, it keeps the first `most` in the order of `_by_size`.
    """

    def __init__(self, binary: Uint8, smallest: int, most: int) -> None:
        self._outlines, hierarchy = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        self._parents: list[int] = hierarchy[0, :, 3].tolist() if hierarchy is not None else []
        outer = [i for i, parent in enumerate(self._parents) if parent < 0]
        boxes = np.array([cv2.boundingRect(self._outlines[i]) for i in outer], np.int64).reshape(-1, 4)
        long = boxes[:, 2:].max(axis=1, initial=0)
        kept = np.flatnonzero(long >= smallest)
        if len(kept) > most:
            kept = kept[_by_size(boxes[kept], binary.shape)[:most]]
        self.boxes, self._outer = boxes[kept], np.array(outer, np.int64)[kept]
        self._holes: dict[int, list[int]] | None = None
        self._crowded: NDArray[np.bool_] | None = None

    def larger_than(self, longest: int) -> list[int]:
        """Return the components whose long side exceeds `longest`."""
        return np.flatnonzero(self.boxes[:, 2:].max(axis=1, initial=0) > longest).tolist()

    def mask(self, i: int, place: Box) -> Uint8:
        """Return component `i` in `place`, uint8 (rows, columns), 255 on 0."""
        if self._holes is None:
            self._holes = defaultdict(list)
            for hole, parent in enumerate(self._parents):
                self._holes[parent].append(hole)
        outer = int(self._outer[i])
        mask = np.zeros((place.height, place.width), np.uint8)
        outlines = [self._outlines[k] for k in (outer, *self._holes.get(outer, ()))]
        cv2.fillPoly(mask, outlines, 255, offset=(-place.x, -place.y))
        return mask

    def ink(self, i: int, plane: Uint8, place: Box) -> Uint8:
        """Return the ink of component `i` in `place`, with the ink of other components set to 0."""
        ink = plane[place.slices]
        if self._crowded is None:
            self._crowded = touching(self.boxes)
        if not self._crowded[i]:
            return ink
        return np.asarray(cv2.bitwise_and(ink, cv2.dilate(self.mask(i, place), RIM)), np.uint8)


def _is_texture(binary: Uint8) -> bool:
    rows = binary[:: SAMPLE - 1]  # an odd step, since rows at an even one may all lie on the lines of a lattice
    if rows.shape[1] < 2:
        return False
    return cv2.countNonZero(cv2.absdiff(rows[:, 1:], rows[:, :-1])) > TEXTURE * rows.size


def _nested(
    boxes: NDArray[np.int64], outer: NDArray[np.int64], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return, for each box, the region of the smallest box of `outer` that holds it, or -1; and whether both are one.

    `numbers` are the regions of `outer`. Two boxes are one thing at two thresholds if their areas differ little.
    """
    parents, same = np.full(len(boxes), -1), np.zeros(len(boxes), np.bool_)
    if len(outer) and len(boxes):
        inside = lies_in(boxes, outer)
        areas = np.where(inside, outer[:, 2] * outer[:, 3], np.iinfo(np.int64).max)
        smallest = areas.argmin(axis=1)
        held = np.any(inside, axis=1)
        parents[held] = numbers[smallest[held]]
        same = held & (boxes[:, 2] * boxes[:, 3] >= SHRUNK * areas[np.arange(len(boxes)), smallest])
    return parents, same


def _affordable(regions: list[Region], planes: Sequence[Plane], most: int) -> list[Region]:
    """Return the regions; all but the `most` largest lose their ink, so that the classifier skips them."""
    offered = [i for i, region in enumerate(regions) if region.ink is not None]
    if len(offered) > most:
        boxes = np.array([regions[i].box for i in offered])
        shapes = np.array([planes[regions[i].plane].ink.shape for i in offered])
        for k in _by_size(boxes, shapes.T)[most:].tolist():
            regions[offered[k]] = regions[offered[k]]._replace(ink=None)
    return regions


def _by_size(boxes: NDArray[np.int64], shape: Sequence[int] | NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the order of boxes, int (N,), by their long sides; boxes that the edge of their plane cuts off are last.

    `shape` is the plane's, (rows, columns), or that of each box's plane, (2, N).
    """
    x, y, width, height = boxes.T
    cut = (x == 0) | (y == 0) | (y + height == shape[0]) | (x + width == shape[1])
    return np.lexsort((-np.maximum(width, height), cut))
