import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_runtime.cuts import MAX_CUTS, cut
from edge_runtime.locate import WIDE, locate
from edge_runtime.marks import DUST, MIN_INK, RIM, Mark, find_marks, together
from edge_runtime.records import Box, Uint8

HEIGHT = 40


def whole(ink: Uint8) -> Mark:
    (mark,) = find_marks(ink, MIN_INK)[0]
    return mark


def laid(pieces: list[Mark], shape: tuple[int, ...]) -> Uint8:
    """Return the ink of pieces where it belongs, added up; fails where a piece reaches out of the plane."""
    plane = np.zeros(shape, np.uint16)
    for piece in pieces:
        x, y, width, height = piece.place
        assert piece.ink.shape == (height, width)
        plane[y : y + height, x : x + width] += piece.ink
    assert plane.max(initial=0) <= 255
    return plane.astype(np.uint8)


def drawn(image: Uint8) -> Uint8:
    """Return an MNIST digit alone, HEIGHT pixels high."""
    x, y, width, height = cv2.boundingRect(np.asarray(cv2.threshold(image, 60, 255, cv2.THRESH_BINARY)[1]))
    size = round(width * HEIGHT / height), HEIGHT
    return np.asarray(cv2.resize(image[y : y + height, x : x + width], size, interpolation=cv2.INTER_CUBIC), np.uint8)


def pushed_together(images: list[Uint8], overlap: int) -> tuple[Uint8, list[Box]]:
    """Return the ink of digits in a row that overlap by so many pixels, and their boxes."""
    parts = [drawn(image) for image in images]
    ink = np.zeros((HEIGHT + 20, sum(part.shape[1] for part in parts) + 20), np.uint8)
    x, boxes = 10, []
    for part in parts:
        at = ink[10 : 10 + HEIGHT, x : x + part.shape[1]]
        np.maximum(at, part, out=at)
        boxes.append(Box(x, 10, part.shape[1], HEIGHT))
        x += part.shape[1] - overlap
    return ink, boxes


def shared(one: Box, other: Box) -> float:
    """Return the area that two boxes share, as a part of what they cover together."""
    width = min(one.right, other.right) - max(one.x, other.x)
    height = min(one.bottom, other.bottom) - max(one.y, other.y)
    both = max(0, width) * max(0, height)
    return both / (one.width * one.height + other.width * other.height - both)


def found_again(images: Uint8, count: int) -> list[float]:
    """Push so many digits together at a time; return how well the worst of each is found by pieces or runs of them."""
    random = np.random.default_rng(count)
    worst: list[float] = []
    while len(worst) < 60:
        chosen = [images[i] for i in random.integers(0, len(images), count)]
        ink, boxes = pushed_together(chosen, int(random.integers(1, 4)))
        marks = find_marks(ink, MIN_INK)[0]
        if len(marks) > 1:
            continue  # they do not touch
        pieces = cut([marks[0]])[0]
        worst.append(min(max(shared(box, run) for run in runs(pieces)) for box in boxes))
    return worst


def blocks(count: int, bridge: int = 4) -> Uint8:
    """Return blocks 20 pixels wide, HEIGHT high, with bridges of 3 rows between them."""
    ink = np.zeros((HEIGHT + 20, 20 + count * (20 + bridge)), np.uint8)
    ink[28:31, 10 : 10 + count * 20 + (count - 1) * bridge] = 200
    for i in range(count):
        ink[10 : 10 + HEIGHT, 10 + i * (20 + bridge) : 30 + i * (20 + bridge)] = 200
    return ink


def runs(pieces: list[Mark]) -> list[Box]:
    """Return the boxes of what neighboring pieces make together."""
    ends = range(1, len(pieces) + 1)
    return [together(pieces[start:end]).box for end in ends for start in range(end)]


@pytest.mark.parametrize("count", [2, 3])
def test_blocks_are_cut_at_their_bridges_and_no_ink_is_lost(count: int) -> None:
    ink = blocks(count)
    pieces = cut([whole(ink)])[0]
    for i in range(count):
        assert max(shared(Box(10 + 24 * i, 10, 20, HEIGHT), run) for run in runs(pieces)) > 0.8
    assert np.array_equal(laid(pieces, ink.shape), ink)


@pytest.mark.parametrize("lean", [-12, 12])
def test_a_cut_follows_digits_that_lean(lean: int) -> None:
    # Their boxes overlap by 5 columns of 21.
    left, right = np.zeros((60, 90), np.uint8), np.zeros((60, 90), np.uint8)
    cv2.line(left, (30 + lean, 10), (30, 49), 255, 9)
    cv2.line(right, (50 + lean, 10), (50, 49), 255, 9)
    ink = left | right
    ink[48:50, 30:50] = 255
    boxes = [piece.box for piece in cut([whole(ink)])[0]]
    for alone in (left, right):
        assert max(shared(whole(alone).box, box) for box in boxes) > 0.8


@pytest.mark.parametrize(
    "ink",
    [
        pytest.param(np.full((40, 80), 255, np.uint8), id="solid"),
        pytest.param(blocks(1), id="one block"),
        pytest.param(np.full((40, 4), 255, np.uint8), id="slender"),
        pytest.param(np.full((1, 1), 255, np.uint8), id="a pixel"),
    ],
)
def test_what_has_no_place_for_a_cut_stays_the_same_mark(ink: Uint8) -> None:
    mark = Mark(Box(0, 0, *ink.shape[::-1]), Box(0, 0, *ink.shape[::-1]), ink)
    ((piece,),) = cut([mark])
    assert piece is mark


