"""The orientation of a page in its picture, estimated from its digits; rotation of pictures and of boxes.

A page reads well if the glyphs that are likeliest to be its digits are surely digits as they lie. If it does not, the
classifier runs on a few of them at quarter turns and, if their lines slope, rotated by that angle. If it does, the
classifier runs on them upside down alone, and not at all if two of them are 3, 4 or 7.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Uint8
from edge_runtime.vision.boxes import at_sides, centers
from edge_runtime.vision.glyphs import Float64, Glyphs
from edge_runtime.vision.lines import REACH
from edge_runtime.vision.normalize import normalize
from edge_runtime.vision.page_model import WEAK_EVIDENCE, alike, evidence, priors
from edge_runtime.vision.weights import Weights

QUARTER = 90.0  # degrees
QUARTER_TURNS: tuple[Literal[0, 90, 180, 270], ...] = (0, 90, 180, 270)
# Glyphs to classify at other turns: their share of the pictures classified before, minimum and maximum. A sixth, turned
# three times, adds half as many rows.
SHARE, LEAST, MOST = 1 / 6, 8, 120
# Evidence of a glyph for a position: its confidence to this power, so that two halves do not make a whole. Of 160 drawn
# upright pages, another position is proposed for 3; with 8, for 7.
SURENESS = 16
# Ignored digits: a stroke carries no evidence; the second set looks alike sideways; the third looks alike, or like each
# other, upside down; the fourth may look like some digit upside down.
STROKE, ALIKE_SIDEWAYS, ALIKE_UPSIDE_DOWN, DIGIT_UPSIDE_DOWN = "1", "018", "01689", "0125689"
# Pairs of labels, of a glyph in two positions a half turn apart, that do not distinguish the positions.
PAIRS = frozenset({"00", "11", "88", "69", "96"})
# A page reads well as it lies if its glyphs give this share of the evidence they could give. A page is turned if that
# adds the evidence of a digit that reads so well: by ratios alone, 16 of 1,080 upright amounts were turned, and 7 now.
WELL = 0.6
# Another position needs BETTER times the evidence of this one (and sloping lines BETTER times the neighbors of level
# ones), and as much as nearly two digits. `reads_better` decides.
BETTER, ENOUGH = 1.3, 1.5
# Lines are rotated if they slope by at least STEEP degrees, and read as they lie otherwise. Glyphs up to REACH times
# their size apart may be neighbors on a line, which passes within ASIDE times the size of their centers: of 328
# photographs and 120 generated pages that lean by 0 to 40 degrees, the angle of 407 is found (with 0.15, of 400).
STEEP, ASIDE = 15.0, 0.25
LINE = 3  # glyphs that make a line; two may stand at any angle
# The classifier reads digits that lean by 20 degrees nearly as well: once turned, this share of the evidence is enough.
LEANING = 1 / BETTER

Classify = Callable[[Uint8], Float64]  # uint8 (N, 28, 28) -> the confidences of N glyphs, float64 (N, digits)


class Position(NamedTuple):
    """The orientation of a page: it is upright once turned clockwise by `degrees`, with its digits on `planes`."""

    degrees: float
    planes: tuple[int, ...]


def position_of(
    glyphs: Glyphs, images: Uint8, inks: Sequence[Uint8], size: tuple[int, int], shown: int, labels: Sequence[str],
    classify: Classify,
) -> Position:  # fmt: skip
    """Return the orientation of a page from its glyphs as they lie, their images uint8 (N, 28, 28) and their ink.

    `size` is the frame's, `shown` is the number of pictures of it that the classifier ran on, and `labels` are those of
    the columns of confidences. The result is 0 degrees unless another position is clearly better.
    """
    weight = likely(glyphs, size)
    order = np.argsort(-weight, kind="stable")
    rows = order[: int(np.clip(SHARE * shown, LEAST, MOST))]
    upright = Position(0.0, ())
    if not len(rows):
        return upright
    own, seen, lean = glyphs.confidences[rows], images[rows], lean_of(glyphs, rows)
    # Does the page read well as it lies, and do its lines lean?
    telling = _counted(labels, STROKE)
    at_best = float((telling[own.argmax(axis=1)] * weight[rows]).sum())
    reads_well = _evidence(own, telling, weight[rows]) >= WELL * at_best
    leans = lean != 0 and (not reads_well or _is_line(glyphs.plane[rows], own))
    if reads_well and not leans and _evidence(own, _counted(labels, DIGIT_UPSIDE_DOWN)) >= ENOUGH:
        return upright
    # Quarter turns; upside down alone if it reads well.
    by_turn = {0.0: own}
    for quarter in (2,) if reads_well and not leans else (1, 2, 3):
        by_turn[quarter * QUARTER] = classify(np.ascontiguousarray(np.rot90(seen, -quarter, axes=(1, 2))))
    mask = _counted(labels, ALIKE_SIDEWAYS)
    best = _of_half_turns(by_turn, (0.0, 2 * QUARTER), labels, BETTER, ENOUGH)
    if QUARTER in by_turn:
        sideways = _of_half_turns(by_turn, (QUARTER, 3 * QUARTER), labels, 1, 0)
        best = max(best, sideways, key=lambda degrees: _evidence(by_turn[degrees], mask))
    # The best of these, if it is clearly better.
    now, most = _evidence(own, mask), _evidence(by_turn[best], mask)
    clear = best == 2 * QUARTER or (best != 0 and most >= max(ENOUGH, BETTER * now))
    # Or the angle of the lines.
    if leans:
        leaning = classify(np.stack([normalize(turned(inks[row], -lean)[0]) for row in rows]))
        leaning_evidence = _evidence(leaning, mask)
        clearly_leans = leaning_evidence >= ENOUGH and leaning_evidence >= (most / BETTER if clear else LEANING * now)
        if clearly_leans and _is_line(glyphs.plane[rows], leaning):
            best, clear = -lean % (4 * QUARTER), True
            by_turn[best] = leaning
    if not clear:
        return upright
    sure = by_turn[best].max(axis=1) >= WELL
    return Position(best, tuple(sorted(set(glyphs.plane[rows][sure].tolist()))))


def reads_better(upright: Glyphs, other: Glyphs, degrees: float, labels: Sequence[str], weights: Weights) -> bool:
    """Return whether all glyphs of a page read clearly better turned by `degrees` than as they lie.

    In each position only the plane with the most evidence counts. The prior of its surroundings weights each glyph:
    letters and objects around a sheet may look like digits. As they lie, glyphs count in full against a quarter turn.
    """
    leans = degrees % QUARTER != 0
    mask = _counted(labels, ALIKE_UPSIDE_DOWN if degrees == 2 * QUARTER else ALIKE_SIDEWAYS)
    weight = priors(upright, evidence(upright, weights)) if leans else np.ones(len(upright))
    now = _of_best_plane(upright, mask, weight)
    then = _of_best_plane(other, mask, priors(other, evidence(other, weights)))
    return then > LEANING * now if leans else then > max(BETTER * now, now + WELL)


def _of_best_plane(glyphs: Glyphs, mask: Float64, weight: Float64) -> float:
    planes = (glyphs.plane == plane for plane in np.unique(glyphs.plane))
    return max((_evidence(glyphs.confidences[on], mask, weight[on]) for on in planes), default=0.0)


def _of_half_turns(
    by_turn: Mapping[float, Float64], ways: tuple[float, float], labels: Sequence[str], better: float, enough: float
) -> float:
    """Return which of two positions a half turn apart is better, by the glyphs that distinguish them."""
    here, there = (by_turn[degrees] for degrees in ways)
    pairs = zip(here.argmax(axis=1), there.argmax(axis=1), strict=True)
    telling = np.array([labels[a] + labels[b] not in PAIRS for a, b in pairs])
    every = np.ones(len(labels))
    now, other = _evidence(here[telling], every), _evidence(there[telling], every)
    return ways[1] if other > max(better * now, enough) else ways[0]


def _is_line(plane: NDArray[np.int64], confidences: Float64) -> bool:
    """Return whether any plane has enough sure digits for a line."""
    return bool(np.bincount(plane[confidences.max(axis=1) >= WELL], minlength=1).max() >= LINE)


def likely(glyphs: Glyphs, size: tuple[int, int]) -> Float64:
    """Return a weight for each glyph, float64 (N,): dark and large ones of one size are likely digits in any position.

    Glyphs that touch the frame's edge or are attached to a line weigh little.
    """
    long = glyphs.boxes[:, 2:].max(axis=1, initial=1)
    outer = np.any([*at_sides(glyphs.boxes, size), glyphs.attached], axis=0)
    weight = glyphs.darkness * np.sqrt(long) * np.where(outer, WEAK_EVIDENCE, 1)
    return np.asarray(weight * (alike(long, glyphs.plane) @ weight))


def _counted(labels: Sequence[str], ignored: str) -> Float64:
    """Return float64 (labels,): 0 for ignored digits, 1 for all others."""
    return np.array([float(label not in ignored) for label in labels])


def _evidence(confidences: Float64, mask: Float64, weight: Float64 | float = 1.0) -> float:
    """Return the evidence of glyphs for a position; `mask`, float64 (labels,), is 0 for ignored digits."""
    return float((mask[confidences.argmax(axis=1)] * confidences.max(axis=1) ** SURENESS * weight).sum())


def lean_of(glyphs: Glyphs, rows: NDArray[np.int64]) -> float:
    """Return by how many degrees, -45 to 44, lines fall to the right; 0 if by less than STEEP.

    It is the angle at which most neighbors stand beside or below each other.
    """
    boxes = glyphs.boxes[rows]
    middles, long = np.stack(centers(boxes), axis=1), boxes[:, 2:].max(axis=1, initial=1)
    away = middles[None] - middles[:, None]
    distance = np.hypot(away[..., 0], away[..., 1])
    # A glyph nearer than half its size is the same digit on another plane.
    pairs = (distance > long / 2) & (distance < REACH * long) & (np.abs(np.log(long / long[:, None])) < 1 / 2)
    i, j = np.nonzero(pairs)
    if len(np.unique(i)) < LINE:
        return 0.0
    leans = np.arange(-45, 45)
    ways = np.radians(leans)[:, None]
    x, y = away[i, j].T / long[i]
    beside = [np.exp(-(((y * np.cos(w) - x * np.sin(w)) / ASIDE) ** 2) / 2) for w in (ways, ways + np.pi / 2)]
    level = np.sum(beside, axis=(0, 2))
    best = int(level.argmax())
    clear = level[best] >= BETTER * level[leans == 0][0]
    return float(leans[best]) if clear and abs(leans[best]) >= STEEP else 0.0


def turned(pixels: Uint8, degrees: float) -> tuple[Uint8, NDArray[np.float64]]:
    """Return a picture turned clockwise, and float64 (2, 3), which maps its coordinates to the original picture's.

    Integer coordinates lie between pixels. Rotation by anything but quarter turns enlarges the picture, and fills its
    new corners with the median of its values.
    """
    height, width = pixels.shape[:2]
    angle = np.radians(degrees)
    cos, sin = (0.0 if abs(way) < 1e-12 else float(way) for way in (np.cos(angle), np.sin(angle)))
    wide, high = abs(width * cos) + abs(height * sin), abs(width * sin) + abs(height * cos)
    size = (max(1, round(wide)), max(1, round(high)))
    there = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    there[:, 2] = np.array(size) / 2 - there[:, :2] @ (width / 2, height / 2)
    back = np.asarray(cv2.invertAffineTransform(there), np.float64)
    if degrees == 0:
        return pixels, back
    if degrees % QUARTER == 0:
        return np.ascontiguousarray(np.rot90(pixels, -round(degrees / QUARTER))), back
    middle = np.median(pixels.reshape(-1, *pixels.shape[2:]), axis=0)
    pixel = there.copy()
    pixel[:, 2] += there[:, :2] @ (0.5, 0.5) - 0.5  # of pixel centers
    out = cv2.warpAffine(pixels, pixel, size, flags=cv2.INTER_LINEAR, borderValue=np.atleast_1d(middle).tolist())
    return np.asarray(out, np.uint8), back


def turned_back(box: Box, back: NDArray[np.float64], size: tuple[int, int]) -> Box:
    """Return a box of a turned picture as one of the original picture, whose (width, height) is `size`.

    Unless the rotation is a quarter turn, it is the bounding box of the ellipse inscribed in `box`: digits leave the
    corners of theirs empty.
    """
    middle = back @ (*box.center, 1)
    half = np.hypot(*(back[:, :2] * (box.width / 2, box.height / 2)).T)
    first = np.clip(np.rint(middle - half), 0, np.array(size) - 1).astype(int)
    last = np.clip(np.rint(middle + half), first + 1, size).astype(int)
    return Box(*first.tolist(), *(last - first).tolist())


def quarter_turn(degrees: float) -> Literal[0, 90, 180, 270]:
    """Return the quarter turn nearest to `degrees`."""
    return QUARTER_TURNS[round(degrees / QUARTER) % 4]
