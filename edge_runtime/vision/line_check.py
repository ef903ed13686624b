"""Possible texts of a line -> the likeliest one, and the probability that each is exactly right.

A log-linear model compares the texts by the line network's probability, the classifier's confidences in the cut-out
digits, the length, and whether the line was read so digit by digit. Sequence readers need a reward for length, since
each further digit lowers the probability of a text (Graves 2012, "Sequence Transduction", section 2.5). Two logistic
models estimate the probability that the best text is right.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from edge_runtime.vision.glyphs import PROBABILITY_FLOOR, Float64, log_odds, logistic
from edge_runtime.vision.weights import read_weights


class Text(NamedTuple):
    """A possible text of a line: `labels` of its digits, 0-9, left to right, at least one.

    `line` is its probability by the line network, 0-1, the mean over its strips. `log_line` is the mean logarithm over
    the places of these strips, of at least `whole_line.PLACE_FLOOR` each. `digits` is the sum of the classifier's log
    probabilities of its digits; `alike` is true if it was read digit by digit.
    """

    labels: tuple[int, ...]
    line: float
    log_line: float
    digits: float
    alike: bool


class CheckWeights(NamedTuple):
    """What each feature adds to the score of a text, and to the log odds that the best text of a line is right.

    Fitted by `python -m train.line_check` and kept in the model's card under "check", by name.
    """

    text_line: float  # `log_line`
    text_digits: float  # `digits`
    text_length: float  # number of digits
    text_alike: float  # it was read digit by digit
    both: float  # bias, where the best text is also the text read digit by digit
    both_own: float  # log odds of that text by the line's own features
    both_line: float  # log odds of `line`
    both_digits: float  # `digits`
    both_share: float  # log odds of the best text's share among all texts
    both_length: float  # logarithm of the number of digits
    both_strips: float  # logarithm of the number of strips that were read
    one: float  # bias, where it is not; the features below are the same
    one_line: float
    one_digits: float
    one_share: float
    one_length: float
    one_strips: float


# For a model without fitted weights: texts are ranked by the line network alone, and none replaces the first reading.
UNFITTED = CheckWeights(text_line=1.0, **dict.fromkeys(CheckWeights._fields[1:], 0.0))


class Likely(NamedTuple):
    """The probabilities, 0-1, that the text read digit by digit, the network's best text, or any text is right."""

    digits: float
    line: float
    any_text: float


def from_card(card: Mapping[str, Any] | None) -> CheckWeights | None:
    """Return the weights in a model's card; None if it has none. Raises ValueError for invalid ones."""
    return read_weights(card, "check", CheckWeights)


def comparison(texts: Sequence[Text]) -> Float64:
    """Return the features that the scores of N texts sum, float64 (N, 4)."""
    rows = [(text.log_line, text.digits, len(text.labels), text.alike) for text in texts]
    return np.array(rows, np.float64).reshape(-1, 4)


def shares(texts: Sequence[Text], weights: CheckWeights) -> Float64:
    """Return the probability of each of at least one text, float64 (N,), if one of them is right: the sum is 1."""
    scores = comparison(texts) @ np.array(weights[:4])
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def evidence(best: Text, own: float, share: float, strips: int) -> Float64:
    """Return the features for the log odds that the best text is right, without the bias, float64 (6,).

    `own` is the probability, 0-1, that the digits read one by one are right; it counts only where they are the best
    text. `share` is the best text's share among all texts (see `shares`), and `strips` the number of strips read.
    """
    odds = log_odds(np.array([own, best.line, share]))
    return np.array([odds[0], odds[1], best.digits, odds[2], np.log(len(best.labels)), np.log(strips)])


def probabilities(texts: Sequence[Text], own: float, strips: int, weights: CheckWeights) -> list[float]:
    """Return the probability that each of at least one text is right, 0-1; `own` and `strips` are as in `evidence`.

    The best text gets the probability from its evidence. The others get theirs in proportion, and together no more than
    the rest.
    """
    share = shares(texts, weights)
    first = int(share.argmax())
    values = evidence(texts[first], own, float(share[first]), strips)
    if texts[first].alike:
        odds = weights.both + values @ np.array(weights[5:11])
    else:
        odds = weights.one + values[1:] @ np.array(weights[12:])
    right = float(logistic(np.asarray(odds)))
    likely = share * min(right / share[first], (1 - right) / max(1 - share[first], PROBABILITY_FLOOR))
    likely[first] = right
    return [float(each) for each in likely]
