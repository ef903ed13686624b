import dataclasses

import cv2
import numpy as np
import pytest

from edge_runtime import DigitReader, reject
from edge_runtime.ink import ink_plane
from edge_runtime.locate import MIN_BODY, Located, locate
from edge_runtime.overlooked import ALIKE, MOST, REACH, ROW, TEXTURE, with_overlooked
from edge_runtime.pages import PageStyle, draw_page
from edge_runtime.records import Box, Rejection, Uint8

LARGE = (20, 100, 120, 140)  # beside which a mark of SMALL is a speck


def plane(*boxes: tuple[int, int, int, int], ink: int = 255, large: bool = True) -> Uint8:
    """Draw boxes, and a large ring."""
    pixels = np.zeros((300, 600), np.uint8)
    for x, y, width, height in boxes:
        pixels[y : y + height, x : x + width] = ink
    if large:
        x, y, width, height = LARGE
        cv2.rectangle(pixels, (x + 10, y + 10), (x + width - 11, y + height - 11), 255, 20)
    return pixels


def row(count: int, *, y: int = 20, gap: int = 20) -> list[tuple[int, int, int, int]]:
    return [(200 + gap * i, y, 8, 14) for i in range(count)]


def found(ink: Uint8) -> tuple[list[Box], list[Box]]:
    """Return the boxes of what is offered after all, and of what stays rejected as too small or too faint."""
    located = locate(ink)
    after = with_overlooked(located, ink)
    assert after.candidates[: len(located.candidates)] == located.candidates
    assert after.marks[: len(located.marks)] == located.marks
    assert after.left == located.left - len(after.candidates) + len(located.candidates)
    assert sorted([*after.marks, *(r.box for r in after.rejections)]) == sorted(
        [*located.marks, *(r.box for r in located.rejections)]
    )
    new = after.candidates[len(located.candidates) :]
    for candidate in new:
        (number,) = candidate.marks
        assert after.marks[number] == candidate.box
    left = [r.box for r in after.rejections if r.reason in (reject.TOO_SMALL, reject.LOW_CONTRAST)]
    return sorted(candidate.box for candidate in new), sorted(left)


def test_small_marks_in_a_row_are_no_specks() -> None:
    marks = row(ROW + 1)
    assert found(plane(*marks)) == (marks, [])


def test_too_few_in_a_row_are_specks() -> None:
    marks = row(ROW)
    assert found(plane(*marks)) == ([], marks)


@pytest.mark.parametrize(
    "speck",
    [
        (200, 60, 8, 14),  # above or below the row
        (int(240 + 2 * REACH * 14), 20, 8, 14),  # far away from it
        (260, 20, 8, 8),  # as long as they are, but for a factor, is long enough: this one belongs to the row
    ],
)
def test_what_is_beside_no_row_stays_a_speck(speck: tuple[int, int, int, int]) -> None:
    marks = row(3)
    belongs = speck[3] >= ALIKE * 14 and speck[1] == 20 and speck[0] <= 240 + REACH * 14
    new, left = found(plane(*marks, speck))
    assert (speck in new, speck in left) == (belongs, not belongs)


def test_a_mark_beside_a_candidate_of_its_size_is_no_speck() -> None:
    larger = (200, 20, 14, 27)  # large enough beside the ring
    small = (235, 22, 10, 20)
    assert found(plane(larger, small)) == ([small], [])
    assert found(plane(small)) == ([], [small])


def test_pale_marks_in_a_row_are_offered_unless_they_are_too_pale_for_any_page() -> None:
    marks = [(200 + 40 * i, 20, 16, 30) for i in range(4)]
    assert found(plane(*marks, ink=MIN_BODY + 5)) == (marks, [])
    assert found(plane(*marks, ink=MIN_BODY - 5)) == ([], marks)


def test_rules_are_not_looked_at_again() -> None:
    assert found(plane(*[(200, 20 + 30 * i, 100, 2) for i in range(4)], ink=MIN_BODY + 5))[0] == []


def test_a_mark_keeps_its_soft_rim_and_its_own_ink_alone() -> None:
    marks = row(3)
    ink = plane(*marks)
    ink[19:35, 208] = 30  # the soft edge of the first
    ink[22:32, 202:206] = 0  # which is a ring, ...
    ink[25:29, 203:205] = 255  # ... with something else in it
    candidates = with_overlooked(locate(ink), ink).candidates
    (first,) = [candidate.ink for candidate in candidates if candidate.box == marks[0]]
    assert first.shape == (16, 10)
    assert (first[:, -1] == 30).all()
    assert not first[3:13, 3:7].any()
    assert first[1:15, 1:9].sum() == 255 * (8 * 14 - 4 * 10)


def test_what_can_be_looked_at_again_is_bounded() -> None:
    marks = row(MOST + 3, gap=14)
    new, left = found(plane(*marks))
    assert (len(new), len(left)) == (MOST, 3)
    ink = plane(*marks)
    full = locate(ink)._replace(left=2)
    assert len(with_overlooked(full, ink).candidates) == len(full.candidates) + 2
    assert with_overlooked(full._replace(left=0), ink).candidates == full.candidates


def test_a_texture_is_none_of_it() -> None:
    ink = plane(*row(3))
    located = locate(ink)
    specks = [Rejection(Box(i, 290, 8, 8), reject.TOO_SMALL) for i in range(TEXTURE)]
    many = located._replace(rejections=[*located.rejections, *specks])
    assert with_overlooked(many, ink) is many


@pytest.mark.parametrize("ink", [np.zeros((40, 60), np.uint8), np.full((1, 1), 255, np.uint8)])
def test_nothing_was_overlooked_where_nothing_was_rejected(ink: Uint8) -> None:
    located = locate(ink)
    assert with_overlooked(located, ink) is located
    nothing = Located([], [], [Rejection(Box(0, 0, 1, 1), reject.TOO_SMALL)])
    assert with_overlooked(nothing, ink) is nothing


def test_a_row_in_ballpoint_is_read_beside_a_numeral_in_felt_pen(
    reader: DigitReader, digits: tuple[Uint8, Uint8]
) -> None:
    images, labels = (some[3::20] for some in digits)
    paper = PageStyle(paper=(230, 230), shade=0, grain=2)
    ballpoint = dataclasses.replace(paper, size=(640, 160), digit_height=(18, 18), contrast=(0.45, 0.45))
    felt = dataclasses.replace(paper, size=(640, 320), digit_height=(140, 140), contrast=(0.9, 0.9), pen=(1.5, 1.5))
    small = draw_page(images[:8], labels[:8], np.random.default_rng(3), ballpoint)
    large = draw_page(images[8:10], labels[8:10], np.random.default_rng(4), felt)
    pixels = np.vstack([small.pixels, large.pixels])
    assert len(locate(ink_plane(pixels)).candidates) < 8
    assert reader.read(pixels).text == (*small.text, *large.text)
