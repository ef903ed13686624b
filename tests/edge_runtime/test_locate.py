import cv2
import numpy as np
import pytest

from edge_runtime import reject
from edge_runtime.locate import MAX_MARKS, MIN_INK, Located, ink_threshold, locate
from edge_runtime.records import Box, Candidate, Uint8


def plane(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (200, 300), ink: int = 255) -> Uint8:
    pixels = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        pixels[y : y + height, x : x + width] = ink
    return pixels


def joined(located: Located) -> list[Candidate]:
    return [candidate for candidate in located.candidates if len(candidate.marks) > 1]


def test_every_connected_mark_is_a_candidate_with_its_exact_box() -> None:
    located = locate(plane((20, 30, 6, 40), (120, 35, 20, 30)))
    assert sorted(located.marks) == [(20, 30, 6, 40), (120, 35, 20, 30)]
    assert sorted(candidate.box for candidate in located.candidates) == sorted(located.marks)
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
    box = Box(20, 30, 60, 60)
    (candidate,) = [
        candidate for candidate in locate(ink).candidates if candidate.box == box and len(candidate.marks) == 1
    ]
    assert candidate.ink.sum() == 255 * (4 * 60 + 56 * 4)


def test_a_mark_in_the_corner_of_the_picture_keeps_inside() -> None:
    ink = plane((0, 0, 10, 20), (290, 180, 10, 20))
    located = locate(ink)
    assert [candidate.ink.shape for candidate in located.candidates] == [(21, 11), (21, 11)]
    assert sorted(candidate.box for candidate in located.candidates) == [(0, 0, 10, 20), (290, 180, 10, 20)]


def test_the_pieces_of_a_broken_digit_are_offered_joined() -> None:
    flag, body = (52, 40, 26, 5), (50, 48, 24, 40)  # a 5 whose top stroke floats above
    located = locate(plane(flag, body))
    (join,) = joined(located)
    assert join.box == (50, 40, 28, 48)
    assert join.marks == {0, 1}
    assert join.ink.sum() == 255 * (26 * 5 + 24 * 40)
    assert len(located.candidates) == 3


def test_three_pieces_in_a_row_are_offered_as_one() -> None:
    located = locate(plane((50, 40, 20, 14), (50, 56, 20, 14), (50, 72, 20, 14)))
    assert (50, 40, 20, 46) in [join.box for join in joined(located) if join.marks == {0, 1, 2}]


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([(50, 20, 25, 40), (50, 80, 25, 40)], id="digits on two lines"),
        pytest.param([(50, 20, 25, 40), (78, 20, 25, 40)], id="digits beside each other"),
        pytest.param([(50, 20, 25, 40), (90, 50, 6, 10)], id="a comma farther off"),
        pytest.param([(20, 40, 100, 12), (20, 54, 100, 12)], id="two wide bars"),
    ],
)
def test_marks_that_are_no_one_digit_are_not_joined(boxes: list[tuple[int, int, int, int]]) -> None:
    located = locate(plane(*boxes))
    assert len(located.candidates) == 2
    assert joined(located) == []


@pytest.mark.parametrize("rule", [(10, 100, 250, 3), (100, 10, 4, 150)])
def test_a_printed_rule_is_rejected(rule: tuple[int, int, int, int]) -> None:
    located = locate(plane(rule, (30, 30, 20, 30)))
    assert [(rejection.box, rejection.reason, rejection.confidence) for rejection in located.rejections] == [
        (rule, reject.LINE, None)
    ]
    assert located.marks == [(30, 30, 20, 30)]


def test_a_slender_one_is_no_rule() -> None:
    assert len(locate(plane((50, 50, 4, 46))).candidates) == 1
    assert len(locate(plane((50, 50, 2, 30))).candidates) == 1


def test_the_edge_of_the_paper_is_rejected_and_what_it_surrounds_is_not_lost() -> None:
    ink = plane((0, 0, 300, 200))
    ink[4:196, 4:296] = 0
    (rejection,) = locate(ink).rejections
    assert (rejection.box, rejection.reason) == ((0, 0, 300, 200), reject.TOO_LARGE)


def test_a_digit_may_fill_a_small_picture() -> None:
    located = locate(plane((0, 0, 28, 28), size=(28, 28)))
    assert located.rejections == []
    assert len(located.candidates) == 1


def test_dust_is_ignored_and_specks_are_marks_but_no_candidates() -> None:
    located = locate(plane((10, 10, 2, 2), (100, 100, 5, 5), (50, 50, 7, 8)))
    assert sorted(located.marks) == [(50, 50, 7, 8), (100, 100, 5, 5)]
    assert [candidate.box for candidate in located.candidates] == [(50, 50, 7, 8)]


def test_a_speck_beside_a_digit_may_be_a_piece_of_it() -> None:
    located = locate(plane((50, 50, 20, 30), (55, 43, 6, 4)))
    assert [join.box for join in joined(located)] == [(50, 43, 20, 37)]


def test_only_the_largest_marks_of_a_crowd_count() -> None:
    boxes = [(x, y, 9, 9) for x in range(5, 985, 20) for y in range(5, 205, 20)]
    large = {(990, 5, 20, 30), (990, 100, 20, 30), (990, 175, 20, 30)}
    located = locate(plane(*boxes, *large, size=(210, 1020)))
    assert len(boxes) > MAX_MARKS
    assert len(located.marks) == MAX_MARKS
    assert large < set(located.marks)


def test_the_candidates_of_a_cluttered_picture_cover_it_four_times_at_most() -> None:
    small = (262, 20, 20, 30)
    ink = plane(small, size=(300, 300))
    for start in range(20, 140, 12):  # parallel diagonals: each is a mark with a box of half the picture
        cv2.line(ink, (start, 10), (start + 150, 280), 255, 2)
    located = locate(ink)
    assert len(located.marks) == 11
    assert small in [candidate.box for candidate in located.candidates]
    area = sum(candidate.box.width * candidate.box.height for candidate in located.candidates)
    assert 3 * ink.size < area <= 4 * ink.size


def test_ink_fainter_than_the_least_is_paper() -> None:
    assert locate(plane((50, 50, 20, 30), ink=MIN_INK - 1)).marks == []
    assert locate(plane((50, 50, 20, 30), ink=MIN_INK)).marks == [(50, 50, 20, 30)]


def test_the_blurred_edge_of_dark_ink_counts_as_paper() -> None:
    def threshold(ink: int) -> int:
        return ink_threshold(np.asarray(cv2.GaussianBlur(plane((50, 50, 90, 90), ink=ink), (0, 0), 6), np.uint8))

    assert threshold(60) == MIN_INK
    assert MIN_INK + 5 < threshold(255) < 100


def test_bare_paper_has_nothing() -> None:
    assert locate(np.zeros((100, 100), np.uint8)) == ([], [], [])
