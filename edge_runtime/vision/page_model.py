"""Sure digits -> the model of the digits on this page: their number, size, darkness, stroke width and plane.

The share of digits among the glyphs around each one is estimated from the glyphs themselves, by the rule of Saerens,
Latinne and Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori probabilities": expectation
maximization, first over the whole plane, and then within some heights of each glyph.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.vision.boxes import at_sides, centers, overlap
from edge_runtime.vision.glyphs import PALE, Flags, Float64, Glyphs, log_odds, logistic
from edge_runtime.vision.lines import REACH
from edge_runtime.vision.weights import Weights

# The share of digits among glyphs that is assumed at first; it counts as much as one glyph of the plane.
USUAL = 0.75
# Neighbors are at most REACH heights apart along a line, and half of that up or down. They count less the more their
# sizes differ: by a Gaussian of this standard deviation, of the difference of the logarithms of their heights.
ALIKE = 0.3
# A single stroke, a part of a digit, or a glyph that a corner of the picture cuts off may be anything: its weight as
# evidence.
WEAK_EVIDENCE = 0.2
ROUNDS = 2  # of expectation maximization; more change little
PART_LIKELIER = 2.0  # log odds by which a part must be likelier than its whole to replace it, if both are likely digits
SURE = 0.8  # glyphs at least so surely digits give the darkness and stroke width of the pen


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PageModel:
    """`scores` float64 (planes,): the amount of digits on each plane. `plane` is the best one, None without digits.

    `height` of digits and `stroke_width` are in pixels of the frame, the latter None without sure digits. `darkness`
    float64 (planes,) is that of the sure digits on each plane, 1-255; NaN without any. `attached`, 0-1, is the share of
    the sure digits of the best plane that are attached.
    """

    scores: Float64
    plane: int | None
    height: float
    darkness: Float64
    stroke_width: float | None
    attached: float


def standing(glyphs: Glyphs, parents: Sequence[int]) -> list[int]:
    """Return the indices of glyphs of which none is a part of another: one reading of each tree of regions.

    `parents` are indices, or -1, and come before their parts. A whole that is a digit replaces its parts, unless one of
    them is far likelier; otherwise its parts replace it, if one of them is a digit.
    """
    own = log_odds(glyphs.digit).tolist()
    best, whole = list(own), [True] * len(own)
    parts: list[list[int]] = [[] for _ in own]
    for i in range(len(own) - 1, -1, -1):
        if parts[i]:
            likeliest = max(best[part] for part in parts[i])
            if likeliest > 0 and own[i] < max(0.0, likeliest - PART_LIKELIER):
                best[i], whole[i] = likeliest, False
        if parents[i] >= 0:
            parts[parents[i]].append(i)
    kept = []
    left = [i for i, parent in enumerate(parents) if parent < 0]
    while left:
        i = left.pop()
        if whole[i]:
            kept.append(i)
        else:
            left += parts[i]
    return sorted(kept)


def without_duplicates(glyphs: Glyphs, standing: Sequence[int], freed: Sequence[bool]) -> list[int]:
    """Return the indices of `standing`, whose glyphs these are, without those that show the same ink twice.

    A glyph `freed` of a rule replaces the glyphs of its plane of which more than half lies in it, if it is likely a
    digit, and more so than any of these. It is left out otherwise, or if another digit of its polarity covers more than
    half of it.
    """
    rows = [row for row, one in enumerate(freed) if one]
    if not rows:
        return list(standing)
    own, light = log_odds(glyphs.digit), glyphs.plane % 2
    kept = ~np.array(freed, np.bool_)
    area = glyphs.boxes[:, 2] * glyphs.boxes[:, 3]
    rows.sort(key=lambda row: -own[row])
    share = overlap(glyphs.boxes[rows], glyphs.boxes, np.minimum) * (light == light[rows][:, None])
    for i, common in zip(rows, share * np.minimum(area, area[rows][:, None]), strict=True):
        inside = (common > area / 2) & (glyphs.plane == glyphs.plane[i]) & kept
        covered = np.any((common > area[i] / 2) & (own > 0) & kept)
        if own[i] > max(0.0, own[inside].max(initial=0.0)) and not covered:
            kept[inside], kept[i] = False, True
    return [one for row, one in enumerate(standing) if kept[row]]


def own_features(glyphs: Glyphs) -> dict[str, Float64]:
    """Return the features of each glyph by itself: float64 (N,) by name of its weight."""
    return {
        "digit": log_odds(glyphs.digit),
        "stroke": glyphs.stroke.astype(np.float64),
        "piece": glyphs.piece.astype(np.float64),
        "stroke_piece": (glyphs.stroke & glyphs.piece).astype(np.float64),
    }


def evidence(glyphs: Glyphs, weights: Weights) -> Float64:
    """Return float64 (N,): the log odds that each glyph is a digit, by itself."""
    return np.asarray(
        sum(getattr(weights, name) * values for name, values in own_features(glyphs).items()) + weights.bias
    )


def priors(glyphs: Glyphs, own: Float64) -> Float64:
    """Return float64 (N,), 0-1: the share of digits around each glyph, among those of its plane, size and darkness.

    `own` is their `evidence`.
    """
    x, y = centers(glyphs.boxes)
    height = glyphs.boxes[:, 3]
    weight = alike(height, glyphs.plane) * np.where(glyphs.stroke, WEAK_EVIDENCE, 1.0)
    weight *= glyphs.darkness >= PALE * glyphs.darkness[:, None]
    weight *= glyphs.darkness[:, None] >= PALE * glyphs.darkness
    prior = _maximized(own, weight, np.full(len(glyphs), USUAL))
    weight *= np.hypot(x - x[:, None], 2 * (y - y[:, None])) <= REACH * height[:, None]
    return _maximized(own, weight, prior)


def alike(sizes: Float64, plane: NDArray[np.int64]) -> Float64:
    """Return the similarity of the sizes of N glyphs, float64 (N, N), 0-1: 0 for different planes."""
    logarithm = np.log(sizes)
    same_size = np.exp(-(((logarithm - logarithm[:, None]) / ALIKE) ** 2) / 2)
    return np.asarray(same_size * (plane == plane[:, None]))


def _maximized(own: Float64, weight: Float64, before: Float64) -> Float64:
    """Return the share of digits among the glyphs weighted by `weight` (N, N); `before` counts as one glyph."""
    total = weight.sum(axis=1) + 1
    prior = before
    for _ in range(ROUNDS):
        prior = (weight @ logistic(own + log_odds(prior)) + before) / total
    return prior


def _are_parts(glyphs: Glyphs, may_have_parts: Flags) -> Flags:
    """Return bool (N,): which glyphs are probably parts of others, of those that `may_have_parts`, bool (N,).

    More than half of a part lies in the other glyph, which is at least twice as high and at least as likely a digit.
    Planes finer than a stroke show its edges and texture as ink of their own. On the planes of the other polarity, the
    paper inside a digit's loop is ink, and may look like a digit.
    """
    height = glyphs.boxes[:, 3]
    inside = overlap(glyphs.boxes, glyphs.boxes, np.minimum) > 1 / 2
    inside &= (height[:, None] <= height / 2) & (glyphs.digit[:, None] <= glyphs.digit) & may_have_parts
    return np.asarray(np.any(inside, axis=1))


def estimate(glyphs: Glyphs, planes: int, weights: Weights, size: tuple[int, int]) -> PageModel:
    """Return the page model, from glyphs of which none is a part of another, on so many `planes`.

    `size` is the picture's, (width, height). The score of each plane is the greatest density of logarithmic heights. A
    glyph counts more the likelier it is a digit, the more digits surround it, and the darker and larger it is. A single
    stroke, a part of a digit, or a glyph that a corner of the picture cuts off counts little.
    """
    scores, heights = np.zeros(planes), np.ones(planes)
    darkness, stroke_widths, attached = np.full((3, planes), np.nan)
    own = evidence(glyphs, weights)
    prior = priors(glyphs, own)
    likely = logistic(own + log_odds(prior))
    sure = (likely >= SURE) & ~glyphs.stroke
    height = glyphs.boxes[:, 3]
    amount = likely * prior**2 * np.sqrt(glyphs.darkness * height) * np.where(glyphs.stroke, WEAK_EVIDENCE, 1.0)
    cut_off = np.logical_and(*at_sides(glyphs.boxes, size))
    amount[cut_off | _are_parts(glyphs, ~cut_off)] *= WEAK_EVIDENCE
    density = alike(height, glyphs.plane) @ amount
    for plane in set(glyphs.plane.tolist()):
        on = np.flatnonzero(glyphs.plane == plane)
        densest = on[density[on].argmax()]
        scores[plane], heights[plane] = density[densest], height[densest]
        on = on[sure[on]]
        if len(on):
            darkness[plane] = max(1.0, np.median(glyphs.darkness[on]))
            stroke_widths[plane] = max(1.0, np.median(glyphs.stroke_width[on]))
            attached[plane] = np.mean(glyphs.attached[on])
    best = int(scores.argmax())
    return PageModel(
        scores=scores,
        plane=best if scores[best] > 0 else None,
        height=float(heights[best]),
        darkness=darkness,
        stroke_width=None if np.isnan(stroke_widths[best]) else float(stroke_widths[best]),
        attached=float(np.nan_to_num(attached[best])),
    )
