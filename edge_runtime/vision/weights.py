"""The weights of the logistic model that tells a digit by what it is like and by what the page is like."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple


class Weights(NamedTuple):
    """What each feature adds to the logarithm of the odds that a glyph is a digit; `rejection` and docs explain them.

    Fitted by `python -m train.rejection` and kept in the model's card under "rejection", by name.
    """

    bias: float
    digit: float  # log odds that the network gives any digit
    stroke: float  # it is a single stroke
    piece: float  # it is a part of a larger candidate
    stroke_piece: float  # it is both
    size: float  # squared logarithm of its height, of the page's digits
    pale: float  # logarithm of its darkness, of the page's digits, where it is paler
    pen: float  # squared logarithm of its stroke width, of the page's digits
    stroke_pen: float  # the same of a single stroke, in addition
    attached: float  # it is attached, in a share: that of the page's digits that are not
    stroke_attached: float  # the same of a single stroke, in addition
    alone: float  # it is the only glyph of the best plane
    plane: float  # logarithm of its plane's score, of the best plane's


def from_card(card: Mapping[str, Any] | None) -> Weights | None:
    """Return the weights in a model's card; None where it has none. Raises ValueError where they are not Weights."""
    values = (card or {}).get("rejection")
    if values is None:
        return None
    try:
        found = Weights(**{name: float(value) for name, value in values.items()})
        if not all(isfinite(value) for value in found):
            raise ValueError("a weight is infinite or no number")
        return found
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"the card's rejection is not a number for each of {', '.join(Weights._fields)}") from error
