import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_runtime import reject
from edge_runtime.locate import CROWDED, MAX_CANDIDATES, MAX_COVERED, MAX_CUTS, MIN_SIDE, Located, locate
from edge_runtime.marks import calm, find_marks
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


def test_only_so_many_marks_are_cut() -> None:
    ink = np.zeros((480, 640), np.uint8)
    for i in range(MAX_CUTS + 4):
        pair(ink, 10 + 120 * (i % 5), 20 + 80 * (i // 5), 26, 6)
    located = locate(ink)
    assert sum(len(candidate.marks) > 1 and candidate.box.width == 58 for candidate in located.candidates) == MAX_CUTS


def test_of_a_crowd_nothing_is_cut_or_joined() -> None:
    flags = [(x, y, w, h) for x in range(5, 600, 50) for y in range(5, 440, 70) for w, h in ((20, 5),)]
    bodies = [(x, y + 8, 20, 30) for x, y, _, _ in flags]
    count = CROWDED // 2
    assert joined(locate(plane(*flags[:count], *bodies[:count], size=(480, 640)))) != []
    assert joined(locate(plane(*flags[: count + 1], *bodies[: count + 1], size=(480, 640)))) == []


def test_only_the_largest_marks_of_a_crowd_are_read_and_the_others_are_clutter() -> None:
    small = [(x, y, 9, 9) for x in range(5, 485, 30) for y in range(5, 205, 30)]
    large = [(500, 5, 20, 30), (500, 100, 20, 30), (500, 150, 20, 30)]
    located = locate(plane(*small, *large, size=(210, 540)))
    assert len(small) > MAX_CANDIDATES
    assert len(located.marks) == MAX_CANDIDATES
    assert set(large) < set(located.marks)
    assert {reason for _, reason in rejected(located)} == {reject.CLUTTER}
    assert sorted([*located.marks, *(box for box, _ in rejected(located))]) == sorted([*small, *large])


def test_the_candidates_of_a_cluttered_picture_cover_it_so_many_times_at_most() -> None:
    ink = np.zeros((300, 300), np.uint8)
    for start in range(10, 140, 12):  # parallel diagonals: each is a mark with a box of half the picture
        cv2.line(ink, (start, 10), (start + 150, 280), 255, 2)
    located = locate(ink)
    area = sum(candidate.ink.size for candidate in located.candidates)
    assert (MAX_COVERED - 1) * ink.size < area <= MAX_COVERED * ink.size


DRAWN = st.lists(
    st.tuples(st.integers(4, 120), st.integers(4, 80), st.integers(1, 40), st.integers(1, 40), st.integers(1, 255)),
    max_size=10,
)


def drawing(shapes: list[tuple[int, int, int, int, int]], size: tuple[int, int]) -> Uint8:
    ink = np.zeros(size, np.uint8)
    for x, y, width, height, level in shapes:
        if width % 2:
            cv2.ellipse(ink, (x + width // 2, y + height // 2), (width // 2, height // 2), 0, 0, 360, level, 3)
        else:
            cv2.rectangle(ink, (x, y, width, height), level, 2)
    return ink


def touch(one: Box, other: Box) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


def check_explained(ink: Uint8) -> None:
    """Fail unless everything located lies in the plane and every mark in it is part of something, or rejected."""
    located = locate(ink)
    height, width = ink.shape
    found = [*located.marks, *(box for box, _ in rejected(located)), *boxes(located)]
    assert all(0 <= b.x < b.right <= width and 0 <= b.y < b.bottom <= height for b in found)
    assert {reason for _, reason in rejected(located)} <= set(reject.REASONS)
    for candidate in located.candidates:
        assert candidate.marks
        assert max(candidate.marks) < len(located.marks)
        assert candidate.ink.dtype == np.uint8
        assert candidate.box.width <= candidate.ink.shape[1] <= candidate.box.width + 2
        assert candidate.box.height <= candidate.ink.shape[0] <= candidate.box.height + 2
        assert max(candidate.box.width, candidate.box.height) >= MIN_SIDE
    marks, left_out = find_marks(*calm(ink))
    for box in [*(mark.box for mark in marks), *left_out]:
        # Taken apart or whole, something of each large mark is in the answer.
        assert max(box[2:]) < MIN_SIDE or any(touch(box, b) for b in found)


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_what_is_found_in_any_ink_lies_in_it(ink: Uint8) -> None:
    check_explained(ink)


@given(st.integers(1, 600), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_what_is_found_in_any_strip_lies_in_it(length: int, breadth: int, seed: int) -> None:
    strip = np.random.default_rng(seed).integers(0, 256, (breadth, length // 5 + 1), np.uint8)
    strip = np.repeat(strip, 5, axis=1)[:, :length]
    check_explained(strip)
    check_explained(np.ascontiguousarray(strip.T))


@settings(max_examples=40)
@given(DRAWN, st.integers(0, 40), st.integers(0, 40))
def test_a_shifted_plane_has_the_same_candidates_shifted(
    shapes: list[tuple[int, int, int, int, int]], x: int, y: int
) -> None:
    ink = drawing(shapes, (180, 220))
    located, moved = locate(ink), locate(np.roll(ink, (y, x), axis=(0, 1)))
    assert [b._replace(x=b.x + x, y=b.y + y) for b in located.marks] == moved.marks
    assert [(b._replace(x=b.x + x, y=b.y + y), why) for b, why in rejected(located)] == rejected(moved)
    for one, other in zip(located.candidates, moved.candidates, strict=True):
        assert one.box._replace(x=one.box.x + x, y=one.box.y + y) == other.box
        assert one.marks == other.marks
        assert np.array_equal(one.ink, other.ink)
