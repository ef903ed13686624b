"""The probability that a line is exactly right: no digit of it misread, left out, made up, split or joined.

It is the product of the digits' confidences (none is misread) and the output of a logistic model over named features of
the line (all else). The weights are fitted on drawn scenes, and kept in the model's card.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from edge_runtime.vision.boxes import at_sides, centers, overlap
from edge_runtime.vision.candidates import Candidate
from edge_runtime.vision.glyphs import Float64, Glyphs, log_odds, logistic
from edge_runtime.vision.rejection import READ_ELSEWHERE, SAME, SHARED, Verdict
from edge_runtime.vision.weights import read_weights

DIGITS = "digits"


class LineWeights(NamedTuple):
    """What each feature adds to the log odds that a line has all of its digits and no others.

    Fitted by `python -m train.line_confidence` and kept in the model's card under "lines", by name.
    """

    bias: float
    odds: float  # the lowest log odds of any of its digits to be a digit
    doubt: float  # log odds that a rejected glyph beside or among the digits is a digit
    rival: float  # log odds of the surest other way to cut or join a digit's ink
    gap: float  # widest gap between two digits, in heights
    uneven: float  # logarithm of the widest step between neighboring digits, relative to the median step
    sizes: float  # greatest deviation of a digit's logarithmic height from the median
    planes: float  # every digit is read alike on two planes or more
    length: float  # logarithm of the number of digits
    lone: float  # it is a single digit
    only: float  # it is the page's only digit
    edge: float  # share of the picture's height that a digit at the picture's edge leaves free; 0 if none touches it


def from_card(card: Mapping[str, Any] | None) -> LineWeights | None:
    """Return the weights in a model's card; None if it has none. Raises ValueError for invalid ones."""
    return read_weights(card, "lines", LineWeights)


def probabilities(values: Mapping[str, Float64], weights: LineWeights) -> Float64:
    """Return the probability that each line is exactly right, float64 (lines,), 0-1, from its `features`."""
    odds = sum(getattr(weights, name) * values[name] for name in LineWeights._fields[1:]) + weights.bias
    return values[DIGITS] * logistic(np.asarray(odds, np.float64))


def features(
    lines: Sequence[Sequence[int]], glyphs: Glyphs, verdict: Verdict, candidates: Sequence[Candidate],
    confidences: Float64, chosen: Sequence[int], size: tuple[int, int],
) -> dict[str, Float64]:  # fmt: skip
    """Return each feature of the lines, float64 (lines,), by the name of its weight.

    Under DIGITS is the probability that no digit is misread, 0-1. `lines` holds the rows of each line's digits in
    `glyphs` and `verdict`, whose row i belongs to the candidate `chosen[i]`. `confidences`, float64 (candidates,
    digits), are those of all candidates; `size` is the picture's, (width, height).
    """
    rivals = _rivals(candidates, chosen, confidences)
    rows = [_of_line(np.asarray(line, np.int64), glyphs, verdict, rivals, size, len(lines)) for line in lines]
    names = DIGITS, *LineWeights._fields[1:]
    return {name: np.array([row[name] for row in rows], np.float64) for name in names}


def _of_line(
    rows: np.ndarray, glyphs: Glyphs, verdict: Verdict, rivals: Sequence[float], size: tuple[int, int], lines: int
) -> dict[str, float]:
    best = verdict.confidences[rows].max(axis=1)
    boxes = glyphs.boxes[rows]
    x, _, width, height = boxes.T
    high = float(np.median(height))
    order = np.argsort(x)
    gaps = (x[order][1:] - (x + width)[order][:-1]) / high
    return {
        DIGITS: float(best.prod()),
        "odds": float(verdict.odds[rows].min()),
        "doubt": _doubt(boxes, high, glyphs, verdict),
        "rival": max(rivals[row] for row in rows),
        "gap": float(gaps.max(initial=0.0)),
        "uneven": _uneven(centers(boxes)[0]),
        "sizes": float(np.abs(np.log(height / high)).max()),
        "planes": float(_planes(rows, glyphs).min() > 1),
        "length": float(np.log(len(rows))),
        "lone": float(len(rows) == 1),
        "only": float(len(rows) == 1 == lines),
        "edge": float((np.any(at_sides(boxes, size), axis=0) * (1 - height / size[1])).max()),
    }


def _doubt(boxes: Float64, high: float, glyphs: Glyphs, verdict: Verdict) -> float:
    """Return the log odds that any rejected glyph on a line, or within a height of its ends, is a digit."""
    on = _near(boxes, high, glyphs, verdict)
    return float(log_odds(np.array([1 - (1 - logistic(verdict.odds[on])).prod()]))[0])


def _uneven(middles: Float64) -> float:
    steps = np.maximum(1, np.diff(np.sort(middles)))
    return float(np.log(steps.max() / np.median(steps))) if len(steps) > 1 else 0.0


def _near(boxes: Float64, high: float, glyphs: Glyphs, verdict: Verdict) -> np.ndarray:
    read = [row for row, reason in enumerate(verdict.reasons) if reason is None]
    others = np.array([row for row, why in enumerate(verdict.reasons) if why not in (None, READ_ELSEWHERE)], np.int64)
    left, right = boxes[:, 0].min() - high, (boxes[:, 0] + boxes[:, 2]).max() + high
    top, bottom = boxes[:, 1].min(), (boxes[:, 1] + boxes[:, 3]).max()
    x, y = centers(glyphs.boxes[others])
    on = (left < x) & (x < right) & (top < y) & (y < bottom) & (glyphs.boxes[others, 3] > high / 2)
    on &= ~(overlap(glyphs.boxes[others], glyphs.boxes[read], np.minimum) > SHARED).any(axis=1)
    near = np.zeros(len(glyphs), np.bool_)
    near[others[on]] = True
    return near


def _rivals(candidates: Sequence[Candidate], chosen: Sequence[int], confidences: Float64) -> list[float]:
    """Return, for each chosen candidate, the log odds of the surest other one on its plane that shares its ink."""
    taken = set(chosen)
    of_part: dict[int, set[int]] = {}
    for i, candidate in enumerate(candidates):
        for part in candidate.parts if i not in taken else ():
            of_part.setdefault(part, set()).add(i)
    surest = log_odds(confidences.max(axis=1, initial=0.0))
    none = float(log_odds(np.zeros(1))[0])
    return [
        max((float(surest[j]) for part in candidates[i].parts for j in of_part.get(part, ())), default=none)
        for i in chosen
    ]


def _planes(rows: np.ndarray, glyphs: Glyphs) -> np.ndarray:
    """Return the number of planes on which each of these glyphs is read alike."""
    label = glyphs.confidences.argmax(axis=1)
    alike = overlap(glyphs.boxes[rows], glyphs.boxes, np.maximum) > SAME
    alike &= label[rows][:, None] == label
    return np.array([len(set(glyphs.plane[row].tolist())) for row in alike], np.int64)
