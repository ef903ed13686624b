"""Which glyphs are digits, and which lines are numbers, once the line network has seen them among their neighbors.

Two logistic models. One decides on a glyph: by its odds from the page, and by what the network sees at its place and on
its line. The other gives the probability that a line is a number at all, and not a word. It does not tell whether every
digit is right: that is the line confidence.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.lines.presence import Seen, see
from edge_runtime.lines.recheck import MOST_STRIPS
from edge_runtime.records import Box
from edge_runtime.vision.glyphs import Float64, Glyphs, log_odds, logistic
from edge_runtime.vision.lines import group_into_lines
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.regions import work_budget
from edge_runtime.vision.rejection import LOW_CONFIDENCE, PART_OF_WORD, READ_ELSEWHERE, Verdict, rejected
from edge_runtime.vision.weights import read_weights

NUMBER = 1 / 2  # the least probability, 0-1, that a line is a number, for it to be printed


class NumberWeights(NamedTuple):
    """What each feature adds to the log odds that a glyph is a digit, and that a line is a number.

    Fitted by `python -m train.numbers` and kept in the model's card under "numbers", by name.
    """

    glyph: float  # bias
    glyph_odds: float  # log odds by its own features and the page's
    glyph_presence: float  # log odds that the network sees a digit there
    glyph_line: float  # mean of these over the digits of its line
    line: float  # bias
    line_odds: float  # mean log odds of its digits by their own features and the page's
    line_presence: float  # mean of the log odds that the network sees a digit


class Evidence(NamedTuple):
    """What is known of M glyphs that the network saw: `rows` int (M,), the `line` of each, int (M,), and what follows.

    `odds`, float64 (M,), are the log odds of a digit by the glyph and the page, `presence`, float64 (M,), 0-1, is the
    network's probability of a digit, and `kept`, bool (M,), tells which were taken for digits before.
    """

    rows: NDArray[np.int64]
    line: NDArray[np.int64]
    odds: Float64
    presence: Float64
    kept: NDArray[np.bool_]


def from_card(card: Mapping[str, Any] | None) -> NumberWeights | None:
    """Return the weights in a model's card; None if it has none. Raises ValueError for invalid ones."""
    return read_weights(card, "numbers", NumberWeights)


def decide(
    network: LineNetwork, weights: NumberWeights, verdict: Verdict, glyphs: Glyphs, planes: Sequence[Plane],
    boxes: Sequence[Box],
) -> tuple[Evidence, Verdict]:  # fmt: skip
    """Let the network see the lines of a verdict's digits; return the evidence, and the verdict by all of it.

    `boxes` are those of the glyphs in the picture.
    """
    most = int(MOST_STRIPS * work_budget(planes[0].ink.size))
    seen = see(network, flat(lines_of(verdict, boxes)), glyphs, planes, most)
    known = evidence(seen, verdict)
    judged = with_digits(known, verdict, weights)
    for number, line in enumerate(flat(lines_of(judged, boxes))):
        seen.line[line] = np.where(seen.line[line] < 0, -1, number)
    return known, without_words(evidence(seen, judged), judged, weights)


def lines_of(verdict: Verdict, boxes: Sequence[Box]) -> list[list[list[int]]]:
    """Return the rows of a verdict's digits by line and by word; `boxes` are those of the glyphs."""
    kept = [row for row, reason in enumerate(verdict.reasons) if reason is None]
    return [[[kept[i] for i in word] for word in line] for line in group_into_lines([boxes[row] for row in kept])]


def flat(lines: list[list[list[int]]]) -> list[list[int]]:
    """Return the rows of each line without its words."""
    return [[row for word in line for row in word] for line in lines]


def evidence(seen: Seen, verdict: Verdict) -> Evidence:
    """Return the evidence for the glyphs seen, except those read on another plane or as no certain digit."""
    kept = np.array([reason is None for reason in verdict.reasons], np.bool_)
    other = np.array([reason in (READ_ELSEWHERE, LOW_CONFIDENCE) for reason in verdict.reasons], np.bool_)
    rows = np.flatnonzero((seen.line >= 0) & ~other)
    return Evidence(rows, seen.line[rows], verdict.odds[rows], seen.presence[rows], kept[rows])


def glyph_features(known: Evidence) -> Float64:
    """Return the features of each glyph, float64 (M, 3), in the order of the weights."""
    seen = log_odds(known.presence)
    line = _means(known.line, seen, known.kept)[known.line]
    return np.column_stack([known.odds, seen, line]).reshape(-1, 3)


def line_features(known: Evidence) -> Float64:
    """Return each line's features, by number, float64 (lines, 2), in the order of the weights; 0s without digits."""
    each = known.odds, log_odds(known.presence)
    return np.column_stack([_means(known.line, values, known.kept) for values in each]).reshape(-1, 2)


def with_digits(known: Evidence, verdict: Verdict, weights: NumberWeights) -> Verdict:
    """Return the verdict by all evidence: some glyphs turn out to be parts of words, and some to be digits."""
    odds = glyph_odds(known, weights)
    reasons = list(rejected(verdict.reasons, set(known.rows[odds < 0].tolist()), PART_OF_WORD))
    for row in known.rows[odds > 0].tolist():
        reasons[row] = None
    return verdict._replace(reasons=reasons)


def without_words(known: Evidence, verdict: Verdict, weights: NumberWeights) -> Verdict:
    """Return the verdict without the digits on lines that are no numbers: they are parts of words."""
    rows = known.rows[probabilities(known, weights)[known.line] < NUMBER]
    return verdict._replace(reasons=list(rejected(verdict.reasons, set(rows.tolist()), PART_OF_WORD)))


def glyph_odds(known: Evidence, weights: NumberWeights) -> Float64:
    """Return the log odds that each glyph is a digit, float64 (M,)."""
    return np.asarray(glyph_features(known) @ np.array(weights[1:4]) + weights.glyph)


def probabilities(known: Evidence, weights: NumberWeights) -> Float64:
    """Return the probability that each line is a number, float64 (lines,), 0-1; 0.5 for a line without glyphs."""
    return np.asarray(logistic(line_features(known) @ np.array(weights[5:]) + weights.line))


def _means(line: NDArray[np.int64], values: Float64, kept: NDArray[np.bool_]) -> Float64:
    """Return the mean of the values kept on each line, by number; 0 without values."""
    return np.asarray(np.bincount(line, values * kept) / np.maximum(1, np.bincount(line, kept)))
