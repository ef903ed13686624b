import numpy as np
import pytest

from edge_runtime import reject
from edge_runtime.records import Box, Candidate


def reasons(*offered: tuple[int, int, float], min_confidence: float = 0.5) -> list[str | None]:
    """Judge candidates of (width, height, confidence) each."""
    candidates = [
        Candidate(Box(0, 0, width, height), np.zeros((height, width), np.uint8), frozenset({i}))
        for i, (width, height, _) in enumerate(offered)
    ]
    return reject.reasons(candidates, [confidence for _, _, confidence in offered], min_confidence)


def test_an_empty_page_has_no_reasons() -> None:
    assert reasons() == []


def test_low_confidence_is_rejected_and_the_limit_itself_is_enough() -> None:
    assert reasons((20, 40, 0.49), (20, 40, 0.5), (20, 40, 0.99)) == [reject.LOW_CONFIDENCE, None, None]


def test_what_is_far_smaller_than_the_digits_of_the_page_is_too_small_however_sure() -> None:
    assert reasons((30, 40, 0.9), (25, 40, 0.9), (10, 13, 0.99)) == [None, None, reject.TOO_SMALL]
    assert reasons((30, 40, 0.9), (25, 40, 0.9), (10, 14, 0.99)) == [None, None, None]


def test_small_comes_before_unsure() -> None:
    assert reasons((30, 40, 0.9), (5, 5, 0.1)) == [None, reject.TOO_SMALL]


def test_only_sure_digits_tell_how_large_digits_are() -> None:
    assert reasons((300, 300, 0.2), (300, 300, 0.2), (20, 20, 0.9)) == [*[reject.LOW_CONFIDENCE] * 2, None]


def test_a_dash_is_judged_by_its_longer_side() -> None:
    assert reasons((20, 40, 0.9), (30, 4, 0.9)) == [None, None]


def test_a_page_of_nothing_sure_has_no_typical_size() -> None:
    assert reasons((200, 300, 0.1), (3, 3, 0.1)) == [reject.LOW_CONFIDENCE] * 2


@pytest.mark.parametrize("min_confidence", [0.0, 1.0])
def test_the_limits_of_confidence(min_confidence: float) -> None:
    assert reasons((20, 40, 1.0), min_confidence=min_confidence) == [None]
