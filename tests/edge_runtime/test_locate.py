import numpy as np
import pytest

from edge_runtime import reject
from edge_runtime.locate import (
    FRAME,
    MIN_BODY,
    MIN_SIDE,
    PALE,
    PIECE_ASPECT,
    SLENDER,
    SPECK,
    WIDE,
    Located,
    cut_further,
    locate,
)
from edge_runtime.marks import DUST, MIN_INK, find_marks
from edge_runtime.records import Box, Candidate, Uint8


def plane(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (200, 300), ink: int = 255) -> Uint8:
    pixels = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        pixels[y : y + height, x : x + width] = ink
    return pixels


def pair(ink: Uint8, x: int, y: int, width: int = 13, gap: int = 4) -> Uint8:
    """Draw two bars with a bridge between them, 40 pixels high."""
    ink[y : y + 40, x : x + width] = ink[y : y + 40, x + width + gap : x + 2 * width + gap] = 255
    ink[y + 18 : y + 21, x : x + 2 * width] = 255
    return ink


def boxes(located: Located) -> list[Box]:
    return sorted(candidate.box for candidate in located.candidates)


def joined(located: Located) -> list[Candidate]:
    return [candidate for candidate in located.candidates if len(candidate.marks) > 1]


def rejected(located: Located) -> list[tuple[Box, str]]:
    assert all(rejection.confidence is None for rejection in located.rejections)
    return [(rejection.box, rejection.reason) for rejection in located.rejections]


def test_every_connected_mark_is_a_candidate_with_its_exact_box() -> None:
    located = locate(plane((20, 30, 6, 40), (120, 35, 20, 30)))
    assert sorted(located.marks) == boxes(located) == [(20, 30, 6, 40), (120, 35, 20, 30)]
    assert located.rejections == []
    for candidate in located.candidates:
        (mark,) = candidate.marks
        assert located.marks[mark] == candidate.box


def test_a_candidate_holds_its_own_ink_and_a_rim_around_it() -> None:
    ink = plane((20, 30, 6, 40), ink=200)
    ink[29:71, 26] = 30  # the soft edge of the stroke
    (candidate,) = locate(ink).candidates
    assert np.array_equal(candidate.ink, ink[29:71, 19:27])


def test_a_candidate_does_not_hold_what_else_lies_in_its_box() -> None:
    ink = plane((20, 30, 4, 60), (20, 86, 60, 4), (50, 40, 12, 14))  # an L, and something in its corner
    (candidate,) = [c for c in locate(ink).candidates if c.box == (20, 30, 60, 60) and len(c.marks) == 1]
    assert candidate.ink.sum() == 255 * (4 * 60 + 56 * 4)


def test_a_mark_in_the_corner_of_the_picture_keeps_inside() -> None:
    located = locate(plane((0, 0, 10, 20), (290, 180, 10, 20)))
    assert [candidate.ink.shape for candidate in located.candidates] == [(21, 11), (21, 11)]
    assert boxes(located) == [(0, 0, 10, 20), (290, 180, 10, 20)]


def test_the_pieces_of_a_broken_digit_are_offered_joined() -> None:
    flag, body = (52, 40, 26, 5), (50, 48, 24, 40)  # a 5 whose top stroke floats above
    located = locate(plane(flag, body))
    (join,) = [candidate for candidate in joined(located) if candidate.box == (50, 40, 28, 48)]
    assert join.marks == set(range(len(located.marks)))
    assert join.ink.sum() == 255 * (26 * 5 + 24 * 40)


def test_three_pieces_in_a_row_are_offered_as_one() -> None:
    located = locate(plane((50, 40, 16, 14), (50, 56, 16, 14), (50, 72, 16, 14)))
    assert [join.box for join in joined(located) if join.marks == {0, 1, 2}] == [(50, 40, 16, 46)]


@pytest.mark.parametrize("rule", [(10, 100, 250, 3), (100, 10, 4, 150)])
def test_a_printed_rule_is_rejected(rule: tuple[int, int, int, int]) -> None:
    located = locate(plane(rule, (30, 30, 20, 30)))
    assert rejected(located) == [(rule, reject.LINE)]
    assert located.marks == [(30, 30, 20, 30)]


def test_digits_on_a_rule_many_times_as_long_as_they_are_high_are_not_lost() -> None:
    digits = [(100 + 60 * i, 60, 6, 30) for i in range(6)]
    located = locate(plane(*digits, (20, 89, 600, 2), size=(200, 640)))
    assert len(located.candidates) >= len(digits)


def test_a_slender_one_is_no_rule() -> None:
    for one in ((50, 50, 4, 46), (50, 50, 2, 30)):
        assert boxes(locate(plane(one))) == [one]


def test_the_edge_of_the_paper_is_rejected_and_what_it_surrounds_is_not_lost() -> None:
    ink = plane((0, 0, 300, 200))
    ink[4:196, 4:296] = 0
    ink |= plane((100, 80, 20, 40))
    located = locate(ink)
    assert ((0, 0, 300, 200), reject.TOO_LARGE) in rejected(located)
    assert boxes(located) == [(100, 80, 20, 40)]


def test_what_fills_the_frame_on_both_sides_is_no_digit() -> None:
    limit = int(FRAME * 200)
    assert rejected(locate(plane((2, 2, limit, limit + 1), size=(200, 200)))) == []
    large = (2, 2, limit + 1, limit + 1)
    assert rejected(locate(plane(large, size=(200, 200)))) == [(large, reject.TOO_LARGE)]


