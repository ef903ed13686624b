import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.marks import (
    CALM,
    CLEAR,
    DUST,
    MAX_COVERED,
    MAX_MARKS,
    MIN_INK,
    RIM,
    Mark,
    _labeled,
    _noise,
    calm,
    find_marks,
    rimmed,
    together,
)
from edge_runtime.records import Box, Uint8


def plane(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (100, 120), ink: int = 255) -> Uint8:
    pixels = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        pixels[y : y + height, x : x + width] = ink
    return pixels


def found(ink: Uint8) -> dict[Box, Mark]:
    marks = find_marks(ink, MIN_INK)[0]
    assert len({mark.box for mark in marks}) == len(marks)
    return {mark.box: mark for mark in marks}


def labeled(ink: Uint8, most: int = MAX_MARKS) -> list[Mark]:
    return _labeled(ink, np.where(ink >= MIN_INK, 255, 0).astype(np.uint8), most)[0]


def shown(mark: Mark) -> tuple[Box, Box, bytes]:
    return mark.box, mark.place, mark.ink.tobytes()


def paper(sigma: float, *, seed: int = 0) -> Uint8:
    """Return what noise leaves in an ink plane: its upper half."""
    noise = np.random.default_rng(seed).normal(0, sigma, (240, 320))
    return noise.clip(0, 255).round().astype(np.uint8)


def test_separate_marks_have_their_exact_boxes_and_ink() -> None:
    ink = plane((10, 20, 6, 30), (50, 20, 20, 25), ink=200)
    ink[19:51, 16] = MIN_INK - 1  # the soft edge of the stroke
    marks = found(ink)
    assert set(marks) == {(10, 20, 6, 30), (50, 20, 20, 25)}
    for box, mark in marks.items():
        assert mark.place == (box.x - RIM, box.y - RIM, box.width + 2 * RIM, box.height + 2 * RIM)
        assert np.array_equal(mark.ink, ink[mark.place.y : mark.place.bottom, mark.place.x : mark.place.right])
    assert marks[Box(10, 20, 6, 30)].ink.sum() == 200 * 6 * 30 + (MIN_INK - 1) * 32


def test_the_threshold_itself_is_ink() -> None:
    assert find_marks(plane((50, 50, 20, 30), ink=99), 100)[0] == []
    assert [mark.box for mark in find_marks(plane((50, 50, 20, 30), ink=100), 100)[0]] == [(50, 50, 20, 30)]


def test_strokes_that_touch_at_a_corner_are_one_mark() -> None:
    assert set(found(plane((10, 10, 10, 10), (20, 20, 10, 10)))) == {(10, 10, 20, 20)}
    assert set(found(plane((10, 10, 10, 10), (21, 21, 10, 10)))) == {(10, 10, 10, 10), (21, 21, 10, 10)}


def test_a_dot_in_a_ring_is_a_mark_of_its_own_and_no_ink_of_the_ring() -> None:
    ring = plane()
    cv2.circle(ring, (60, 50), 25, 255, 4)
    marks = found(ring | plane((57, 47, 6, 6)))
    (whole,) = found(ring)
    assert set(marks) == {whole, (57, 47, 6, 6)}
    assert marks[whole].ink.sum() == ring.sum()
    assert marks[Box(57, 47, 6, 6)].ink.sum() == 255 * 36


def test_a_digit_in_a_box_is_no_ink_of_the_box() -> None:
    frame = plane((20, 10, 60, 80)) & ~plane((23, 13, 54, 74))
    seven = plane((35, 25, 30, 5), (60, 25, 5, 50))
    marks = found(frame | seven)
    assert marks[Box(20, 10, 60, 80)].ink.sum() == frame.sum()
    assert marks[Box(35, 25, 30, 50)].ink.sum() == seven.sum()
    assert len(marks) == 2


