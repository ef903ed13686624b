"""Two readings of a line -> the likelier one, and how likely it is right.

The digits that were cut out one by one are one reading, what the line network reads on the strip as a whole is the
other. They err differently: where they agree, a line is likelier right than either says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from edge_runtime.vision.glyphs import log_odds, logistic
from edge_runtime.vision.weights import read_weights


class CheckWeights(NamedTuple):
    """What adds to the logarithm of the odds that a line is right: the log odds that either reading has by itself.

    Three logistic models: that both are right where they agree, and that one or the other is where they differ.
    Fitted by `python -m train.line_check` and kept in the model's card under "check", by name.
    """

    both: float  # bias where they agree
    both_digits: float
    both_line: float
    digits: float  # bias, for the digits by themselves, where they differ
    digits_digits: float
    digits_line: float
    digits_others: float  # log odds, by the network, of what was read one by one
    digits_longer: float  # 1 where the network reads more digits, -1 where it reads fewer
    line: float  # bias, for the line network, where they differ
    line_digits: float
    line_line: float
    line_others: float
    line_longer: float


class Likely(NamedTuple):
    """How likely the digits by themselves are exactly right, and how likely what the network reads, 0-1."""

    digits: float
    line: float


def from_card(card: Mapping[str, Any] | None) -> CheckWeights | None:
    """Return the weights in a model's card; None where it has none. Raises ValueError where they are others."""
    return read_weights(card, "check", CheckWeights)


def choose(
    digits: float, line: float, others: float, texts: tuple[Sequence[object], Sequence[object]], weights: CheckWeights
) -> Likely:
    """Return how likely either reading is right, from how likely each is by itself, 0-1.

    `texts` is what either reads, and `others` how likely the digits one by one are by the network.
    """
    w = weights
    own, other, rival = log_odds(np.array([digits, line, others])).tolist()
    if texts[0] == texts[1]:
        both = logistic(np.array([w.both + w.both_digits * own + w.both_line * other])).tolist()[0]
        return Likely(both, both)
    longer = (len(texts[1]) > len(texts[0])) - (len(texts[1]) < len(texts[0]))
    odds = [
        w.digits + w.digits_digits * own + w.digits_line * other + w.digits_others * rival + w.digits_longer * longer,
        w.line + w.line_digits * own + w.line_line * other + w.line_others * rival + w.line_longer * longer,
    ]
    return Likely(*logistic(np.array(odds)).tolist())