def test_a_digit_may_fill_a_small_picture() -> None:
    located = locate(plane((0, 0, 28, 28), size=(28, 28)))
    assert located.rejections == []
    assert boxes(located) == [(0, 0, 28, 28)]


def test_dust_is_ignored_and_small_marks_are_marks_but_no_candidates() -> None:
    small = MIN_SIDE - 1
    located = locate(plane((10, 10, DUST, DUST), (100, 100, small, small), (50, 50, 7, MIN_SIDE)))
    assert sorted(located.marks) == [(50, 50, 7, MIN_SIDE), (100, 100, small, small)]
    assert boxes(located) == [(50, 50, 7, MIN_SIDE)]
    assert located.rejections == []


def test_a_speck_beside_far_larger_marks_is_rejected() -> None:
    digits = [(20, 20, 30, 100), (100, 20, 30, 100)]
    limit = int(np.ceil(SPECK * 100))
    assert rejected(locate(plane(*digits, (200, 50, limit, limit)))) == []
    speck = (200, 50, limit - 1, limit - 1)
    assert rejected(locate(plane(*digits, speck))) == [(speck, reject.TOO_SMALL)]


def test_a_speck_beside_a_digit_may_be_a_piece_of_it() -> None:
    located = locate(plane((50, 50, 20, 30), (55, 43, 6, 4)))
    assert [join.box for join in joined(located)] == [(50, 43, 20, 37)]


def test_ink_fainter_than_the_least_is_paper_and_faint_ink_has_low_contrast() -> None:
    mark = (50, 50, 20, 30)
    assert locate(plane(mark, ink=MIN_INK - 1)) == Located([], [], [])
    assert rejected(locate(plane(mark, ink=MIN_BODY - 1))) == [(mark, reject.LOW_CONTRAST)]
    assert boxes(locate(plane(mark, ink=MIN_BODY))) == [mark]


def test_ink_far_paler_than_the_pages_is_the_print_on_the_other_side() -> None:
    pale, dark = (150, 40, 20, 30), [(20, 40, 50, 60), (80, 40, 50, 60)]
    least = int(PALE * 200)
    assert least > MIN_BODY + 6
    for ink, expected in ((least - 6, [(pale, reject.LOW_CONTRAST)]), (least + 6, [])):
        assert rejected(locate(plane(*dark, ink=200) | plane(pale, ink=ink))) == expected


def test_a_wide_mark_is_offered_whole_and_in_pieces() -> None:
    width = int(np.ceil(WIDE * 40))
    ink = pair(np.zeros((100, 200), np.uint8), 20, 20, (width - 8) // 2 + 1, 6)
    (found,), _ = find_marks(ink, MIN_INK)
    located = locate(ink)
    assert found.box.width >= WIDE * found.box.height
    assert len(located.marks) > 1
    (whole,) = [candidate for candidate in located.candidates if candidate.box == found.box]
    assert whole.marks == set(range(len(located.marks)))
    for candidate in located.candidates:
        numbers = sorted(candidate.marks)
        assert numbers == [*range(numbers[0], numbers[-1] + 1)]  # neighbors
        assert candidate is whole or len(numbers) == 1 or candidate.box.width <= PIECE_ASPECT * candidate.box.height


def test_a_mark_less_wide_is_cut_only_where_it_looks_like_nothing() -> None:
    located = locate(pair(np.zeros((100, 200), np.uint8), 20, 20))
    assert SLENDER * 40 <= located.marks[0].width < WIDE * 40
    assert boxes(located) == [(20, 20, 30, 40)]
    further = cut_further(located, [0])
    assert len(further.marks) > 1
    assert further.candidates[0].marks == set(range(len(further.marks)))
    assert further.candidates[0].ink is located.candidates[0].ink
    for i, box in enumerate(further.marks):
        assert [candidate.box for candidate in further.candidates if candidate.marks == {i}] == [box]
    assert cut_further(located, []) == located


def test_pieces_cut_later_belong_to_every_candidate_of_their_mark() -> None:
    ink = pair(np.zeros((100, 200), np.uint8), 20, 20) | plane((25, 12, 18, 4), size=(100, 200))
    located = locate(ink)
    (join,) = joined(located)
    further = cut_further(located, [i for i, c in enumerate(located.candidates) if c.box == (20, 20, 30, 40)])
    number = located.candidates.index(join)
    assert further.candidates[number].marks == set(range(len(further.marks)))
    assert further.candidates[number].ink is join.ink
    assert joined(locate(plane((50, 50, 10, 30)))) == []


def test_a_slender_mark_is_never_cut() -> None:
    located = locate(plane((50, 50, 20, 40)))
    assert cut_further(located, [0]) == located


def test_bare_paper_has_nothing() -> None:
    assert locate(np.zeros((100, 100), np.uint8)) == Located([], [], [])


def test_what_is_surely_part_of_a_digit_is_not_cut() -> None:
    flag, body = (20, 10, 20, 6), (20, 20, 30, 40)
    ink = plane(flag, body, size=(80, 80))
    located = locate(ink)
    alone = [i for i, candidate in enumerate(located.candidates) if len(candidate.marks) == 1]
    assert len(alone) < len(located.candidates)
    assert cut_further(located, alone) == located


def test_digits_one_above_the_other_are_not_one() -> None:
    column = (50, 20, 30, 45), (52, 68, 30, 45)
    located = locate(plane(*column, (120, 20, 30, 45), (160, 20, 30, 45)))
    assert joined(located) == []
    assert len(joined(locate(plane(column[0], (52, 68, 30, 12), (120, 20, 30, 45), (160, 20, 30, 45))))) == 1
