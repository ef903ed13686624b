from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.lines.constraint import Constraint
from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Frame, Uint8
from edge_runtime.trace import Hint, Trace
from edge_runtime.tracking.live_reader import FULLY, LiveReader, read_planes
from edge_runtime.vision.planes import Key

Digits = tuple[Uint8, Uint8]
EMPTY = np.full((480, 640), 230, np.uint8)


class Watched(DigitReader):
    """Notes which planes each frame was read on; None for all."""

    def __init__(self, min_line_confidence: float = 0.0) -> None:
        super().__init__(min_line_confidence=min_line_confidence)
        self.asked: list[frozenset[Key] | None] = []

    def trace(self, frame: Frame | Uint8, hint: Hint | None = None, constraint: Constraint | None = None) -> Trace:
        self.asked.append(None if hint is None else hint.planes)
        return super().trace(frame, hint, constraint)


@pytest.fixture
def watched() -> Iterator[Watched]:
    with Watched() as reader:
        yield reader


def page(digits: Digits, text: str, height: int = 40) -> Uint8:
    images, labels = digits
    chosen = [int(np.flatnonzero(labels == int(label))[3]) for label in text]
    style = PageStyle(digit_height=(height, height))
    return draw_page(images[chosen], labels[chosen], np.random.default_rng(3), style).pixels


def texts(reader: LiveReader, *frames: Uint8) -> list[str]:
    return ["".join(reader.trace(Frame(pixels)).reading.text) for pixels in frames]


def test_a_still_page_is_read_on_one_plane(digits: Digits, watched: Watched) -> None:
    still = page(digits, "20481")
    assert texts(LiveReader(watched), *[still] * (2 * FULLY + 1)) == ["20481"] * (2 * FULLY + 1)
    one = frozenset({(0, False)})
    assert watched.asked == [None, *[one] * (FULLY - 1), None, *[one] * (FULLY - 1), None]


def test_unsure_lines_do_not_widen_the_search(digits: Digits) -> None:
    still = page(digits, "20481")
    with Watched(min_line_confidence=1.0) as watched:
        assert texts(LiveReader(watched), *[still] * 3) == [""] * 3
        one = frozenset({(0, False)})
        assert watched.asked == [None, one, one]


def test_without_digits_all_planes_are_searched(watched: Watched) -> None:
    assert texts(LiveReader(watched), *[EMPTY] * 3) == [""] * 3
    assert watched.asked == [None] * 3


def test_another_polarity_or_size_is_found_at_once(digits: Digits, watched: Watched) -> None:
    dark, large = page(digits, "20481"), page(digits, "37", 150)
    light = np.asarray(cv2.bitwise_not(dark), np.uint8)
    assert texts(LiveReader(watched), dark, light, large, light, EMPTY, dark) == [
        "20481",
        "20481",
        "37",
        "20481",
        "",
        "20481",
    ]


def test_the_next_full_search_sees_new_planes(digits: Digits, watched: Watched) -> None:
    dark = page(digits, "204")
    both = np.vstack([dark[:240], 255 - page(digits, "35")[:240]])
    results = texts(LiveReader(watched), dark, *[both] * FULLY)
    assert results[0] == "204"
    assert results[-1] == "20435"


def test_fewer_digits_are_no_reason_to_search_forever(digits: Digits, watched: Watched) -> None:
    assert texts(LiveReader(watched), page(digits, "20481"), *[page(digits, "204")] * 3) == ["20481", *["204"] * 3]
    one = frozenset({(0, False)})
    assert watched.asked == [None, one, None, one, one]


def test_planes_that_were_read_show_every_digit(digits: Digits, watched: Watched) -> None:
    both = np.vstack([page(digits, "204")[:240], 255 - page(digits, "35")[:240]])
    trace = watched.trace(both)
    planes = read_planes(trace)
    assert len(trace.reading.digits) == 5
    assert {light for _, light in planes} == {False, True}
    assert watched.trace(both, Hint(planes, 0)).reading.text == trace.reading.text
    assert read_planes(watched.trace(EMPTY)) == frozenset()


def test_other_planes_are_left_empty(digits: Digits, watched: Watched) -> None:
    full, some = (
        watched.trace(page(digits, "20481")),
        watched.trace(page(digits, "20481"), Hint(frozenset({(1, True)}), 0)),
    )
    assert [plane.ink.shape for plane in some.planes] == [plane.ink.shape for plane in full.planes]
    for one, other in zip(some.planes, full.planes, strict=True):
        expected = other.ink if other.key == (1, True) else np.zeros_like(other.ink)
        np.testing.assert_array_equal(one.ink, expected)
