import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import reject
from edge_runtime.reading import order
from edge_runtime.records import Box, Candidate
from edge_runtime.reject import BLOT, BROAD, COMMA, FULL, SMALL, STROKE

Offer = tuple[Box, float]
GRAY = 100  # of the ink of every mark below: as of a stroke that fills two fifths of its box
BIT = 1e-6


def mark(x: int, y: int, width: int = 24, height: int = 40, confidence: float = 1.0) -> Offer:
    return Box(x, y, width, height), confidence


def word(*confidences: float, x: int = 0, y: int = 0) -> list[Offer]:
    """Return marks that stand together on one line."""
    return [mark(x + 30 * i, y, confidence=confidence) for i, confidence in enumerate(confidences)]


def alone(*confidences: float, y: int = 0) -> list[Offer]:
    """Return marks that stand alone, each on its own line."""
    return [mark(100, y + 100 * i, confidence=confidence) for i, confidence in enumerate(confidences)]


def reasons(
    *offered: Offer, min_confidence: float = 0.5, level: int = GRAY, sure: list[float] | None = None
) -> list[str | None]:
    """Return what speaks against marks; `sure` is how likely each is any digit, by default as likely as it is one."""
    candidates = [
        Candidate(box, np.full((box.height, box.width), level, np.uint8), frozenset({i}))
        for i, (box, _) in enumerate(offered)
    ]
    lines = order([box for box, _ in offered])
    best = [confidence for _, confidence in offered]
    return reject.reasons(candidates, best, best if sure is None else sure, lines, min_confidence)


def test_an_empty_page_has_no_reasons() -> None:
    assert reasons() == []


def test_sure_digits_have_no_reason_against_them() -> None:
    assert reasons(*word(1.0, 1.0, 1.0), *alone(1.0, 1.0, y=200)) == [None] * 5


def test_low_confidence_is_rejected_and_the_limit_itself_is_enough() -> None:
    page = word(1.0, 1.0, 1.0, 1.0, 1.0, 0.8)
    assert reasons(*page, min_confidence=0.8) == [None] * 6
    assert reasons(*page, min_confidence=0.8 + BIT) == [*[None] * 5, reject.LOW_CONFIDENCE]


@pytest.mark.parametrize(
    ("width", "part", "level"),
    [(60, SMALL, int(BLOT * 255)), (2, COMMA, GRAY), (60, COMMA, int(BLOT * 255) + 1)],
    ids=["digit", "stroke", "blot"],
)
def test_what_is_far_smaller_than_the_pages_digits_is_a_speck_and_strokes_and_blots_are_commas(
    width: int, part: float, level: int
) -> None:
    digits = [mark(0, 0, 60, 100), mark(70, 0, 60, 100)]
    limit = int(np.ceil(part * 100))
    width = min(width, limit)
    small = mark(140, 60, width, limit), mark(140, 60, min(width, limit - 1), limit - 1)
    assert reasons(*digits, small[0], level=level) == [None] * 3
    assert reasons(*digits, small[1], level=level) == [None, None, reject.TOO_SMALL]


def test_a_slanted_stroke_is_a_comma_however_wide_its_box() -> None:
    digits = [Candidate(Box(100 * i, 0, 60, 100), np.full((100, 60), GRAY, np.uint8), frozenset({i})) for i in range(6)]
    slanted, round_one = (np.zeros((40, 30), np.uint8) for _ in range(2))
    cv2.line(slanted, (2, 38), (28, 2), 255, 4)
    cv2.ellipse(round_one, (15, 20), (11, 16), 0, 0, 360, 255, 2)
    found = []
    for ink in (slanted, round_one):
        candidates = [*digits, Candidate(Box(700, 30, 30, 40), ink, frozenset({6}))]
        lines = order([candidate.box for candidate in candidates])
        found.append(reject.reasons(candidates, [1.0] * 7, [1.0] * 7, lines, 0.5)[-1])
    assert found == [reject.TOO_SMALL, None]


def test_a_dash_is_judged_by_its_longer_side() -> None:
    # It is as long as the others are high, but much broader than high.
    assert reasons(*word(1.0, 1.0), mark(60, 18, 40, 4)) == [None, None, reject.NOT_A_DIGIT]


def test_small_comes_before_unsure() -> None:
    assert reasons(mark(0, 0, 30, 40), mark(40, 30, 5, 5, 0.1)) == [None, reject.TOO_SMALL]


def test_only_what_is_sure_enough_tells_how_large_digits_are() -> None:
    large = [mark(400 * i, 300, 200, 300, 0.2) for i in range(2)]
    assert reasons(*large, mark(0, 0, 20, 40)) == [*[reject.LOW_CONFIDENCE] * 2, None]


def test_a_page_of_nothing_sure_has_no_typical_size() -> None:
    assert reasons(mark(0, 0, 200, 300, 0.1), mark(0, 400, 3, 3, 0.1)) == [reject.LOW_CONFIDENCE] * 2


def test_small_digits_on_a_line_of_their_own_are_no_specks() -> None:
    large = mark(0, 0, 90, 150)
    line = [mark(30 * i, 300, 12, 20) for i in range(reject.ENOUGH)]
    assert reasons(large, *line) == [None] * (1 + reject.ENOUGH)
    # Too few of them, and too small ones, are.
    assert reasons(large, *line[1:]) == [None, *[reject.TOO_SMALL] * (reject.ENOUGH - 1)]
    dust = [mark(30 * i, 300, 6, reject.LEGIBLE - 1) for i in range(10)]
    assert reasons(large, *dust) == [None, *[reject.TOO_SMALL] * 10]
    # And beside a line's digits, what is a speck there still is one.
    assert reasons(large, *line, mark(200, 316, 3, 3)) == [None] * (1 + reject.ENOUGH) + [reject.TOO_SMALL]


