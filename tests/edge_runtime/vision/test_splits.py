import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_runtime.records import Box, Uint8
from edge_runtime.vision.candidates import together
from edge_runtime.vision.splits import Piece, split

HEIGHT = 40
VISIBLE = 32


def whole(ink: Uint8) -> Piece:
    """Return all ink as one mark, with a rim of one pixel as far as the plane goes."""
    box = Box(*cv2.boundingRect(np.where(ink >= VISIBLE, ink, 0)))
    x, y = max(0, box.x - 1), max(0, box.y - 1)
    part = ink[y : box.bottom + 1, x : box.right + 1]
    return Piece(box, Box(x, y, part.shape[1], part.shape[0]), part)


def in_one(ink: Uint8) -> bool:
    """Tell whether the ink is of one component."""
    return cv2.connectedComponents(np.where(ink >= VISIBLE, 255, 0).astype(np.uint8))[0] == 2


def laid(pieces: list[Piece], shape: tuple[int, ...]) -> Uint8:
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


def runs(pieces: list[Piece]) -> list[Box]:
    """Return the boxes of what neighboring pieces make together."""
    ends = range(1, len(pieces) + 1)
    return [together(pieces[start:end]).box for end in ends for start in range(end)]


def found_again(ink: Uint8, boxes: list[Box]) -> float:
    """Return how well the worst of these boxes is found by the pieces of the ink, or by runs of them."""
    candidates = runs(split([whole(ink)])[0])
    return min(max(shared(box, run) for run in candidates) for box in boxes)


def blocks(count: int, bridge: int = 4) -> Uint8:
    """Return blocks 20 pixels wide, HEIGHT high, with bridges of 3 rows between them."""
    ink = np.zeros((HEIGHT + 20, 20 + count * (20 + bridge)), np.uint8)
    ink[28:31, 10 : 10 + count * 20 + (count - 1) * bridge] = 200
    for i in range(count):
        ink[10 : 10 + HEIGHT, 10 + i * (20 + bridge) : 30 + i * (20 + bridge)] = 200
    return ink


@pytest.mark.parametrize("count", [2, 3])
def test_blocks_are_split_and_keep_their_ink(count: int) -> None:
    ink = blocks(count)
    assert found_again(ink, [Box(10 + 24 * i, 10, 20, HEIGHT) for i in range(count)]) > 0.8
    assert np.array_equal(laid(split([whole(ink)])[0], ink.shape), ink)


@pytest.mark.parametrize("lean", [-12, 12])
def test_a_cut_follows_digits_that_lean(lean: int) -> None:
    # Their boxes overlap by 5 columns of 21.
    left, right = np.zeros((60, 90), np.uint8), np.zeros((60, 90), np.uint8)
    cv2.line(left, (30 + lean, 10), (30, 49), 255, 9)
    cv2.line(right, (50 + lean, 10), (50, 49), 255, 9)
    ink = left | right
    ink[48:50, 30:50] = 255
    boxes = [piece.box for piece in split([whole(ink)])[0]]
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
def test_what_cannot_be_cut_stays_whole(ink: Uint8) -> None:
    mark = Piece(Box(0, 0, *ink.shape[::-1]), Box(0, 0, *ink.shape[::-1]), ink)
    ((piece,),) = split([mark])
    assert piece is mark


def test_the_number_of_pieces_is_bounded() -> None:
    ink = np.zeros((HEIGHT, 480), np.uint8)
    ink[18:21] = 200
    for x in range(0, 480, 8):
        ink[:, x : x + 5] = 200
    assert 12 <= len(split([whole(ink)])[0]) <= 3 * 480 / HEIGHT


def test_pieces_are_as_high_as_digits() -> None:
    ink = np.zeros((HEIGHT, 200), np.uint8)
    ink[18:21, :] = ink[:, :3] = ink[:, -3:] = 255  # a dash between two strokes could be cut anywhere
    left, right = split([whole(ink)])[0]
    assert left.box.height == right.box.height == HEIGHT
    ink[:, 98:101] = 255
    assert [piece.box.height for piece in split([whole(ink)])[0]] == [HEIGHT] * 3


@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 7), (7, 1)])
def test_slender_digits_that_touch_come_apart(digits: tuple[Uint8, Uint8], first: int, second: int) -> None:
    images, labels = digits
    worst = []
    for one, other in zip(images[labels == first][:12], images[labels == second][-12:], strict=True):
        pairs = (pushed_together([one, other], overlap) for overlap in range(1, 30))
        worst.append(found_again(*next((ink, boxes) for ink, boxes in pairs if in_one(ink))))
    assert np.mean(np.array(worst) > 0.7) > 0.8


@pytest.mark.parametrize(("count", "typical", "least"), [(2, 0.8, 0.7), (3, 0.55, 0.3)])
def test_touching_digits_are_split_into_themselves(
    digits: tuple[Uint8, Uint8], count: int, typical: float, least: float
) -> None:
    random, worst = np.random.default_rng(count), list[float]()
    while len(worst) < 60:
        ink, boxes = pushed_together([*digits[0][random.integers(0, 190, count)]], int(random.integers(1, 4)))
        if in_one(ink):
            worst.append(found_again(ink, boxes))
    assert np.median(worst) > typical
    assert np.mean(np.array(worst) > 0.7) > least


def test_a_cut_comes_around_a_tail() -> None:
    # A stroke with a tail that runs below the next stroke, which just touches it.
    ink = np.zeros((60, 80), np.uint8)
    ink[10:50, 20:24] = ink[46:50, 20:36] = ink[10:45, 30:34] = 255
    ink[45, 30:34] = 100
    assert found_again(ink, [Box(20, 10, 16, 40), Box(30, 10, 4, 35)]) > 0.9


def test_marks_are_split_together_as_alone() -> None:
    marks = [whole(blocks(2)), whole(blocks(3, bridge=5)), whole(np.full((40, 80), 255, np.uint8))]
    assert [[piece.box for piece in pieces] for pieces in split(marks)] == [
        [piece.box for piece in split([mark])[0]] for mark in marks
    ]
    assert split([]) == []


def test_pieces_hold_nearly_all_ink(digits: tuple[Uint8, Uint8]) -> None:
    for i in range(0, 190, 7):
        ink, _ = pushed_together([digits[0][i], digits[0][i + 9]], 3)
        mark = whole(ink)
        plane = laid([mark], ink.shape)
        missing = np.where(laid(split([mark])[0], ink.shape) != plane, plane, 0)
        assert missing.sum() < 0.02 * plane.sum()
        dark = np.asarray(np.where(missing > ink.max() / 4, 255, 0), np.uint8)
        assert all(max(cv2.boundingRect(outline)[2:]) <= 2 for outline in cv2.findContours(dark, 0, 2)[0])


@given(arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 60))), st.integers(0, 9), st.integers(0, 9))
def test_pieces_of_any_ink_lie_in_it(ink: Uint8, x: int, y: int) -> None:
    height, width = ink.shape
    mark = Piece(Box(x, y, width, height), Box(x, y, width, height), ink)
    pieces = split([mark])[0]
    assert pieces
    plane = np.zeros((height + y, width + x), np.uint8)
    plane[y:, x:] = ink
    sums = laid(pieces, plane.shape)
    assert ((sums == plane) | (sums == 0)).all()
    for piece in pieces:
        assert piece is mark or max(piece.box.width, piece.box.height) > 1
        assert 0 <= piece.box.x - piece.place.x <= 1
        assert 0 <= piece.place.bottom - piece.box.bottom <= 1
