import numpy as np
import pytest

from edge_runtime.pages import Placed
from edge_runtime.records import Box
from edge_runtime.vision.line_check import CheckWeights, choose
from train.line_check import Sample, drawn, fit

TRUE = CheckWeights(
    both=0.5, both_digits=0.6, both_line=0.4,
    digits=-0.5, digits_digits=0.7, digits_line=-0.3, digits_others=0.4, digits_longer=-0.5,
    line=-1.0, line_digits=-0.2, line_line=0.8, line_others=-0.3, line_longer=0.6,
)  # fmt: skip


def lines(count: int) -> Sample:
    """Return lines whose readings are right as likely as TRUE says."""
    rng = np.random.default_rng(1)
    digits, line, others = rng.uniform(0.01, 0.99, (3, count))
    agree = rng.random(count) < 0.5
    longer = np.where(agree, 0, rng.integers(-1, 2, count)).astype(float)
    texts = [("12", "12" if same else {0.0: "13", 1.0: "123", -1.0: "1"}[more])
             for same, more in zip(agree, longer, strict=True)]  # fmt: skip
    likely = [choose(a, b, c, text, TRUE) for a, b, c, text in zip(digits, line, others, texts, strict=True)]
    right = rng.random(count)
    by_digits = np.array([right[i] < each.digits for i, each in enumerate(likely)])
    by_line = np.array([right[i] < each.line for i, each in enumerate(likely)])
    return Sample(digits, line, others, agree, longer, by_digits, by_line, np.ones(count, np.bool_))


def test_what_agreement_is_worth_is_told_by_clear_lines_alone() -> None:
    sample = lines(20_000)
    clear = np.random.default_rng(2).random(20_000) < 0.5
    other = sample._replace(clear=clear, line_right=sample.line_right & (clear | ~sample.agree))
    assert fit(other)[:3] == pytest.approx(TRUE[:3], abs=0.15)


def test_the_weights_that_made_the_lines_are_found() -> None:
    assert fit(lines(20_000)) == pytest.approx(TRUE, abs=0.1)


def test_the_truth_of_a_reading_is_the_drawn_line_that_its_digits_are_on() -> None:
    digits = [Placed(label, Box(30 * i, 60 * line, 20, 40), line) for line in range(2) for i, label in enumerate("123")]
    first = [digit.box for digit in digits[:3]]
    assert drawn(digits, first[:2]) == "123"
    assert drawn(digits, [*first, digits[4].box]) is None
    assert drawn(digits, [Box(300, 300, 20, 40)]) is None
