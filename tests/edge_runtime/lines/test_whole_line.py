from collections.abc import Iterator

import numpy as np
import pytest

from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.contract import BLANK
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.lines.constraint import of_length, of_patterns
from edge_runtime.lines.ctc import decode
from edge_runtime.lines.views import HEIGHT_FACTORS, Located, Readers, View, read_line, read_picture
from edge_runtime.lines.whole_line import PLACE_FLOOR, shown_in, texts_of, whole_line
from edge_runtime.records import Box, Uint8
from edge_runtime.vision.glyphs import PROBABILITY_FLOOR
from edge_runtime.vision.line_check import Text
from edge_runtime.vision.planes import Plane, ink_planes
from edge_runtime.vision.strips import strip_of

SIZE = (256, 32)
EMPTY = Plane(np.zeros((32, 256), np.uint8), 1.0, 0, light=False)
STRIP = strip_of(EMPTY.ink, [Box(40, 6, 20, 20)], 1.0)


def view(*digits: int, sure: float, by_digits: float = 1.0, place: int = 0) -> View:
    """Return a view that says these digits, each at every fourth step, the first one as surely as that."""
    probabilities = np.eye(BLANK + 1)[[k for label in digits for k in (label, BLANK)] + [BLANK]]
    if digits:
        probabilities[0, digits[0]], probabilities[0, BLANK] = sure, 1 - sure
    seen = by_digits * np.eye(BLANK)[list(digits)]
    return View(place, EMPTY, STRIP, probabilities, decode(probabilities, 2.0), seen)


def located(*labels: int, likely: float = -1.0) -> Located:
    return Located(EMPTY, [STRIP.box(0, 20)] * len(labels), list(labels), likely)


def test_a_text_is_as_likely_as_all_views() -> None:
    views = [view(1, 2, sure=0.7), view(7, sure=0.9), view(1, 2, sure=0.6)]
    first, second = texts_of(views, located(1, 2), None)
    assert (first.labels, first.alike, second.labels, second.alike) == ((1, 2), True, (7,), False)
    assert first.line == pytest.approx((0.7 + 0.6) / 3)
    assert second.line == pytest.approx(0.9 / 3)
    assert (first.log_line, second.log_line) == pytest.approx((np.log(first.line), np.log(second.line)))


def test_a_text_is_likely_in_every_place() -> None:
    views = [view(1, 2, sure=0.6), view(7, sure=0.9), view(1, 2, sure=0.8, place=1), view(3, sure=1.0, place=2)]
    first, second, _ = texts_of(views, None, None)
    assert first.line == pytest.approx((0.6 + 0.8) / 4)
    assert first.log_line == pytest.approx(np.log([0.6 / 2, 0.8, PLACE_FLOOR]).mean())
    assert second.log_line == pytest.approx(np.log([0.9 / 2, PLACE_FLOOR, PLACE_FLOOR]).mean())


def test_the_classifiers_text_competes_too() -> None:
    unsure = view(1, 7, sure=1.0)._replace(digits=np.array([np.eye(BLANK)[1], 0.6 * np.eye(BLANK)[4]]))
    network = np.array([np.eye(BLANK)[1], 0.6 * np.eye(BLANK)[7] + 0.3 * np.eye(BLANK)[4]])
    both = unsure._replace(text=unsure.text._replace(confidences=network))
    texts = texts_of([both], None, None)
    assert [text.labels for text in texts] == [(1, 7), (1, 4)]
    assert [shown.labels for shown in shown_in(both)] == [(1, 7), (1, 4), (1, 4)]
    assert shown_in(both)[1].confidences[1, 4] == pytest.approx(1.0, abs=0.01)
    whole = whole_line([both], texts, texts[1], SIZE)
    assert whole.labels == (1, 4)
    assert whole.confidences.argmax(axis=1).tolist() == [1, 4]
    assert whole_line([both], texts, texts[0], SIZE).confidences is network
    assert [text.labels for text in texts_of([both], None, of_patterns("17"))] == [(1, 7)]


def test_the_digit_by_digit_text_competes_too() -> None:
    own = texts_of([view(1, 2, sure=0.7), view(7, 2, sure=0.9)], located(2, likely=-0.5), None)[-1]
    assert (own.labels, own.alike, own.digits) == ((2,), True, -0.5)
    assert own.line == pytest.approx((0.3 + 0.1) / 2)


def test_the_classifier_sees_the_clearest_views_digits() -> None:
    views = [view(1, 2, sure=0.9, by_digits=0.2), view(1, 2, sure=0.8, by_digits=0.5), view(3, sure=0.9)]
    first, second = texts_of(views, None, None)
    assert first.digits == pytest.approx(2 * np.log(0.5))
    assert second.digits == pytest.approx(0.0)
    # What no view holds is as unlikely as can be, digit by digit.
    assert texts_of(views, located(4, 5, 6, likely=-99.0), None)[-1].digits == pytest.approx(
        3 * np.log(PROBABILITY_FLOOR)
    )


def test_a_refused_text_is_never_reported() -> None:
    assert [text.labels for text in texts_of([view(1, 2, sure=0.7)], located(1), of_length(2))] == [(1, 2)]


def test_views_that_see_nothing_leave_what_was_found() -> None:
    blank = view(sure=1.0)
    assert [text.labels for text in texts_of([blank, view(5, sure=0.6)], None, None)] == [(5,)]
    assert [text.labels for text in texts_of([blank], located(3), None)] == [(3,)]
    assert whole_line([blank], [], None, SIZE).boxes == ()


def test_places_are_of_the_surest_view() -> None:
    views = [view(1, 2, sure=0.6), view(7, sure=0.9), view(1, 2, sure=0.7)]
    texts = texts_of(views, None, None)
    whole = whole_line(views, texts, texts[0], SIZE)
    assert whole.labels == (1, 2)
    assert len(whole.boxes) == len(whole.columns) == 2
    assert whole.confidences[0, 1] == pytest.approx(0.7)
    assert whole.texts == tuple(texts)


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
    return max(texts_of(views, line, None), key=lambda text: text.line)


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
    grown = whole_line(views, [], best(views, two), size)
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
