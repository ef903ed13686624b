from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.vision.line_confidence import LineWeights
from edge_runtime.vision.line_confidence import from_card as lines_from_card
from edge_runtime.vision.weights import Weights, from_card

CARD = {"rejection": dict(zip(Weights._fields, range(len(Weights._fields)), strict=True))}


@pytest.mark.parametrize("card", [None, {}, {"rejection": None}, {"name": "digits"}])
def test_a_card_without_weights_has_none(card: dict[str, Any] | None) -> None:
    assert from_card(card) is None


def test_weights_are_read_by_name() -> None:
    assert from_card(CARD) == Weights(*map(float, range(len(Weights._fields))))
    assert from_card({"rejection": dict(reversed(CARD["rejection"].items()))}) == from_card(CARD)


@given(st.lists(st.floats(-100, 100), min_size=len(Weights._fields), max_size=len(Weights._fields)))
def test_weights_come_back_from_a_card(values: list[float]) -> None:
    assert from_card({"rejection": Weights(*values)._asdict()}) == Weights(*values)


@pytest.mark.parametrize(
    "rejection",
    [
        {**CARD["rejection"], "digit": "much"},
        {**CARD["rejection"], "digit": None},
        {**CARD["rejection"], "digit": [1]},
        {**CARD["rejection"], "digit": float("nan")},
        {**CARD["rejection"], "digit": float("-inf")},
        [1.0] * len(Weights._fields),
        "weights",
        7,
    ],
    ids=[
        "a word", "null", "a list", "no number", "infinite", "a list alone", "a word alone", "a number",
    ],
)  # fmt: skip
def test_nonsense_is_refused(rejection: Any) -> None:
    with pytest.raises(ValueError, match=r"the card's weights under rejection are not (a table of|finite) numbers"):
        from_card({"rejection": rejection})


@pytest.mark.parametrize(
    "rejection",
    [{}, dict.fromkeys(Weights._fields[1:], 1), {**CARD["rejection"], "taste": 1}],
    ids=["empty", "one missing", "one more"],
)
def test_weights_of_other_features_are_another_versions(rejection: dict[str, float]) -> None:
    assert from_card({"rejection": rejection}) is None


def test_weights_of_lines_are_read_by_name_too() -> None:
    lines = dict(zip(LineWeights._fields, range(len(LineWeights._fields)), strict=True))
    assert lines_from_card({**CARD, "lines": lines}) == LineWeights(*map(float, range(len(LineWeights._fields))))
    assert lines_from_card(CARD) is None
    assert lines_from_card({"lines": CARD["rejection"]}) is None
