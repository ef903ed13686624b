"""Candidates -> which are digits, and why each of the others is none: relative to what is surely a digit on this page.

A logistic model over named features: how likely a glyph is by itself, how many around it are digits, and how its size,
darkness and pen differ from those of the page's sure digits. Its weights are fitted; see `weights`.
"""

from collections.abc import Sequence

import numpy as np

from edge_runtime.vision.glyphs import SURER, Float64, Glyphs, log_odds
from edge_runtime.vision.page_model import PageModel, evidence, priors
from edge_runtime.vision.weights import Weights

TOO_SMALL = "too small"
TOO_LARGE = "too large"
LINE = "line or rule"
LOW_CONTRAST = "low contrast"
PART_OF_WORD = "part of a word"
NOT_A_DIGIT = "not digit-like"
CLUTTER = "clutter"
LOW_CONFIDENCE = "low confidence"
# The same ink was read on another plane: said in a Trace, and in no record.
READ_ELSEWHERE = "read on another plane"
REASONS = (TOO_SMALL, TOO_LARGE, LINE, LOW_CONTRAST, PART_OF_WORD, NOT_A_DIGIT, CLUTTER, LOW_CONFIDENCE)

# Squares of logarithms beyond this add nothing: one odd measure shall not outweigh all others.
MOST = 4.0
# Of so many things, some look like digits by chance: the mean odds of the BEST digits must exceed this times the
# logarithm of how many regions there were, or the picture holds none.
CHANCE, FEW, BEST = 0.45, 8, 3
# Boxes of two planes that share this part of the smaller one show the same ink; that of the larger, the same digit.
SHARED, SAME = 0.3, 0.7


def contributions(glyphs: Glyphs, model: PageModel, weights: Weights) -> dict[str, Float64]:
    """Return float64 (N,) by reason: what speaks for a digit (above 0) or for that reason (below), as log odds."""
    height = np.log(glyphs.boxes[:, 3] / model.height)
    pale = np.zeros(len(glyphs)) if model.darkness is None else np.log(np.maximum(1, glyphs.darkness) / model.darkness)
    pen = np.zeros(len(glyphs))
    if model.stroke_width is not None:
        pen = np.minimum(MOST, np.log(np.maximum(1, glyphs.stroke_width) / model.stroke_width) ** 2)
    plane = np.log(model.scores[glyphs.plane] / model.scores.max())
    size = weights.size * np.minimum(MOST, height**2)
    return {
        NOT_A_DIGIT: evidence(glyphs, weights),
        PART_OF_WORD: log_odds(priors(glyphs, weights)),
        TOO_SMALL: np.where(height < 0, size, 0.0),
        TOO_LARGE: np.where(height > 0, size, 0.0),
        LOW_CONTRAST: weights.pale * np.minimum(0, pale),
        LINE: pen * (weights.pen + weights.stroke_pen * glyphs.stroke),
        CLUTTER: weights.plane * plane,
    }


def judge(
    glyphs: Glyphs, model: PageModel, weights: Weights, min_confidence: float, regions: int
) -> list[str | None]:
    """Return why each glyph is no digit, None where it is one; `regions` is how many there were on all planes.

    `min_confidence`, 0-1, is the least that a digit needs; with 0, everything is one that is not READ_ELSEWHERE.
    """
    parts = contributions(glyphs, model, weights)
    odds = np.sum(list(parts.values()), axis=0)
    least = np.array(list(parts.values())).argmin(axis=0).tolist() if len(glyphs) else []
    best = glyphs.confidences.max(axis=1, initial=0.0)
    found: list[str | None] = []
    for i in range(len(glyphs)):
        if odds[i] < 0 and min_confidence > 0:
            found.append(list(parts)[least[i]])
        else:
            found.append(LOW_CONFIDENCE if best[i] < min_confidence else None)
    shared = overlap(glyphs.boxes, glyphs.boxes, np.minimum) > SHARED
    shared &= glyphs.plane != glyphs.plane[:, None]
    kept: list[int] = []
    for i in np.argsort(-odds, kind="stable").tolist():
        if shared[i, kept].any():
            found[i] = READ_ELSEWHERE
        elif found[i] is None:
            kept.append(i)
    if kept and min_confidence > 0 and _is_chance(odds[kept], regions):
        found = [CLUTTER if reason is None else reason for reason in found]
    return found


def _is_chance(odds: Float64, regions: int) -> bool:
    """Tell whether the digits with these log odds are no more than what chance makes of so many regions."""
    return float(np.sort(odds)[::-1][:BEST].mean()) < CHANCE * float(np.log(regions / FEW))


def agreed(glyphs: Glyphs, kept: Sequence[int]) -> Float64:
    """Return the confidences of the glyphs `kept`, float64 (kept, digits): of what other planes show, too, the mean.

    It is the geometric mean of all planes that show the same digit.
    """
    rows = list(kept)
    same = overlap(glyphs.boxes[rows], glyphs.boxes, np.maximum) > SAME
    same &= (glyphs.plane != glyphs.plane[rows][:, None]) & (glyphs.digit >= 1 / 2)
    same[np.arange(len(rows)), rows] = True
    mean = same @ np.log(np.maximum(glyphs.confidences, SURER)) / same.sum(axis=1, keepdims=True)
    likely = np.exp(mean)
    own = glyphs.confidences[rows]
    total = likely.sum(axis=1, keepdims=True)
    return np.where(same.sum(axis=1, keepdims=True) > 1, likely / np.maximum(1.0, total), own)


def overlap(boxes: Float64, others: Float64, which: np.ufunc) -> Float64:
    """Return (N, M): what boxes and others share, as part of the smaller (np.minimum) or larger (np.maximum) of the two."""
    x, y, width, height = boxes.T[:, :, None]
    other_x, other_y, other_width, other_height = others.T[:, None, :]
    across = np.minimum(x + width, other_x + other_width) - np.maximum(x, other_x)
    down = np.minimum(y + height, other_y + other_height) - np.maximum(y, other_y)
    return np.asarray(np.maximum(0, across) * np.maximum(0, down) / which(width * height, other_width * other_height))
