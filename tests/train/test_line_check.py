import numpy as np
import pytest

from edge_runtime.vision.line_check import CheckWeights
from train.line_check import MOST, Sample, best_texts, evidence_weights, fit

TRUE = CheckWeights(
    text_line=0.8, text_digits=0.4, text_length=1.2, text_alike=0.9,
    both=0.5, both_own=0.6, both_line=0.4, both_digits=0.2, both_share=0.3, both_length=0.1, both_strips=0.1,
    one=-0.5, one_line=0.7, one_digits=0.1, one_share=0.4, one_length=0.1, one_strips=0.1,
)  # fmt: skip


def lines(count: int) -> Sample:
    """Return lines of three texts, of which the true one is as likely as the first four of TRUE say."""
    rng = np.random.default_rng(1)
    texts = np.zeros((count, MOST, 5))
    texts[:, :3, 0] = rng.uniform(0.01, 0.9, (count, 3))
    texts[:, :3, 1] = np.log(texts[:, :3, 0])
    texts[:, :3, 2] = -rng.exponential(2.0, (count, 3))
    texts[:, :3, 3] = rng.integers(1, 5, (count, 3))
    texts[:, 0, 4] = rng.random(count) < 0.7
    scores = texts[:, :3, 1:] @ np.array(TRUE[:4])
    share = np.exp(scores - np.logaddexp.reduce(scores, axis=1)[:, None])
    right = (rng.random((count, 1)) > share.cumsum(axis=1)).sum(axis=1)
    strips = rng.integers(1, 10, count)
    return Sample(texts, np.full(count, 3), strips, rng.uniform(0.01, 0.99, count), right)


def test_the_weights_behind_the_texts_are_recovered() -> None:
    assert fit(lines(20_000))[:4] == pytest.approx(TRUE[:4], abs=0.1)


def test_agreement_on_long_lines_counts_more_than_fitted() -> None:
    sample = lines(2000)
    fitted = fit(sample)
    plain = evidence_weights(sample, fitted)
    assert fitted.both_length > plain.both_length
    assert fitted._replace(both_length=plain.both_length) == plain


def test_the_best_texts_probability_follows_its_evidence() -> None:
    sample = lines(60_000)
    first, alike = best_texts(sample, TRUE)
    # Right as likely as the digits one by one where these are the best text, and else one time in four.
    chance = np.random.default_rng(2).random(60_000)
    fitted = evidence_weights(
        sample._replace(right=np.where(chance < np.where(alike, sample.own, 0.25), first, -1)), TRUE
    )
    assert fitted[:4] == TRUE[:4]
    assert fitted[4:11] == pytest.approx((0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), abs=0.1)
    assert fitted[11:] == pytest.approx((-np.log(3), 0.0, 0.0, 0.0, 0.0, 0.0), abs=0.1)
    # More evidence never makes a text less likely.
    against = np.where(chance < np.where(alike, 1 - sample.own, 0.25), first, -1)
    assert evidence_weights(sample._replace(right=against), TRUE).both_own == 0.0
