import numpy as np
import pytest

from edge_runtime.inference.contract import BLANK
from edge_runtime.lines.constraint import Constraint, of_length, of_patterns
from edge_runtime.lines.ctc import decode
from edge_runtime.lines.views import Located, View
from edge_runtime.lines.whole_line import PLACE_FLOOR, shown_in, whole_line
from edge_runtime.lines.whole_line import texts_of as compared
from edge_runtime.records import Box
from edge_runtime.vision.glyphs import PROBABILITY_FLOOR
from edge_runtime.vision.line_check import Text
from edge_runtime.vision.planes import Plane
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


def texts_of(views: list[View], line: Located | None, constraint: Constraint | None) -> list[Text]:
    """Return the texts that a line may have by these views."""
    return compared(views, shown_in(views), line, constraint)


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
    assert [shown.labels for shown in shown_in([both])] == [(1, 7), (1, 4), (1, 4)]
    assert shown_in([both])[1].confidences[1, 4] == pytest.approx(1.0, abs=0.01)
    whole = whole_line([both], shown_in([both]), texts, texts[1], SIZE)
    assert whole.labels == (1, 4)
    assert whole.confidences.argmax(axis=1).tolist() == [1, 4]
    assert whole_line([both], shown_in([both]), texts, texts[0], SIZE).confidences is network
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
    assert whole_line([blank], shown_in([blank]), [], None, SIZE).boxes == ()


def test_places_are_of_the_surest_view() -> None:
    views = [view(1, 2, sure=0.6), view(7, sure=0.9), view(1, 2, sure=0.7)]
    texts = texts_of(views, None, None)
    whole = whole_line(views, shown_in(views), texts, texts[0], SIZE)
    assert whole.labels == (1, 2)
    assert len(whole.boxes) == len(whole.columns) == 2
    assert whole.confidences[0, 1] == pytest.approx(0.7)
    assert whole.texts == tuple(texts)