def test_marks_whose_boxes_overlap_hold_their_own_ink_alone() -> None:
    corner, blot = plane((20, 30, 4, 60), (20, 86, 60, 4)), plane((50, 40, 12, 14))
    marks = found(corner | blot)
    assert set(marks) == {(20, 30, 60, 60), (50, 40, 12, 14)}
    assert marks[Box(20, 30, 60, 60)].ink.sum() == corner.sum()
    assert marks[Box(50, 40, 12, 14)].ink.sum() == blot.sum()


def test_a_mark_at_the_edge_of_the_plane_has_its_place_inside() -> None:
    marks = found(plane((0, 0, 10, 20), (110, 80, 10, 20)))
    assert marks[Box(0, 0, 10, 20)].place == (0, 0, 11, 21)
    assert marks[Box(110, 80, 10, 20)].place == (109, 79, 11, 21)
    assert [mark.ink.shape for mark in marks.values()] == [(21, 11), (21, 11)]


def test_dust_is_no_mark() -> None:
    ink = plane((10, 10, DUST, DUST), (50, 50, DUST + 1, 1))
    assert set(found(ink)) == {(50, 50, DUST + 1, 1)}
    assert [mark.box for mark in labeled(ink)] == [(50, 50, DUST + 1, 1)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (20, 20)])
def test_no_ink_has_no_marks_and_full_ink_is_one(shape: tuple[int, int]) -> None:
    assert find_marks(np.zeros(shape, np.uint8), MIN_INK)[0] == []
    full = [mark.box for mark in find_marks(np.full(shape, 255, np.uint8), MIN_INK)[0]]
    assert full == ([] if shape == (1, 1) else [(0, 0, shape[1], shape[0])])


SHAPES = st.lists(
    st.tuples(
        st.sampled_from(["filled", "frame", "ring", "line"]),
        *[st.integers(0, 60)] * 2,
        *[st.integers(4, 40)] * 2,
        st.integers(1, 4),
    ),
    max_size=12,
)


