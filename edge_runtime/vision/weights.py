"""The weights of the logistic model that separates digits from all else, and reading of weights from model cards."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T", bound=tuple[float, ...])  # a NamedTuple


class Weights(NamedTuple):
    """What each feature adds to the log odds that a glyph is a digit; `rejection` and docs explain them.

    Fitted by `python -m train.rejection` and kept in the model's card under "rejection", by name.
    """

    bias: float
    digit: float  # log odds of any digit by the classifier
    stroke: float  # 1 for a single stroke
    piece: float  # 1 for a part of a larger candidate
    stroke_piece: float  # 1 for both
    size: float  # squared logarithm of its height relative to the page's digits
    pale: float  # logarithm of its darkness relative to the page's digits, if it is paler
    pen: float  # squared logarithm of its stroke width relative to the page's digits
    stroke_pen: float  # the same, for a single stroke, in addition
    attached: float  # for an attached glyph, the share of the page's digits that are not attached
    stroke_attached: float  # the same, for a single stroke, in addition
    alone: float  # 1 for the only glyph of the best plane
    plane: float  # logarithm of its plane's score relative to the best plane's


def from_card(card: Mapping[str, Any] | None) -> Weights | None:
    """Return the weights in a model's card; None if it has none. Raises ValueError where they are not Weights."""
    return read_weights(card, "rejection", Weights)


def read_weights(card: Mapping[str, Any] | None, key: str, kind: type[T]) -> T | None:
    """Return the weights, a NamedTuple of type `kind`, that a model's card holds under `key`.

    None if it holds none, or weights of other features, as of another version. Raises ValueError if they are not finite
    numbers by name.
    """
    values = (card or {}).get(key)
    if values is None:
        return None
    try:
        numbers = {str(name): float(value) for name, value in values.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"the card's weights under {key} are not a table of numbers") from error
    if not all(isfinite(value) for value in numbers.values()):
        raise ValueError(f"the card's weights under {key} are not finite numbers")
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    return kind(**numbers) if numbers.keys() == set(fields) else None
