import numpy as np
import pytest

from edge_runtime.vision.line_check import UNFITTED, CheckWeights, Text, from_card, probabilities, shares

WEIGHTS = CheckWeights(
    text_line=1.0, text_digits=0.5, text_length=2.0, text_alike=1.0,
    both=-1.0, both_own=1.0, both_line=0.0, both_digits=0.5, both_share=0.0, both_length=1.0, both_strips=0.5,
    one=0.0, one_line=1.0, one_digits=0.0, one_share=0.0, one_length=0.0, one_strips=0.0,
)  # fmt: skip


def text(*labels: int, line: float = 0.5, digits: float = 0.0, alike: bool = False) -> Text:
    return Text(labels, line, float(np.log(line)) if line else -99.0, digits, alike)


def test_each_feature_adds_to_a_texts_score() -> None:
    same = text(1, 2)
    for other, odds in (
        (text(3, 4, line=0.25), 2.0),
        (text(3, 4, digits=-2.0), np.e),
        (text(3), np.e**2),
        (text(3, 4, alike=True), 1 / np.e),
    ):
        share = shares([same, other], WEIGHTS)
        assert share.sum() == pytest.approx(1.0)
        assert share[0] / share[1] == pytest.approx(odds)


def test_the_best_text_has_its_evidences_probability() -> None:
    texts = [text(1, 2, line=0.6), text(3, 4, line=0.2)]
    for own in (0.1, 0.9):  # which counts for what was read digit by digit
        assert probabilities(texts, own, 9, WEIGHTS) == pytest.approx([0.6, 0.2])
    odds = 0.7 / 0.3 * np.exp(-1.0 - 0.5 * 2.0) * 2 * 3  # of two digits, by nine strips
    both = odds / (1 + odds)
    alike = [texts[0]._replace(alike=True, digits=-2.0), texts[1]._replace(digits=-2.0)]
    assert probabilities(alike, 0.7, 9, WEIGHTS) == pytest.approx([both, both / (3 * np.e)])


def test_texts_are_not_likelier_together_than_certain() -> None:
    for own in (0.0, 1.0):
        for line in (0.0, 0.5, 1.0):
            texts = [text(1, line=line, digits=-9.0), text(2, line=line, alike=True), text(3, line=1 - line)]
            likely = probabilities(texts, own, 3, WEIGHTS)
            assert all(0 <= value <= 1 for value in likely)
            assert sum(likely) <= 1 + 1e-9


def test_without_fitted_weights_the_line_network_decides() -> None:
    texts = [text(1, line=0.3), text(2, line=0.4), text(3, digits=-50.0, line=0.1)]
    assert shares(texts, UNFITTED) == pytest.approx([0.375, 0.5, 0.125])


def test_weights_come_from_the_card() -> None:
    assert from_card({"check": WEIGHTS._asdict()}) == WEIGHTS
    assert from_card({}) is None
    assert from_card({"check": {"both": 1.0}}) is None
    with pytest.raises(ValueError, match="check"):
        from_card({"check": {**WEIGHTS._asdict(), "both": float("nan")}})
