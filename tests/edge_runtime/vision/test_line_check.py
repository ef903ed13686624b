import pytest

from edge_runtime.vision.line_check import CheckWeights, choose, from_card

WEIGHTS = CheckWeights(
    both=1.0, both_digits=1.0, both_line=1.0,
    digits=0.0, digits_digits=1.0, digits_line=-1.0, digits_others=1.0, digits_longer=-1.0,
    line=0.0, line_digits=-1.0, line_line=1.0, line_others=-1.0, line_longer=1.0,
)  # fmt: skip

OTHER = ("12", "13")


def test_readings_that_agree_are_equally_likely() -> None:
    both = choose(0.8, 0.9, 0.9, ("12", "12"), WEIGHTS)
    assert both.digits == both.line == pytest.approx(36 * 2.718281828 / (1 + 36 * 2.718281828))


def test_of_two_that_differ_the_surer_one_is_likelier() -> None:
    assert choose(0.9, 0.5, 0.5, OTHER, WEIGHTS) == pytest.approx((0.9, 0.1))
    assert choose(0.5, 0.9, 0.5, OTHER, WEIGHTS) == pytest.approx((0.1, 0.9))
    assert choose(0.5, 0.5, 0.1, OTHER, WEIGHTS) == pytest.approx((0.1, 0.9))


def test_a_network_that_reads_more_is_likelier_right_by_these_weights() -> None:
    more, fewer = choose(0.5, 0.5, 0.5, ("12", "123"), WEIGHTS), choose(0.5, 0.5, 0.5, ("12", "1"), WEIGHTS)
    assert more == pytest.approx((0.268941, 0.731059), abs=1e-6)
    assert fewer == pytest.approx((0.731059, 0.268941), abs=1e-6)


def test_a_reading_that_is_certain_or_impossible_has_bounded_odds() -> None:
    for likely in (0.0, 1.0):
        assert all(0 < value < 1 for value in choose(likely, 1 - likely, likely, OTHER, WEIGHTS))


def test_weights_come_from_the_card() -> None:
    assert from_card({"check": WEIGHTS._asdict()}) == WEIGHTS
    assert from_card({}) is None
    assert from_card({"check": {"both": 1.0}}) is None
    with pytest.raises(ValueError, match="check"):
        from_card({"check": {**WEIGHTS._asdict(), "both": float("nan")}})