def test_there_are_at_most_so_many_cuts() -> None:
    pieces = cut([whole(blocks(MAX_CUTS + 5))])[0]
    assert len(pieces) == MAX_CUTS + 1


def test_what_lies_between_two_cuts_is_as_high_as_a_digit() -> None:
    ink = np.zeros((HEIGHT, 200), np.uint8)
    ink[18:21, :] = ink[:, :3] = ink[:, -3:] = 255  # a dash between two strokes could be cut anywhere
    left, right = cut([whole(ink)])[0]
    assert left.box.height == right.box.height == HEIGHT
    ink[:, 98:101] = 255
    assert [piece.box.height for piece in cut([whole(ink)])[0]] == [HEIGHT] * 3


@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 7), (7, 1)])
def test_slender_digits_that_touch_come_apart(digits: tuple[Uint8, Uint8], first: int, second: int) -> None:
    images, labels = digits
    worst = []
    for one, other in zip(images[labels == first][:12], images[labels == second][-12:], strict=True):
        marks: list[Mark] = []
        overlap = 0
        while len(marks) != 1:
            overlap += 1
            ink, boxes = pushed_together([one, other], overlap)
            marks = find_marks(ink, MIN_INK)[0]
        worst.append(min(max(shared(box, run) for run in runs(cut(marks)[0])) for box in boxes))
    assert np.mean(np.array(worst) > 0.7) > 0.8


def test_a_cut_comes_around_the_tail_of_a_digit() -> None:
    # A stroke with a tail that runs below the next stroke, which just touches it.
    ink = np.zeros((60, 80), np.uint8)
    ink[10:50, 20:24] = ink[46:50, 20:36] = ink[10:45, 30:34] = 255
    ink[45, 30:34] = 100
    tailed, stroke = Box(20, 10, 16, 40), Box(30, 10, 4, 35)
    found = runs(cut([whole(ink)])[0])
    assert max(shared(tailed, box) for box in found) > 0.9
    assert max(shared(stroke, box) for box in found) > 0.9


def test_a_cut_takes_the_valley_between_two_strokes_that_lean_on_each_other() -> None:
    ink = np.zeros((60, 60), np.uint8)
    ink[10:50, 20:24] = ink[10:50, 26:30] = 255
    ink[10:50, 24:26] = 200
    left, right = cut([whole(ink)])[0]
    assert (left.box, right.box) == (Box(20, 10, 5, 40), Box(25, 10, 5, 40))


def test_marks_are_cut_together_as_they_are_alone() -> None:
    marks = [whole(blocks(2)), whole(blocks(3, bridge=5)), whole(np.full((40, 80), 255, np.uint8))]
    assert [[piece.box for piece in pieces] for pieces in cut(marks)] == [
        [piece.box for piece in cut([mark])[0]] for mark in marks
    ]
    assert cut([]) == []


@pytest.mark.parametrize(("count", "typical", "least"), [(2, 0.8, 0.7), (3, 0.55, 0.3)])
def test_touching_digits_are_cut_into_nearly_their_own_boxes(
    digits: tuple[Uint8, Uint8], count: int, typical: float, least: float
) -> None:
    worst = found_again(digits[0], count)
    assert np.median(worst) > typical
    assert np.mean(np.array(worst) > 0.7) > least


def test_pieces_hold_all_ink_but_faint_edges_and_dust(digits: tuple[Uint8, Uint8]) -> None:
    for i in range(0, 190, 7):
        ink, _ = pushed_together([digits[0][i], digits[0][i + 9]], 3)
        mark = find_marks(ink, MIN_INK)[0][0]
        plane = laid([mark], ink.shape)
        missing = np.where(laid(cut([mark])[0], ink.shape) != plane, plane, 0)
        assert missing.sum() < 0.02 * plane.sum()
        dark = np.asarray(np.where(missing > ink.max() / 4, 255, 0), np.uint8)
        assert find_marks(dark, MIN_INK)[0] == []


def test_a_wide_0_is_cut_but_stays_a_candidate_as_a_whole() -> None:
    ink = np.zeros((100, 100), np.uint8)
    cv2.ellipse(ink, (50, 50), (30, 20), 0, 0, 360, 255, 3)
    mark = whole(ink)
    assert mark.box.width >= WIDE * mark.box.height
    located = locate(ink)
    pieces = cut([mark])[0]
    assert located.marks == [piece.box for piece in pieces]
    assert len(pieces) > 1
    (zero,) = [candidate for candidate in located.candidates if candidate.box == mark.box]
    assert zero.marks == frozenset(range(len(pieces)))
    assert np.array_equal(zero.ink, mark.ink)


@given(arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 60))), st.integers(0, 9), st.integers(0, 9))
def test_pieces_of_any_ink_lie_in_it_left_to_right_and_share_none(ink: Uint8, x: int, y: int) -> None:
    height, width = ink.shape
    mark = Mark(Box(x, y, width, height), Box(x, y, width, height), ink)
    pieces = cut([mark])[0]
    assert pieces
    plane = np.zeros((height + y, width + x), np.uint8)
    plane[y:, x:] = ink
    sums = laid(pieces, plane.shape)
    assert ((sums == plane) | (sums == 0)).all()
    for piece in pieces:
        assert max(piece.box.width, piece.box.height) > DUST or piece is mark
        assert 0 <= piece.box.x - piece.place.x <= RIM
        assert 0 <= piece.place.bottom - piece.box.bottom <= RIM