def test_a_stroke_says_nothing_of_its_company() -> None:
    # As many strokes as anyone likes, and nothing among them looks like a digit: they are edges and cables.
    strokes = [mark(100, 100 * i, 10, 40, 0.997) for i in range(8)]
    nothing = [mark(300, 100 * i, 30, 40, 0.02) for i in range(8)]
    assert None not in reasons(*strokes, *nothing)
    digits = [mark(300, 100 * i, 30, 40, 1.0) for i in range(8)]
    assert reasons(*strokes, *digits) == [None] * 16


def test_much_ink_tells_more_of_the_size_than_many_marks() -> None:
    specks = [mark(40 * i, 0, 4, 5) for i in range(10)]
    assert reasons(mark(0, 100, 60, 90), *specks) == [None, *[reject.TOO_SMALL] * 10]


def test_what_is_broader_than_digits_are_is_none() -> None:
    limit = int(BROAD * 40)
    assert reasons(mark(0, 0, limit, 40)) == [None]
    assert reasons(mark(0, 0, limit + 1, 40)) == [reject.NOT_A_DIGIT]


def test_a_box_full_of_ink_is_no_digit_unless_it_is_slender() -> None:
    full = int(FULL * 255)
    assert reasons(mark(0, 0, 30, 40), level=full) == [None]
    assert reasons(mark(0, 0, 30, 40), level=full + 1) == [reject.NOT_A_DIGIT]
    slender = int(STROKE * 40)
    assert reasons(mark(0, 0, slender, 40), level=255) == [None]
    assert reasons(mark(0, 0, slender + 1, 40), level=255) == [reject.NOT_A_DIGIT]


def test_a_box_around_a_digit_is_a_rule_and_the_digit_is_read() -> None:
    assert reasons(mark(0, 0, 80, 100), mark(25, 25, 30, 50)) == [reject.LINE, None]
    assert reasons(mark(0, 0, 80, 100), mark(1, 25, 30, 50)) == [None, None]


def test_a_word_of_letters_is_rejected_whatever_is_sure_in_it() -> None:
    page = [*word(0.999, 0.999, 0.999, 0.999), *word(0.3, 0.2, 0.9, 0.1, y=100)]
    low = reject.LOW_CONFIDENCE
    assert reasons(*page) == [*[None] * 4, low, low, reject.PART_OF_WORD, low]


def test_the_same_doubt_is_a_digit_among_digits_and_none_among_letters() -> None:
    doubtful = 0.8
    assert reasons(*word(*[0.999] * 7, doubtful))[-1] is None
    assert reasons(*word(*[0.05] * 7, doubtful))[-1] == reject.PART_OF_WORD
    assert reasons(*alone(*[0.05] * 7, doubtful))[-1] == reject.LOW_CONFIDENCE


def test_a_doubt_which_digit_it_is_does_not_speak_against_its_being_one() -> None:
    marks = word(0.6, 0.55, 0.6, 0.55)
    assert reasons(*marks) == [reject.PART_OF_WORD] * 4
    assert reasons(*marks, sure=[0.999] * 4) == [None] * 4


def test_a_mark_alone_on_a_page_has_to_look_like_a_digit_on_its_own() -> None:
    assert reasons(*alone(0.999)) == [None]
    assert reasons(*alone(0.6)) == [reject.LOW_CONFIDENCE]


def test_what_is_rejected_for_its_size_is_no_company() -> None:
    digits = alone(*[0.9] * 3)
    specks = [mark(140 + 10 * i, 36, 3, 3, confidence=0.6) for i in range(20)]
    assert reasons(*digits, *specks) == [*reasons(*digits), *[reject.TOO_SMALL] * 20]


@pytest.mark.parametrize("confidence", [0.0, 0.3, 1.0])
def test_where_any_confidence_is_enough_only_sizes_and_shapes_count(confidence: float) -> None:
    page = [*word(*[confidence] * 5), mark(400, 0, 3, 3, confidence), mark(500, 0, 100, 40, confidence)]
    assert reasons(*page, min_confidence=0)[:5] == [None] * 5
    assert reasons(*page, min_confidence=0)[-1] == reject.NOT_A_DIGIT


def test_only_full_confidence_is_enough_for_a_limit_of_1() -> None:
    assert reasons(*alone(1.0), min_confidence=1) == [None]
    assert reasons(*alone(1 - BIT), min_confidence=1) == [reject.LOW_CONFIDENCE]


OFFERS = st.lists(
    st.tuples(st.builds(Box, *[st.integers(0, 400)] * 2, *[st.integers(1, 60)] * 2), st.floats(0, 1)), max_size=20
)


@given(OFFERS, st.floats(0, 1))
def test_every_candidate_has_a_known_reason_or_none(offered: list[Offer], min_confidence: float) -> None:
    found = reasons(*offered, min_confidence=min_confidence)
    assert len(found) == len(offered)
    assert set(found) <= {None, *reject.REASONS}
    assert all(confidence >= min_confidence for (_, confidence), why in zip(offered, found, strict=True) if why is None)
    assert len(set(reject.REASONS)) == len(reject.REASONS)
