"""Candidates -> digits, and the reason why each other one is rejected, relative to the sure digits on this page.

A logistic model over named features: the log odds of a glyph by itself, the share of digits around it, and the
differences of its size, darkness and stroke width from those of the page's sure digits. Its weights are fitted; see
`weights`.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from edge_runtime.vision.boxes import overlap
from edge_runtime.vision.glyphs import PROBABILITY_FLOOR, Float64, Glyphs, log_odds
from edge_runtime.vision.page_model import PageModel, evidence, own_features, priors
from edge_runtime.vision.regions import SHRUNK
from edge_runtime.vision.weights import Weights

TOO_SMALL = "too small"
TOO_LARGE = "too large"
LINE = "line or rule"
LOW_CONTRAST = "low contrast"
PART_OF_WORD = "part of a word"
NOT_A_DIGIT = "not digit-like"
CLUTTER = "clutter"
LOW_CONFIDENCE = "low confidence"
UNSURE_LINE = "unsure line"
# The same ink was read on another plane, or as a part of its line: a Trace holds this reason, records do not.
READ_ELSEWHERE = "read on another plane"
REASONS = (TOO_SMALL, TOO_LARGE, LINE, LOW_CONTRAST, PART_OF_WORD, NOT_A_DIGIT, CLUTTER, LOW_CONFIDENCE, UNSURE_LINE)

# Of many regions, some look like digits by chance: the log odds of the surest digit must exceed CHANCE times
# log(regions / FEW), or the picture holds no digits.
CHANCE, FEW = 0.5, 8
# Boxes of two planes whose common part is at least SAME of the larger one show the same thing, like a region at two
# thresholds; if it is more than SHARED of the smaller one, they show the same ink.
SAME, SHARED = SHRUNK, 1 / 2


def features(glyphs: Glyphs, model: PageModel) -> dict[str, Float64]:
    """Return float64 (N,) by name of its weight: features of each glyph by itself and beside the page's digits."""
    height = np.log(glyphs.boxes[:, 3] / model.height)
    pale = np.nan_to_num(np.log(np.maximum(1, glyphs.darkness) / model.darkness[glyphs.plane]))
    pen = np.zeros(len(glyphs))
    if model.stroke_width is not None:
        pen = np.log(np.maximum(1, glyphs.stroke_width) / model.stroke_width) ** 2
    alone = np.count_nonzero(glyphs.plane == model.plane) == 1
    attached = (1 - model.attached) * glyphs.attached
    return {
        **own_features(glyphs),
        "size": height**2,
        "pale": np.minimum(0, pale),
        "pen": pen,
        "stroke_pen": pen * glyphs.stroke,
        "attached": attached,
        "stroke_attached": attached * glyphs.stroke,
        "alone": (glyphs.plane == model.plane).astype(np.float64) if alone else np.zeros(len(glyphs)),
        "plane": np.log(model.scores[glyphs.plane] / model.scores.max()),
    }


def contributions(glyphs: Glyphs, model: PageModel, weights: Weights) -> dict[str, Float64]:
    """Return float64 (N,) by reason: log odds for a digit (above 0) or for that reason (below)."""
    of = features(glyphs, model)
    size, own = weights.size * of["size"], evidence(glyphs, weights)
    return {
        NOT_A_DIGIT: own,
        PART_OF_WORD: log_odds(priors(glyphs, own)) + weights.alone * of["alone"],
        TOO_SMALL: np.where(glyphs.boxes[:, 3] < model.height, size, 0.0),
        TOO_LARGE: np.where(glyphs.boxes[:, 3] > model.height, size, 0.0),
        LOW_CONTRAST: weights.pale * of["pale"],
        LINE: of["pen"] * (weights.pen + weights.stroke_pen * glyphs.stroke)
        + of["attached"] * (weights.attached + weights.stroke_attached * glyphs.stroke),
        CLUTTER: weights.plane * of["plane"],
    }


