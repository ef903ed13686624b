import numpy as np

from edge_runtime.lines import numbers
from train.numbers import Sample, fit


def lines(count: int) -> Sample:
    """Return lines of four glyphs, half of them numbers, with a presence that mostly tells which."""
    rng = np.random.default_rng(1)
    number = np.repeat(rng.random(count) < 0.5, 4)
    odds = rng.normal(1, 1, 4 * count)
    presence = 1 / (1 + np.exp(-rng.normal(np.where(number, 3, -3), 2)))
    return Sample(np.repeat(np.arange(count) * 7, 4), odds, presence, odds > 0, number)


def test_fitted_weights_separate_digits_from_letters() -> None:
    sample = lines(500)
    weights = fit(sample)
    assert weights.glyph_presence > 0
    assert weights.line_presence > 0
    odds = numbers.glyph_odds(sample.known(), weights)
    assert np.mean((odds > 0) == sample.digit) > 0.95


def test_lines_are_numbered_without_gaps() -> None:
    assert set(lines(5).known().line.tolist()) == set(range(5))
