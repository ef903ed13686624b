"""The texts that a line may have -> the likeliest one, and how likely each is exactly right.

A log-linear model compares the texts: what the line network says of each, what the classifier says of its digits where
these are cut out, how long it is, and whether it was read digit by digit before. Readers of sequences need a reward for
length, since each further digit lowers the probability of a text (Graves 2012, "Sequence Transduction", section 2.5).
Two logistic models tell how likely the best text is right.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from edge_runtime.vision.glyphs import SURER, Float64, log_odds, logistic
from edge_runtime.vision.weights import read_weights


class Text(NamedTuple):
    """A text that a line may have: `labels` of its digits, 0-9, left to right, at least one.

    `line` is how likely it is by the line network, 0-1, the mean over its strips; `digits` is the sum of the logarithms
    of how likely each digit is by the classifier; `alike` tells whether it was read digit by digit.
    """

    labels: tuple[int, ...]
    line: float
    digits: float
    alike: bool


class CheckWeights(NamedTuple):
    """What each feature adds to the score of a text, and to the log odds that the best text of a line is right.

    Fitted by `python -m train.line_check` and kept in the model's card under "check", by name.
    """

    text_line: float  # logarithm of `line`
    text_digits: float  # `digits`
    text_length: float  # number of digits
    text_alike: float  # it was read digit by digit
    both: float  # bias, where the best text was read digit by digit, too
    both_own: float  # log odds of that reading by the line's own features
    both_line: float  # log odds of `line`
    both_digits: float  # `digits`
    both_share: float  # log odds of the best text among all
    both_length: float  # logarithm of the number of digits
    both_strips: float  # logarithm of the number of strips that were read
    one: float  # the same where it was not
    one_line: float
    one_digits: float
    one_share: float
    one_length: float
    one_strips: float


# By these, which a model without fitted weights gets, the line network's likeliest text counts, and is never believed.
UNFITTED = CheckWeights(text_line=1.0, **dict.fromkeys(CheckWeights._fields[1:], 0.0))


class Likely(NamedTuple):
    """How likely the text is right that was read digit by digit, and how likely the line network's best, 0-1."""

    digits: float
    line: float


def from_card(card: Mapping[str, Any] | None) -> CheckWeights | None:
    """Return the weights in a model's card; None where it has none. Raises ValueError where they are others."""
    return read_weights(card, "check", CheckWeights)


def comparison(texts: Sequence[Text]) -> Float64:
    """Return what the scores of N texts are made of, float64 (N, 4)."""
    rows = [(np.log(max(text.line, SURER)), text.digits, len(text.labels), text.alike) for text in texts]
    return np.array(rows, np.float64).reshape(-1, 4)


def shares(texts: Sequence[Text], weights: CheckWeights) -> Float64:
    """Return how likely each of at least one text is, float64 (N,), if one of them is right: they sum to 1."""
    scores = comparison(texts) @ np.array(weights[:4])
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum())


def evidence(best: Text, own: float, share: float, strips: int) -> Float64:
    """Return what, beside a bias, the log odds that the best text is right are made of, float64 (6,).

    `own` is how likely the digits one by one are right, 0-1; it counts only where they are the best text. `share` is
    the best text's own among all, `strips` is how many of the line were read.
    """
    odds = log_odds(np.array([own, best.line, share]))
    return np.array([odds[0], odds[1], best.digits, odds[2], np.log(len(best.labels)), np.log(strips)])


def choose(texts: Sequence[Text], own: float, strips: int, weights: CheckWeights) -> list[float]:
    """Return how likely each of at least one text is exactly right, 0-1; `own` and `strips` are as in `evidence`.

    The best one is as likely as its evidence says, others in proportion to it, and together no likelier than the rest.
    """
    share = shares(texts, weights)
    first = int(share.argmax())
    values = evidence(texts[first], own, float(share[first]), strips)
    if texts[first].alike:
        odds = weights.both + values @ np.array(weights[5:11])
    else:
        odds = weights.one + values[1:] @ np.array(weights[12:])
    right = float(logistic(np.asarray(odds)))
    likely = share * min(right / share[first], (1 - right) / max(1 - share[first], SURER))
    likely[first] = right
    return [float(each) for each in likely]
