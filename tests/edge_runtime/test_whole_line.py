from collections.abc import Iterator

import numpy as np
import pytest

from edge_runtime import model_file
from edge_runtime.ctc import BLANK, decode
from edge_runtime.line_network import LineNetwork
from edge_runtime.records import Box, Uint8
from edge_runtime.vision.planes import Plane, ink_planes
from edge_runtime.vision.strips import strip_of
from edge_runtime.whole_line import HEIGHTS, Found, View, read_line, read_picture, voted

SIZE = (256, 32)
EMPTY = Plane(np.zeros((32, 256), np.uint8), 1.0, 0, light=False)
STRIP = strip_of(EMPTY.ink, [Box(40, 6, 20, 20)], 1.0)


def view(*digits: int, sure: float) -> View:
    """Return a view that says these digits, each at every fourth step, the first one as surely as that."""
    probabilities = np.eye(BLANK + 1)[[k for label in digits for k in (label, BLANK)] + [BLANK]]
    if digits:
        probabilities[0, digits[0]], probabilities[0, BLANK] = sure, 1 - sure
    return View(EMPTY, STRIP, probabilities, decode(probabilities, 2.0))


def test_the_text_that_is_likeliest_by_all_views_counts() -> None:
    whole = voted([view(1, 2, sure=0.7), view(7, sure=0.9), view(1, 2, sure=0.6)], [1, 2], SIZE)
    assert whole.labels == (1, 2)
    assert whole.likely == pytest.approx((0.7 + 0.6) / 3)
    assert whole.others == pytest.approx(whole.likely)
    assert len(whole.boxes) == len(whole.columns) == 2
    # Places and confidences are those of the view that is surest of it.
    assert whole.confidences[0, 1] == pytest.approx(0.7)


def test_what_was_read_one_by_one_is_as_likely_as_all_views_say() -> None:
    whole = voted([view(1, 2, sure=0.7), view(7, 2, sure=0.9)], [2], SIZE)
    assert whole.labels == (7, 2)
    assert whole.others == pytest.approx((0.3 + 0.1) / 2)


def test_a_view_that_sees_nothing_has_no_vote_unless_all_do() -> None:
    assert voted([view(sure=1.0), view(5, sure=0.6)], [], SIZE).labels == (5,)
    whole = voted([view(sure=1.0), view(sure=1.0)], [3], SIZE)
    assert (whole.labels, whole.boxes, whole.others) == ((), (), 0.0)


@pytest.fixture(scope="module")
def network() -> Iterator[LineNetwork]:
    model = model_file.read(model_file.SHIPPED)
    assert model.line is not None
    network = LineNetwork(model.path, model.line, 1)
    yield network
    network.close()


@pytest.fixture(scope="module")
def number(digits: tuple[Uint8, Uint8]) -> tuple[Uint8, list[int]]:
    """Return a picture of six digits beside each other, dark on light, and what they are."""
    every = np.linspace(0, len(digits[0]) - 1, 6).astype(int)
    images, labels = digits[0][every, :, 3:25], digits[1][every]
    ink = np.kron(np.hstack(list(images)), np.ones((2, 2), np.uint8))
    return np.pad(220 - (ink * 0.7).astype(np.uint8), 20, constant_values=220), labels.tolist()


def test_a_line_is_read_from_the_digits_that_were_found(network: LineNetwork, number: tuple[Uint8, list[int]]) -> None:
    pixels, labels = number
    plane = ink_planes(pixels)[0]
    by = 1 / plane.scale
    boxes = [Box(round((22 + 44 * i) * by), round(28 * by), round(40 * by), round(40 * by)) for i in range(6)]
    size = pixels.shape[1], pixels.shape[0]
    whole = read_line(network, Found(plane, boxes, labels), HEIGHTS, size, None)
    assert len(whole.labels) == 6
    assert sum(a == b for a, b in zip(whole.labels, labels, strict=True)) >= 5
    # From two of them, it finds the others beside them.
    grown = read_line(network, Found(plane, boxes[2:4], labels[2:4]), HEIGHTS, size, None)
    assert len(grown.labels) >= 5
    lefts = [box.x for box in grown.boxes]
    assert lefts == sorted(lefts)
    assert all(box.x >= 0 and box.right <= size[0] for box in grown.boxes)


def test_a_picture_is_read_without_any_digit_that_was_found(
    network: LineNetwork, number: tuple[Uint8, list[int]]
) -> None:
    pixels, _ = number
    for shown in (pixels, 255 - pixels):
        whole = read_picture(network, ink_planes(shown), None, (pixels.shape[1], pixels.shape[0]), None)
        assert whole is not None
        assert len(whole.labels) == 6
    blank = np.full((60, 300), 200, np.uint8)
    assert read_picture(network, ink_planes(blank), None, (300, 60), None) is None
