import numpy as np
import pytest

from edge_runtime.lines import numbers
from edge_runtime.lines.numbers import Evidence, NumberWeights
from edge_runtime.lines.presence import Seen
from edge_runtime.vision.rejection import LOW_CONFIDENCE, NOT_A_DIGIT, PART_OF_WORD, READ_ELSEWHERE, Verdict

# The network's evidence alone decides, on a glyph and on a line.
WEIGHTS = NumberWeights(
    glyph=0.0, glyph_odds=0.0, glyph_presence=1.0, glyph_line=0.0, line=0.0, line_odds=0.0, line_presence=1.0
)


def verdict(*reasons: str | None) -> Verdict:
    count = len(reasons)
    return Verdict(list(reasons), np.ones(count), np.full((count, 10), 0.1), list(range(count)))


def known(line: list[int], presence: list[float], kept: list[bool] | None = None) -> Evidence:
    count = len(line)
    flags = np.array([True] * count if kept is None else kept)
    return Evidence(np.arange(count), np.array(line), np.ones(count), np.array(presence), flags)


def test_glyphs_seen_that_may_be_digits_count() -> None:
    seen = Seen(np.array([0, 0, -1, 0, 0]), np.array([0.9, 0.2, 0.0, 0.5, 0.5]))
    found = numbers.evidence(seen, verdict(None, NOT_A_DIGIT, None, READ_ELSEWHERE, LOW_CONFIDENCE))
    assert found.rows.tolist() == [0, 1]
    assert found.presence.tolist() == [0.9, 0.2]
    assert found.kept.tolist() == [True, False]


def test_letters_are_rejected_and_digits_restored() -> None:
    found = known([0, 0, 0], [0.99, 0.01, 0.99], [True, True, False])
    judged = numbers.with_digits(found, verdict(None, None, NOT_A_DIGIT), WEIGHTS)
    assert judged.reasons == [None, PART_OF_WORD, None]


def test_rejected_glyphs_keep_their_reason() -> None:
    judged = numbers.with_digits(known([0], [0.01], [False]), verdict(NOT_A_DIGIT), WEIGHTS)
    assert judged.reasons == [NOT_A_DIGIT]


def test_lines_of_words_are_left_out() -> None:
    judged = numbers.without_words(known([0, 0, 1, 1], [0.9, 0.9, 0.6, 0.01]), verdict(*[None] * 4), WEIGHTS)
    assert judged.reasons == [None, None, PART_OF_WORD, PART_OF_WORD]


def test_a_mean_is_over_digits_alone() -> None:
    found = known([0, 0, 2], [0.5, 0.001, 0.9], [True, False, True])
    assert numbers.line_features(found)[:, 1].tolist() == pytest.approx([0.0, 0.0, np.log(9)])
    assert numbers.glyph_features(found)[:, 2].tolist() == pytest.approx([0.0, 0.0, np.log(9)])


def test_no_glyph_is_no_evidence() -> None:
    nothing = numbers.evidence(Seen(np.zeros(0, np.int64), np.zeros(0)), verdict())
    assert numbers.with_digits(nothing, verdict(), WEIGHTS).reasons == []
    assert numbers.without_words(nothing, verdict(), WEIGHTS).reasons == []


def test_a_card_gives_the_weights_or_none() -> None:
    assert numbers.from_card({"numbers": WEIGHTS._asdict()}) == WEIGHTS
    assert numbers.from_card({}) is None
    with pytest.raises(ValueError, match="numbers"):
        numbers.from_card({"numbers": 3})
