"""The comparison of a small model with the full one: exact numbers, and limits that can be missed."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.accuracy import parity
from benchmarks.accuracy.parity import Parity, compare, misses
from benchmarks.common.limits import read_limits
from convert.recipes import CONVERSIONS
from train.recipes import RECIPES

Float = NDArray[np.float64]


def answers(labels: list[int], confidence: float = 0.91) -> Float:
    """Return probabilities of which the likeliest labels are these."""
    probabilities = np.full((len(labels), 10), (1 - confidence) / 9)
    probabilities[np.arange(len(labels)), labels] = confidence
    return probabilities


def compared(truth: list[int], full: list[int], small: list[int]) -> Parity:
    return compare(answers(full), answers(small), np.array(truth, np.uint8), 1234)


#                        0  1  2  3  4  5  6  7  8  9
TRUTH = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
FULL_ = [0, 0, 0, 5, 1, 1, 1, 1, 2, 7]  # 3 and 9 wrong
SMALL = [0, 0, 6, 0, 1, 1, 1, 9, 7, 8]  # 2, 7, 8 and 9 wrong


def test_numbers_are_exact() -> None:
    comparison = compared(TRUTH, FULL_, SMALL)
    assert comparison.accuracy == pytest.approx(60)
    assert comparison.full_accuracy == pytest.approx(80)
    assert comparison.drop == pytest.approx(20)
    assert comparison.relative_error_increase == pytest.approx(1.0)  # four errors for two
    assert comparison.agreement == pytest.approx(50)
    assert comparison.flipped == [2, 3, 7, 8, 9]
    assert (comparison.only_full_right, comparison.only_small_right) == (3, 1)
    assert comparison.mcnemar_p == pytest.approx(10 / 16)  # 2 P(at most 1 of 4)
    assert comparison.drop_per_class == pytest.approx([0, 25, 50, 0, 0, 0, 0, 0, 0, 0])
    assert comparison.bytes == 1234


def test_differences_are_of_probabilities() -> None:
    full, small = answers([3, 4], 0.91), answers([3, 4], 0.91)
    small[1] = answers([4], 0.82)[0]
    comparison = compare(full, small, np.array([3, 4], np.uint8), 1)
    assert comparison.largest_difference == pytest.approx(0.09)
    assert comparison.mean_difference == pytest.approx((0.09 + 9 * 0.01) / 20)
    assert (comparison.agreement, comparison.drop) == (100, 0)


@pytest.mark.parametrize(
    ("only_full", "only_small", "p"),
    [(8, 2, 0.109375), (2, 8, 0.109375), (10, 0, 2 / 1024), (1, 0, 1.0), (0, 0, 1.0), (3, 3, 1.0)],
)
def test_mcnemar_is_exact_and_two_sided(only_full: int, only_small: int, p: float) -> None:
    truth = [1] * (only_full + only_small + 5)
    full = [1] * only_full + [2] * only_small + [1] * 5
    small = [2] * only_full + [1] * only_small + [1] * 5
    comparison = compared(truth, full, small)
    assert (comparison.only_full_right, comparison.only_small_right) == (only_full, only_small)
    assert comparison.mcnemar_p == pytest.approx(p)


def test_better_small_model_has_a_negative_drop() -> None:
    comparison = compared(TRUTH, SMALL, FULL_)
    assert comparison.drop == pytest.approx(-20)
    assert comparison.relative_error_increase == pytest.approx(-0.5)


def test_errors_cannot_increase_by_a_share_of_none() -> None:
    comparison = compared(TRUTH, TRUTH, SMALL)
    assert comparison.relative_error_increase is None
    assert "None" not in parity.table({"int8": comparison})
    assert compared(TRUTH, TRUTH, TRUTH).drop == 0


def test_models_with_different_errors_do_not_agree() -> None:
    comparison = compared([1, 1], [2, 1], [3, 1])
    assert (comparison.drop, comparison.agreement, comparison.flipped) == (0, 50, [0])


# Limits

GOOD = Parity(
    accuracy=99.4, full_accuracy=99.4, drop=0.0, relative_error_increase=0.0, agreement=100.0, only_full_right=0,
    only_small_right=0, mcnemar_p=1.0, largest_difference=0.01, mean_difference=0.001, drop_per_class=[0.0] * 10,
    flipped=[], flipped_read=[], bytes=700_000, nll_rise=0.0, rejection_agreement=None, digits=10_000, others=0,
)  # fmt: skip
LIMITS: dict[str, Any] = {
    "parity": {
        "int8": {
            "max_drop": 0.10,
            "min_agreement": 99.80,
            "max_bytes": 1_048_576,
            "max_nll_rise": 0.01,
        },
        "float32": {"max_drop": 0.01, "min_agreement": 99.99, "max_nll_rise": 0.0001},
    },
    "accuracy": {"standard": 99.30, "smoke": 94.0},
    "rejection": {"standard": 99.5},
}


@pytest.mark.parametrize(
    ("just_met", "just_missed", "message"),
    [
        ({"drop": 0.10}, {"drop": 0.11}, "int8: drop 0.11 points, 0.01 above the limit of 0.10"),
        ({"agreement": 99.80}, {"agreement": 99.79}, "int8: agreement 99.79 %, 0.01 below the limit of 99.80 %"),
        ({"bytes": 1_048_576}, {"bytes": 1_048_577}, "int8: 1,048,577 bytes, 1 above the limit of 1,048,576"),
        ({"nll_rise": 0.01}, {"nll_rise": 0.0101}, "int8: calibration 0.0101 nats worse (allowed: 0.0100)"),
        ({"rejection_agreement": 99.5}, {"rejection_agreement": 99.4},
         "int8: rejects alike 99.40 %, 0.10 below the limit of 99.50 %"),
        ({"accuracy": 99.30}, {"accuracy": 99.29}, "int8: accuracy 99.29 %, 0.01 below the limit of 99.30 %"),
    ],
)  # fmt: skip
def test_limit_is_met_or_missed_by_a_digit(just_met: dict[str, Any], just_missed: dict[str, Any], message: str) -> None:
    assert misses({"int8": dataclasses.replace(GOOD, **just_met)}, "standard", LIMITS) == []
    assert misses({"int8": dataclasses.replace(GOOD, **just_missed)}, "standard", LIMITS) == [message]


def test_limits_are_met_by_their_exact_share() -> None:
    truth = [1] * 10_000
    ten_worse = compared(truth, truth, [2] * 10 + truth[10:])
    eleven_worse = compared(truth, truth, [2] * 11 + truth[11:])
    assert misses({"int8": ten_worse}, "standard", LIMITS) == []
    assert misses({"int8": eleven_worse}, "standard", LIMITS) == [
        "int8: drop 0.11 points, 0.01 above the limit of 0.10"
    ]
    twenty_flipped = [2] * 10 + [1] * 9990, [1] * 10 + [2] * 10 + [1] * 9980
    assert compared(truth, *twenty_flipped).agreement == pytest.approx(99.80)
    assert misses({"int8": compared(truth, *twenty_flipped)}, "standard", LIMITS) == []


def test_every_miss_is_listed() -> None:
    bad = dataclasses.replace(GOOD, drop=5.0, agreement=90.0, accuracy=90.0, bytes=2_000_000)
    missed = misses({"float32": dataclasses.replace(GOOD, drop=0.02), "int8": bad}, "smoke", LIMITS)
    assert [line.split(",")[0] for line in missed] == [
        "float32: drop 0.02 points",
        "int8: drop 5.00 points",
        "int8: agreement 90.00 %",
        "int8: 2",
        "int8: accuracy 90.00 %",
    ]


def test_an_eleventh_output_rejects_labels_stay_digits() -> None:
    full = np.array([[0.6, *[0.0] * 9, 0.4], [0.3, *[0.0] * 9, 0.7], [0.0, 0.9, *[0.0] * 8, 0.1]])
    small = np.array([[0.4, *[0.0] * 9, 0.6], [0.2, *[0.0] * 9, 0.8], [0.0, 0.9, *[0.0] * 8, 0.1]])
    others = (np.array([[0.8, *[0.0] * 9, 0.2]]), np.array([[0.7, *[0.0] * 9, 0.3]]))
    comparison = compare(full, small, np.array([0, 0, 1], np.uint8), 1, others, 0.5)
    assert (comparison.accuracy, comparison.agreement, comparison.drop) == (100, 100, 0)
    assert comparison.rejection_agreement == 75  # the first digit is rejected by the small model alone
    assert comparison.nll_rise == pytest.approx((np.log(0.6 / 0.4) + np.log(0.3 / 0.2)) / 3)
    assert compare(full, small, np.array([0, 0, 1], np.uint8), 1).rejection_agreement is None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_none_fail(bad: float) -> None:
    small = answers(TRUTH)
    small[4, 7] = bad
    comparison = compare(answers(TRUTH), small, np.array(TRUTH, np.uint8), 1)
    assert "int8: its outputs are not finite numbers" in misses({"int8": comparison}, None, LIMITS)


def test_nothing_but_nan_fails_every_limit() -> None:
    nan = dataclasses.replace(GOOD, drop=math.nan, agreement=math.nan, accuracy=math.nan, largest_difference=math.nan)
    assert len(misses({"int8": nan}, "standard", LIMITS)) == 4


def test_model_without_limits_does_not_pass() -> None:
    with pytest.raises(KeyError, match="float16"):
        misses({"float16": GOOD}, "standard", LIMITS)
    with pytest.raises(KeyError, match="unheard-of"):
        misses({"int8": GOOD}, "unheard-of", LIMITS)
    with pytest.raises(KeyError, match="min_agreement"):
        misses({"int8": GOOD}, "standard", {**LIMITS, "parity": {"int8": {"max_drop": 1}}})


def test_accuracy_counts_where_the_training_recipe_is_known() -> None:
    worse = dataclasses.replace(GOOD, accuracy=94.5)
    assert misses({"int8": worse}, "smoke", LIMITS) == []
    assert misses({"int8": worse}, None, LIMITS) == []
    assert misses({"float32": worse}, "standard", LIMITS) == []
    assert len(misses({"int8": worse}, "standard", LIMITS)) == 1


def test_thresholds_demand_what_was_promised() -> None:
    limits = read_limits()
    assert set(limits["parity"]) == set(CONVERSIONS)
    assert set(limits["accuracy"]) == set(RECIPES)
    assert limits["parity"]["int8"]["max_drop"] <= 0.05
    assert limits["parity"]["int8"]["min_agreement"] >= 99.90
    assert limits["parity"]["int8"]["max_bytes"] <= 1_048_576
    assert limits["accuracy"]["standard"] >= 99.30
    assert limits["accuracy"]["release"] >= 99.40
    assert limits["rejection"]["release"] >= 99.5
    assert set(limits["rejection"]) == {name for name, recipe in RECIPES.items() if recipe.classes > 10}
    for name in CONVERSIONS:
        assert limits["parity"][name]["max_drop"] <= 0.10
        assert limits["parity"][name]["min_agreement"] >= 99.80


# What is shown


def test_table_has_a_line_for_each_model() -> None:
    lines = parity.table({"float32": GOOD, "int8": compared(TRUTH, FULL_, SMALL)}).splitlines()
    assert lines[0].split()[:4] == ["model", "bytes", "accuracy", "drop"]
    assert lines[1].split() == ["full", "99.40", "%"]
    assert lines[2].split()[:4] == ["float32", "700,000", "99.40", "%"]
    assert lines[3].split() == [
        "int8", "1,234", "60.00", "%", "20.00", "+100.0%", "50.00", "%", "0.625", "0.9000", "+0.90217", "+50.00",
    ]  # fmt: skip


def test_record_is_json_with_every_figure() -> None:
    results = {"int8": compared(TRUTH, FULL_, SMALL)}
    details = json.loads(json.dumps(parity.details(results, ["int8: too bad"])))
    assert details["passed"] is False
    assert details["missed"] == ["int8: too bad"]
    assert details["models"]["int8"] == dataclasses.asdict(results["int8"])
    assert parity.details(results, [])["passed"] is True


def test_measures_count_digits() -> None:
    others = answers([1, 2]), answers([3, 4], 0.3)  # accepted by the one, rejected by the other
    results = {
        "float32": compared(TRUTH, FULL_, FULL_),
        "int8": compare(answers(FULL_), answers(SMALL), np.array(TRUTH, np.uint8), 1234, others, 0.5),
    }
    measures = {measure.name: measure for measure in parity.measures(results)}
    counts = {name: (measure.count, measure.of) for name, measure in measures.items() if measure.of is not None}
    assert counts == {
        "full/accuracy": (8, 10), "float32/accuracy": (8, 10), "float32/agreement": (10, 10), "int8/accuracy": (6, 10),
        "int8/agreement": (5, 10), "int8/rejects alike": (10, 12),
    }  # fmt: skip
    assert measures["int8/drop"].value == pytest.approx(20)
    assert measures["int8/drop"].unit == "%"
    assert measures["int8/McNemar p"].value == pytest.approx(10 / 16)
    assert (measures["int8/file"].value, measures["int8/file"].unit, measures["int8/file"].better) == (
        1234, "B", "lower",
    )  # fmt: skip
    assert measures["float32/NLL rise"].value == 0


def test_nan_is_null_in_the_file() -> None:
    small = answers(TRUTH)
    small[4] = math.nan
    results = {"int8": compare(answers(TRUTH), small, np.array(TRUTH, np.uint8), 1)}
    assert parity.details(results, [])["models"]["int8"]["largest_difference"] is None
    assert "int8/NLL rise" not in {measure.name for measure in parity.measures(results)}
    assert "NaN" not in json.dumps(parity.details(results, []))


def test_a_recipe_may_have_limits_of_its_own() -> None:
    own = {"max_drop": 0.3, "min_agreement": 99.0}
    limits = {**LIMITS, "parity": {**LIMITS["parity"], "int8": {**LIMITS["parity"]["int8"], "smoke": own}}}
    worse = dataclasses.replace(GOOD, drop=0.25, agreement=99.5)
    assert misses({"int8": worse}, "smoke", limits) == []
    assert len(misses({"int8": worse}, "standard", limits)) == 2
    assert len(misses({"int8": dataclasses.replace(worse, drop=0.4)}, "smoke", limits)) == 1
