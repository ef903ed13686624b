"""Which way a page lies in its picture, told from its digits; pictures turned upright, and boxes turned back.

A page reads well where the glyphs that are likeliest to be its digits are surely digits as they lie. Where they are
not, the network sees a few of them by quarter turns and, where their lines rise or fall, turned by that angle.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.records import Box, Uint8
from edge_runtime.vision.glyphs import Float64, Glyphs, at_sides
from edge_runtime.vision.normalize import normalize
from edge_runtime.vision.page_model import WEAK_EVIDENCE, alike, evidence, priors
from edge_runtime.vision.weights import Weights

QUARTER = 90.0  # degrees
QUARTER_TURNS: tuple[Literal[0, 90, 180, 270], ...] = (0, 90, 180, 270)
# So many glyphs are turned, as a part of what the network saw of the page, at least and at most. A sixth, turned three
# times, is half as many rows again for the network.
SHARE, LEAST, MOST = 1 / 6, 8, 120
# What a glyph says of a position: its confidence to this power, so that two halves do not make a whole. Of 160 drawn
# pages that lie upright, another position is proposed for 3; with 8, for 7.
SURENESS = 16
# Digits that are ignored: a stroke says nothing; the second look alike on their side; the third look alike, or like
# each other, upside down; the fourth may look like some digit upside down.
STROKE, ALIKE_SIDEWAYS, ALIKE_UPSIDE_DOWN, DIGIT_UPSIDE_DOWN = "1", "018", "01689", "0125689"
# What a glyph reads as in two positions a half turn apart, where it cannot tell them from each other.
PAIRS = frozenset({"00", "11", "88", "69", "96"})
FAT = 0.3  # of a glyph's long side: no pen is broader; the paper between lines is, and things are
# A page reads well as it lies if its glyphs say this part of what they could.
WELL = 0.6
# Another position has to say so many times as much as this one (and lines that lean to have so many times as many
# neighbors as level ones), and as much as nearly two digits. `reads_better` decides.
BETTER, ENOUGH = 1.3, 1.5
# Lines lean that rise or fall by so many degrees; by less, they are read as they lie. Glyphs up to so many times their
# size apart may be neighbors on a line, which goes through their middles to within this part of it: of 328 photographs
# and 120 generated pages that lean by 0 to 40 degrees, the angle of 407 is found (with 4 and 0.15, of 400).
STEEP, NEAR, ASIDE = 15.0, 6.0, 0.25
LINE = 3  # glyphs make a line; two may stand in any way
# The network reads digits that lean by 20 degrees nearly as well: turned, they may say as little as this part. With
# 0.8, a drawn page with three rows of digits one below the other is turned by 29 degrees.
LEANING = 0.9

Classify = Callable[[Uint8], Float64]  # uint8 (N, 28, 28) -> the confidences of N glyphs, float64 (N, digits)


class Position(NamedTuple):
    """How a page lies: it is upright once turned clockwise by `degrees`; these `planes` show its digits then."""

    degrees: float
    planes: tuple[int, ...]


def position_of(
    glyphs: Glyphs, images: Uint8, inks: Sequence[Uint8], size: tuple[int, int], shown: int, labels: Sequence[str],
    classify: Classify,
) -> Position:  # fmt: skip
    """Return how a page lies, from its glyphs as they lie, their images uint8 (N, 28, 28) and their ink.

    `size` is the frame's, `shown` is how many pictures of it the network saw, and `labels` are those of the columns of
    confidences. 0 degrees where another position is not clearly better.
    """
    weight = likely(glyphs, size)
    order = np.argsort(-weight, kind="stable")
    rows = order[: int(np.clip(SHARE * shown, LEAST, MOST))]
    upright = Position(0.0, ())
    if not len(rows):
        return upright
    own, seen, lean = glyphs.confidences[rows], images[rows], lean_of(glyphs, rows)
    telling = _telling(labels, STROKE)
    at_best = float((telling[own.argmax(axis=1)] * weight[rows]).sum())
    reads_well = _evidence(own, telling, weight[rows]) >= WELL * at_best
    leans = lean != 0 and (not reads_well or _is_line(glyphs.plane[rows], own))
    if reads_well and not leans and _evidence(own, _telling(labels, DIGIT_UPSIDE_DOWN)) >= ENOUGH:
        return upright
    by_turn = {0.0: own}
    for quarter in (2,) if reads_well and not leans else (1, 2, 3):
        by_turn[quarter * QUARTER] = classify(np.ascontiguousarray(np.rot90(seen, -quarter, axes=(1, 2))))
    mask = _telling(labels, ALIKE_SIDEWAYS)
    best = _of_half_turns(by_turn, (0.0, 2 * QUARTER), labels, BETTER, ENOUGH)
    if QUARTER in by_turn:
        sideways = _of_half_turns(by_turn, (QUARTER, 3 * QUARTER), labels, 1, 0)
        best = max(best, sideways, key=lambda degrees: _evidence(by_turn[degrees], mask))
    now, most = _evidence(own, mask), _evidence(by_turn[best], mask)
    clear = best == 2 * QUARTER or (best != 0 and most >= max(ENOUGH, BETTER * now))
    if leans:
        leaning = classify(np.stack([normalize(turned(inks[row], -lean)[0]) for row in rows]))
        said = _evidence(leaning, mask)
        likely_so = said >= ENOUGH and said >= (most / BETTER if clear else LEANING * now)
        if likely_so and _is_line(glyphs.plane[rows], leaning):
            best, clear = -lean % (4 * QUARTER), True
            by_turn[best] = leaning
    if not clear:
        return upright
    sure = by_turn[best].max(axis=1) >= WELL
    return Position(best, tuple(sorted(set(glyphs.plane[rows][sure].tolist()))))


def reads_better(upright: Glyphs, other: Glyphs, degrees: float, labels: Sequence[str], weights: Weights) -> bool:
    """Tell whether all glyphs of a page that was turned by so many degrees read better than as they lie.

    On either, those of the plane count that say most, each weighted with the prior of its surroundings: letters and
    things around a sheet may look like digits. As they lie, they count in full against a quarter turn.
    """
    leans = degrees % QUARTER != 0
    mask = _telling(labels, ALIKE_UPSIDE_DOWN if degrees == 2 * QUARTER else ALIKE_SIDEWAYS)
    weight = priors(upright, evidence(upright, weights)) if leans else np.ones(len(upright))
    now = _of_best_plane(upright, mask, weight)
    return _of_best_plane(other, mask, priors(other, evidence(other, weights))) > (LEANING if leans else BETTER) * now


def _of_best_plane(glyphs: Glyphs, mask: Float64, weight: Float64) -> float:
    planes = (glyphs.plane == plane for plane in np.unique(glyphs.plane))
    return max((_evidence(glyphs.confidences[on], mask, weight[on]) for on in planes), default=0.0)


def _of_half_turns(
    by_turn: Mapping[float, Float64], ways: tuple[float, float], labels: Sequence[str], better: float, enough: float
) -> float:
    """Return which of two positions that are a half turn apart it is, by the glyphs that can tell them apart."""
    here, there = (by_turn[degrees] for degrees in ways)
    pairs = zip(here.argmax(axis=1), there.argmax(axis=1), strict=True)
    telling = np.array([labels[a] + labels[b] not in PAIRS for a, b in pairs])
    every = np.ones(len(labels))
    now, other = _evidence(here[telling], every), _evidence(there[telling], every)
    return ways[1] if other > max(better * now, enough) else ways[0]


def _is_line(plane: NDArray[np.int64], confidences: Float64) -> bool:
    """Tell whether there are enough sure digits on a plane for a line."""
    return bool(np.bincount(plane[confidences.max(axis=1) >= WELL], minlength=1).max() >= LINE)


def likely(glyphs: Glyphs, size: tuple[int, int]) -> Float64:
    """Return how likely glyphs are digits in any position, float64 (N,): those that are dark, large, of one size.

    What is at the frame's edge, hangs on a line or is thicker than a pen counts little.
    """
    long = glyphs.boxes[:, 2:].max(axis=1, initial=1)
    outer = np.any([*at_sides(glyphs.boxes, size), glyphs.attached], axis=0)
    weight = glyphs.darkness * np.sqrt(long) * np.where(outer, WEAK_EVIDENCE, 1)
    weight[glyphs.stroke_width > FAT * long] *= WEAK_EVIDENCE
    return np.asarray(weight * (alike(long, glyphs.plane) @ weight))


def _telling(labels: Sequence[str], ignored: str) -> Float64:
    """Return float64 (labels,): 0 for digits that are ignored, 1 for all others."""
    return np.array([float(label not in ignored) for label in labels])


def _evidence(confidences: Float64, mask: Float64, weight: Float64 | float = 1.0) -> float:
    """Return what glyphs say of a position; `mask`, float64 (labels,), is 0 for digits that say nothing."""
    return float((mask[confidences.argmax(axis=1)] * confidences.max(axis=1) ** SURENESS * weight).sum())


def lean_of(glyphs: Glyphs, rows: NDArray[np.int64]) -> float:
    """Return by how many degrees, -45 to 44, lines fall to the right; 0 where by less than STEEP.

    It is the angle at which most neighbors stand beside or below each other.
    """
    boxes = glyphs.boxes[rows]
    middles, long = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(axis=1, initial=1)
    away = middles[None] - middles[:, None]
    distance = np.hypot(away[..., 0], away[..., 1])
    # What is nearer than half its size is the same digit on another plane.
    pairs = (distance > long / 2) & (distance < NEAR * long) & (np.abs(np.log(long / long[:, None])) < 1 / 2)
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
    """Return a picture turned clockwise, and the way back, float64 (2, 3): from coordinates in it to the picture's.

    Pixels lie between whole coordinates. By what is no quarter turn the picture grows, and its new corners have the
    median of its values.
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
    pixel[:, 2] += there[:, :2] @ (0.5, 0.5) - 0.5  # of the middles of pixels
    out = cv2.warpAffine(pixels, pixel, size, flags=cv2.INTER_LINEAR, borderValue=np.atleast_1d(middle).tolist())
    return np.asarray(out, np.uint8), back


def turned_back(box: Box, back: NDArray[np.float64], size: tuple[int, int]) -> Box:
    """Return where a box of a turned picture lies in the picture, whose (width, height) is `size`.

    Of what is turned by no quarter turn, it is the box around the ellipse that touches its sides: digits leave the
    corners of theirs empty.
    """
    middle = back @ (box.x + box.width / 2, box.y + box.height / 2, 1)
    half = np.hypot(*(back[:, :2] * (box.width / 2, box.height / 2)).T)
    first = np.clip(np.rint(middle - half), 0, np.array(size) - 1).astype(int)
    last = np.clip(np.rint(middle + half), first + 1, size).astype(int)
    return Box(*first.tolist(), *(last - first).tolist())


def quarter_turn(degrees: float) -> Literal[0, 90, 180, 270]:
    """Return the quarter turn that is nearest to a turn by so many degrees."""
    return QUARTER_TURNS[round(degrees / QUARTER) % 4]