class Verdict(NamedTuple):
    """The reason why each of N glyphs is no digit, or None; `confidences`, float64 (N, digits), combine all planes.

    `odds` float64 (N,) are the log odds that each is a digit. `finest` holds, for each glyph, the row of the one on the
    finest plane that shows the same digit: its box is the most exact.
    """

    reasons: list[str | None]
    odds: Float64
    confidences: Float64
    finest: list[int]


def judge(glyphs: Glyphs, model: PageModel, weights: Weights, min_confidence: float, regions: int) -> Verdict:
    """Separate digits from all else; `regions` is the number of standing regions on all planes.

    `min_confidence`, 0-1, is the threshold for a digit; with 0, every glyph that is not READ_ELSEWHERE is a digit.
    """
    parts = contributions(glyphs, model, weights)
    odds = np.sum(list(parts.values()), axis=0)
    worst = np.array(list(parts.values())).argmin(axis=0).tolist() if len(glyphs) else []
    confidences, finest = _agreed(glyphs)
    # A digit that is sure enough on its own plane is kept if planes disagree.
    unsure = confidences.max(axis=1, initial=0.0) < min_confidence
    confidences[unsure] = glyphs.confidences[unsure]
    best = confidences.max(axis=1, initial=0.0)
    reasons: list[str | None] = []
    for i in range(len(glyphs)):
        if odds[i] < 0 and min_confidence > 0:
            reasons.append(list(parts)[worst[i]])
        else:
            reasons.append(LOW_CONFIDENCE if best[i] < min_confidence else None)
    shared = overlap(glyphs.boxes, glyphs.boxes, np.minimum) > SHARED
    shared &= glyphs.plane != glyphs.plane[:, None]
    digits: list[int] = []
    others: list[int] = []
    for i in np.argsort(-odds, kind="stable").tolist():
        if shared[i, digits].any() or (reasons[i] is not None and shared[i, others].any()):
            reasons[i] = READ_ELSEWHERE
        else:
            (digits if reasons[i] is None else others).append(i)
    if digits and min_confidence > 0 and _is_chance(odds[digits], regions):
        reasons = [CLUTTER if reason is None else reason for reason in reasons]
    return Verdict(reasons, odds, confidences, finest)


def rejected(reasons: Sequence[str | None], rows: Collection[int], why: str) -> tuple[str | None, ...]:
    """Return the reasons, with `why` for those of `rows` that are digits."""
    return tuple(why if row in rows and reason is None else reason for row, reason in enumerate(reasons))


def _is_chance(odds: Float64, regions: int) -> bool:
    """Return whether chance alone explains digits with these log odds among so many `regions`."""
    return float(odds.max()) < CHANCE * float(np.log(regions / FEW))


def _agreed(glyphs: Glyphs) -> tuple[Float64, list[int]]:
    """Combine the planes of one polarity that show the same digit: return confidences and the row of the finest plane.

    The confidences, float64 (N, digits), are the geometric mean over these planes, scaled so that the probability of
    any digit is the arithmetic mean. A glyph that no other plane shows keeps its own.
    """
    same = overlap(glyphs.boxes, glyphs.boxes, np.maximum) > SAME
    same &= (glyphs.plane != glyphs.plane[:, None]) & (glyphs.plane % 2 == glyphs.plane[:, None] % 2)
    same &= glyphs.digit >= 1 / 2
    same |= np.eye(len(glyphs), dtype=np.bool_)
    count = same.sum(axis=1, keepdims=True)
    likely = np.exp(same @ np.log(np.maximum(glyphs.confidences, PROBABILITY_FLOOR)) / np.maximum(1, count))
    likely *= (
        (same @ glyphs.confidences.sum(axis=1))[:, None] / np.maximum(1, count) / likely.sum(axis=1, keepdims=True)
    )
    finest = np.where(same, glyphs.plane, np.iinfo(np.int64).max).argmin(axis=1).tolist() if len(glyphs) else []
    return np.where(count > 1, likely, glyphs.confidences), finest
