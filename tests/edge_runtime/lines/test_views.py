from collections.abc import Iterator

import numpy as np
import pytest

from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.lines.constraint import of_length
from edge_runtime.lines.views import HEIGHT_FACTORS, Located, Readers, View, read_line, read_picture
from edge_runtime.lines.whole_line import shown_in, texts_of, whole_line
from edge_runtime.records import Box, Uint8
from edge_runtime.vision.line_check import Text
from edge_runtime.vision.planes import ink_planes


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Classifier() as classifier:
        model = classifier.model
        assert model.line is not None
        network = LineNetwork(model.path, model.line, 1)
        yield Readers(network, classifier)
        network.close()


@pytest.fixture(scope="module")
def number(digits: tuple[Uint8, Uint8]) -> tuple[Uint8, list[int]]:
    """Return a picture of six digits beside each other, dark on light, and what they are."""
    every = np.linspace(0, len(digits[0]) - 1, 6).astype(int)
    images, labels = digits[0][every, :, 3:25], digits[1][every]
    ink = np.kron(np.hstack(list(images)), np.ones((2, 2), np.uint8))
    return np.pad(220 - (ink * 0.7).astype(np.uint8), 20, constant_values=220), labels.tolist()


def best(views: list[View], line: Located | None) -> Text:
    """Return the text that the line network holds the likeliest."""
    return max(texts_of(views, shown_in(views), line, None), key=lambda text: text.line)


def test_a_line_is_read_from_its_digits(readers: Readers, number: tuple[Uint8, list[int]]) -> None:
    pixels, labels = number
    plane = ink_planes(pixels)[0]
    by = 1 / plane.scale
    boxes = [Box(round((22 + 44 * i) * by), round(28 * by), round(40 * by), round(40 * by)) for i in range(6)]
    size = pixels.shape[1], pixels.shape[0]
    every = Located(plane, boxes, labels, 0.0)
    text = best(read_line(readers, every, HEIGHT_FACTORS, None), every)
    assert len(text.labels) == 6
    assert sum(a == b for a, b in zip(text.labels, labels, strict=True)) >= 5
    # From two of them, it finds the others beside them.
    two = Located(plane, boxes[2:4], labels[2:4], 0.0)
    views = read_line(readers, two, HEIGHT_FACTORS, None)
    grown = whole_line(views, shown_in(views), [], best(views, two), size)
    assert len(grown.labels) >= 5
    lefts = [box.x for box in grown.boxes]
    assert lefts == sorted(lefts)
    assert all(box.x >= 0 and box.right <= size[0] for box in grown.boxes)


def test_digits_far_beside_are_read_in_a_picture(readers: Readers, number: tuple[Uint8, list[int]]) -> None:
    pixels, labels = number
    first, last = pixels[:, : 20 + 2 * 44], pixels[:, 20 + 2 * 44 :]
    apart = np.hstack([first, np.full((len(pixels), 160), 220, np.uint8), last])
    plane = ink_planes(apart)[0]
    by = 1 / plane.scale
    boxes = [Box(round((22 + 44 * i) * by), round(28 * by), round(40 * by), round(40 * by)) for i in range(2)]
    two = Located(plane, boxes, labels[:2], 0.0)
    # On a page, other lines may stand there.
    assert best(read_line(readers, two, HEIGHT_FACTORS, None), two).labels == tuple(labels[:2])
    text = best(read_picture(readers, ink_planes(apart), two, None), two)
    assert len(text.labels) == 6
    assert sum(a == b for a, b in zip(text.labels, labels, strict=True)) >= 5


def test_every_view_of_a_picture_obeys_a_constraint(readers: Readers, number: tuple[Uint8, list[int]]) -> None:
    pixels, labels = number
    plane = ink_planes(pixels)[0]
    by = 1 / plane.scale
    boxes = [Box(round((22 + 44 * i) * by), round(28 * by), round(40 * by), round(40 * by)) for i in range(6)]
    views = read_picture(readers, ink_planes(pixels), Located(plane, boxes, labels, 0.0), of_length(5))
    assert len(views) == 10
    assert {len(view.text.labels) for view in views} == {5}


def test_the_classifier_reads_where_the_network_saw(readers: Readers, number: tuple[Uint8, list[int]]) -> None:
    pixels, labels = number
    views = read_picture(readers, ink_planes(pixels), None, None)
    read = [view.digits.argmax(axis=1).tolist() for view in views if len(view.digits) == len(labels)]
    assert np.mean([np.equal(one, labels).mean() for one in read]) > 0.8


def test_each_text_is_classified_once_by_its_surest(readers: Readers, number: tuple[Uint8, list[int]]) -> None:
    views = read_picture(readers, ink_planes(number[0]), None, None)
    for text in {view.text.labels for view in views if view.text.labels}:
        alike = [view for view in views if view.text.labels == text]
        seen = [view for view in alike if len(view.digits)]
        assert seen == [max(alike, key=lambda view: view.text.likely)]
        assert seen[0].digits.shape == (len(text), 10)


def test_agreeing_strips_are_not_classified(readers: Readers, number: tuple[Uint8, list[int]]) -> None:
    pixels, _ = number
    plane = ink_planes(pixels)[0]
    by = 1 / plane.scale
    boxes = [Box(round((22 + 44 * i) * by), round(28 * by), round(40 * by), round(40 * by)) for i in range(6)]
    other = Located(plane, boxes, [8] * 6, 0.0)
    views = read_line(readers, other, HEIGHT_FACTORS, None)
    assert all(len(view.digits) == len(view.text.labels) for view in views)
    text = views[0].text.labels
    alike = read_line(readers, other._replace(labels=list(text)), (), None)
    assert [(view.text.labels, len(view.digits)) for view in alike] == [(text, 0)]


def test_a_picture_is_read_without_any_digits(readers: Readers, number: tuple[Uint8, list[int]]) -> None:
    pixels, _ = number
    for shown in (pixels, 255 - pixels):
        assert len(best(read_picture(readers, ink_planes(shown), None, None), None).labels) == 6
    blank = np.full((60, 300), 200, np.uint8)
    assert read_picture(readers, ink_planes(blank), None, None) == []