@given(SHAPES)
def test_labels_give_the_same_marks_as_outlines(shapes: list[tuple[str, int, int, int, int, int]]) -> None:
    ink = np.zeros((110, 110), np.uint8)
    for kind, x, y, width, height, pen in shapes:
        if kind == "ring":
            cv2.ellipse(ink, (x + 20, y + 20), (width // 2, height // 2), 0, 0, 360, 255, pen)
        elif kind == "line":
            cv2.line(ink, (x, y), (x + width, y + height), 255, pen)
        else:
            cv2.rectangle(ink, (x, y), (x + width, y + height), 255, cv2.FILLED if kind == "filled" else pen)
    outlined = find_marks(ink, MIN_INK)[0]
    assert sorted(map(shown, outlined)) == sorted(map(shown, labeled(ink)))
    assert sum(int(mark.ink.sum()) for mark in outlined) == ink.sum()  # each pixel is ink of one mark


def test_a_busy_picture_is_labeled_with_the_same_marks_as_any() -> None:
    squares = [(x, y, 5, 5) for x in range(2, 118, 8) for y in range(2, 42, 8)]
    busy = plane(*squares, size=(45, 122))
    marks = find_marks(busy, MIN_INK)[0]
    assert len(marks) == len(squares) < MAX_MARKS
    assert list(map(shown, marks)) == list(map(shown, labeled(busy)))
    assert sorted(mark.box for mark in marks) == sorted(squares)
    assert {int(mark.ink.sum()) for mark in marks} == {255 * 25}


@pytest.mark.parametrize("busy", [False, True])
def test_the_largest_come_first_and_the_smallest_of_too_many_are_left_out(busy: bool) -> None:
    pitch = 8 if busy else 24
    small = [(x, y, 5, 5) for x in range(2, 18 * pitch, pitch) for y in range(2, 15 * pitch, pitch)]
    large = [(18 * pitch + 5, 2 + 38 * i, 20 + i, 36) for i in range(3)]
    ink = plane(*small, *large, size=(15 * pitch, 18 * pitch + 40))
    marks, left_out = find_marks(ink, MIN_INK)
    assert len(small) > MAX_MARKS
    assert [mark.box for mark in marks[:3]] == large[::-1]
    assert len(marks) == MAX_MARKS
    assert set(left_out) <= set(small) - {mark.box for mark in marks}
    few, others = find_marks(ink, MIN_INK, 2)
    assert [mark.box for mark in few] == large[:0:-1]
    assert large[0] in others


def test_of_marks_whose_boxes_cover_the_plane_too_often_the_largest_are_left_out() -> None:
    ink = np.zeros((300, 300), np.uint8)
    for start in range(10, 150, 12):  # parallel diagonals: each has a box of half the plane
        cv2.line(ink, (start, 10), (start + 140, 280), 255, 2)
    ink[10:40, 270:280] = 255
    everything = [Box(*cv2.boundingRect(outline)) for outline in cv2.findContours(ink, 0, 2)[0]]
    marks, left_out = find_marks(ink, MIN_INK)
    assert sum(mark.box.width * mark.box.height for mark in marks) <= MAX_COVERED * ink.size
    assert sorted([*(mark.box for mark in marks), *left_out]) == sorted(everything)
    assert (270, 10, 10, 30) in [mark.box for mark in marks]
    assert left_out


def test_a_plane_with_longer_sides_may_have_more_marks() -> None:
    small = [(x, y, 5, 5) for x in range(2, 1280, 16) for y in range(2, 960, 16)]
    assert len(find_marks(plane(*small, size=(960, 1280)), MIN_INK)[0]) == 2 * MAX_MARKS


@pytest.mark.parametrize("sigma", [9, 12, 18, 25, 35, 50, 80])
def test_the_noise_of_bare_paper_is_measured(sigma: float) -> None:
    assert _noise(paper(sigma)) == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("sigma", [12, 25])
def test_writing_hardly_changes_what_the_noise_is_taken_for(sigma: float) -> None:
    written = np.maximum(paper(sigma), plane(*[(x, 40, 6, 40) for x in range(20, 300, 25)], size=(240, 320)))
    assert _noise(written) == pytest.approx(sigma, rel=0.15)


def test_a_calm_plane_stays_as_it_is() -> None:
    ink = plane((20, 20, 10, 40))
    same, threshold = calm(ink)
    assert same is ink
    assert threshold == MIN_INK
    assert _noise(np.zeros((8, 1), np.uint8)) == 0


@pytest.mark.parametrize(("least", "left"), [(least, left) for least, _, left in CALM])
def test_noise_is_smoothed_away_so_far_that_none_counts(least: float, left: float) -> None:
    noisy = paper(max(9.0, 1.15 * least))
    smooth, threshold = calm(noisy)
    assert threshold == max(MIN_INK, int(CLEAR * left * _noise(noisy)))
    assert find_marks(smooth, threshold)[0] == []


@pytest.mark.parametrize(("least", "left"), [(least, left) for least, _, left in CALM])
def test_what_is_left_of_noise_is_the_part_that_is_said(least: float, left: float) -> None:
    # Gaussian on both sides, which is taken for almost twice its deviation.
    noise = np.random.default_rng(1).normal(128, 1.7 * least / 1.88, (240, 320)).clip(0, 255).round().astype(np.uint8)
    assert least < _noise(noise) < 2 * least
    assert calm(noise)[0].std() / noise.std() == pytest.approx(left, rel=0.25)


def test_a_threshold_is_never_beyond_full_ink() -> None:
    checkers = np.indices((64, 64)).sum(axis=0).astype(np.uint8) % 2 * 255
    assert MIN_INK <= calm(np.asarray(checkers, np.uint8))[1] <= 255


def test_several_marks_become_one_with_their_common_box_and_the_ink_of_both() -> None:
    ink = plane((20, 20, 10, 20), (40, 25, 8, 30), ink=150)
    one, other = find_marks(ink, MIN_INK)[0]
    both = together([one, other])
    assert both.box == (20, 20, 28, 35)
    assert both.place == rimmed(both.box, ink.shape)
    assert np.array_equal(both.ink, ink[19:56, 19:49])
    assert shown(together([one])) == shown(one)
