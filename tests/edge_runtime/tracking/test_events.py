from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import records
from edge_runtime.records import Box, Event, Reading, Rejection, Timings
from edge_runtime.tracking.events import AGAIN, FULLER, LATELY, likeness, line_events
from edge_runtime.vision.rejection import UNSURE_LINE

START = datetime(2026, 1, 1, tzinfo=UTC)
Line = tuple[str, int, int]  # its text, and where it starts


def reading(frame: int, *lines: Line | str, confidence: float = 0.9) -> Reading:
    """Return what was read in a frame: 40 pixels high digits in lines, from the left edge and 100 pixels apart."""
    placed = []
    for number, line in enumerate(lines):
        text, x, y = (line, 0, 100 * number) if isinstance(line, str) else line
        placed.append(records.Line(text, confidence, Box(x, y, 30 * len(text) - 6, 40)))
    texts = tuple(line.text for line in placed)
    at, ms = START + timedelta(seconds=frame), Timings(0, 0, 0, 0, 0)
    return Reading("page.mp4", frame, at, 640, 480, texts, (), (), ms, "0" * 12, lines=tuple(placed))


def unsure(frame: int, box: Box) -> Reading:
    """Return a frame whose only line, in a box, was less sure than it had to be."""
    return replace(reading(frame), rejected=(Rejection(box, UNSURE_LINE, 0.9),))


def events(frames: Iterable[Sequence[Line | str]], need: int = 3, of: int = 5) -> list[tuple[int, str, str | None]]:
    """Return each event's frame, kind and text."""
    all_events = line_events((reading(i, *lines) for i, lines in enumerate(frames)), need, of)
    return [(event.frame, event.event, event.text) for event in all_events]


def test_a_line_is_reported_once_after_three_frames() -> None:
    assert events([["123"]] * 10) == [(2, "appeared", "123")]


def test_fewer_frames_are_never_reported() -> None:
    assert events([["123"]] * 2 + [[]] * 10) == []
    assert events([["123"]] * 6 + [["128"]] * 2 + [["123"]] * 6) == [(2, "appeared", "123")]
    assert events([["123"]] * 6 + [[]] * 2 + [["123"]] * 6) == [(2, "appeared", "123")]


def test_a_flickering_reading_is_its_usual_text() -> None:
    assert events([["123"], ["128"], ["123"]] * 6) == [(6, "appeared", "123")]
    assert events([["128"], ["123"], ["128"], ["128"], ["123"]] + [["123"]] * 6) == [(7, "appeared", "123")]


def test_frames_before_a_text_do_not_oppose_it() -> None:
    # A page is pushed into the picture: there is more of it from frame to frame.
    assert events([["1"], ["12"], ["123"], ["1234"], ["1234"], ["1234"]]) == [(5, "appeared", "1234")]
    # One that is nothing like what was reported takes its place as soon as it is settled.
    assert events([["123"]] * 9 + [["12"], ["456"], ["456"], ["456"]]) == [
        (2, "appeared", "123"),
        (12, "changed", "456"),
    ]


def test_a_digit_missed_half_the_time_is_there() -> None:
    assert events([["123"], ["13"]] * 12) == [(8, "appeared", "123")]
    assert events([["1 3"], ["123"]] * 12) == [(9, "appeared", "123")]
    assert events([["13"]] * 3 + [["123"], ["13"]] * 30) == [(2, "appeared", "13")]  # it must not change for that


def test_an_ambiguous_digit_is_not_reported_repeatedly() -> None:
    assert events([["123"]] * 12 + ([["128"]] * 3 + [["123"]] * 6) * 5) == [(2, "appeared", "123")]
    # What really changes is, a little later than where nothing is alike.
    assert events([["123"]] * 40 + [["128"]] * 20) == [(2, "appeared", "123"), (48, "changed", "128")]
    assert events([["123"]] * 40 + [["789"]] * 20) == [(2, "appeared", "123"), (42, "changed", "789")]


def test_changes_and_ends_report_the_previous_text() -> None:
    frames = [["123"]] * 5 + [["1234"]] * 9 + [[]] * 5
    settled = list(line_events(reading(i, *lines) for i, lines in enumerate(frames)))
    assert [(e.event, e.line_id, e.previous, e.text, e.frame) for e in settled] == [
        ("appeared", 1, None, "123", 2),
        ("changed", 1, "123", "1234", 13),
        ("gone", 1, "1234", None, 16),
    ]
    assert settled[0] == Event(
        "appeared", 1, "123", None, Box(0, 0, 84, 40), 0.9, "page.mp4", 2, START + timedelta(seconds=2)
    )
    assert settled[2].box == Box(0, 0, 114, 40)


def test_a_line_that_moves_stays_the_same_line() -> None:
    assert events([[("123", 10 * i, 30 * i)] for i in range(12)]) == [(2, "appeared", "123")]


def test_a_new_line_leaves_those_below() -> None:
    frames: list[list[Line | str]] = [[("55", 0, 100), ("77", 0, 200)]] * 5
    frames += [[("33", 0, 0), ("55", 0, 100), ("77", 0, 200)]] * 5
    assert events(frames) == [(2, "appeared", "55"), (2, "appeared", "77"), (7, "appeared", "33")]


def test_one_line_of_two_goes_alone() -> None:
    assert events([["55", "77"]] * 5 + [[("77", 0, 100)]] * 5) == [
        (2, "appeared", "55"),
        (2, "appeared", "77"),
        (7, "gone", None),
    ]


def test_an_exchanged_page_changes_its_lines() -> None:
    assert events([["123", "456"]] * 5 + [["789", "012"]] * 5) == [
        (2, "appeared", "123"),
        (2, "appeared", "456"),
        (7, "changed", "789"),
        (7, "changed", "012"),
    ]


def test_a_distant_different_text_is_another_line() -> None:
    changes = events([[("123", 0, 0)]] * 5 + [[("987", 0, 400)]] * 5)
    assert changes == [(2, "appeared", "123"), (7, "gone", None), (7, "appeared", "987")]


def test_equal_lines_differ_by_their_place() -> None:
    assert events([["11", "11"]] * 5 + [[("11", 0, 100)]] * 5) == [
        (2, "appeared", "11"),
        (2, "appeared", "11"),
        (7, "gone", None),
    ]


def test_words_keep_their_spaces() -> None:
    assert events([["12 345"]] * 3) == [(2, "appeared", "12 345")]


def test_one_of_one_reports_every_reading() -> None:
    assert events([["1"], ["2"], [], ["2"]], need=1, of=1) == [
        (0, "appeared", "1"),
        (1, "changed", "2"),
        (2, "gone", None),
        (3, "appeared", "2"),
    ]


@pytest.mark.parametrize(("need", "of"), [(0, 1), (4, 3), (2, 4), (-1, 1)])
def test_no_or_two_settled_texts_are_refused(need: int, of: int) -> None:
    with pytest.raises(ValueError, match="more than half"):
        next(line_events([reading(0, "1")], need, of))


def test_lines_resemble_each_other_in_text_and_place() -> None:
    above, below = reading(0, "12 3", ("4", 7, 100)).lines
    assert likeness(above, above) == 1
    assert likeness(above, below) == 0


def test_an_event_has_its_frames_confidence() -> None:
    sure = [0.2, 0.9, 0.6, 0.8, 0.99, 0.7, 0.1]
    all_events = list(line_events([reading(i, "12", confidence=one) for i, one in enumerate(sure)] + [reading(7)] * 3))
    assert [(event.event, event.confidence) for event in all_events] == [("appeared", 0.6), ("gone", 0.7)]


def test_a_temporarily_unsure_line_is_not_gone() -> None:
    box = Box(10, 10, 20, 20)
    shown = [reading(i, "12") for i in range(5)]
    assert [event.event for event in line_events([*shown, *(unsure(i, box) for i in range(5, 30))])] == ["appeared"]
    elsewhere = [unsure(i, Box(300, 10, 20, 20)) for i in range(5, 10)]
    assert [event.event for event in line_events([*shown, *elsewhere])] == ["appeared", "gone"]
    assert list(line_events(unsure(i, box) for i in range(9))) == []


TEXTS = st.lists(st.sampled_from(["1", "17", "4 2", "007", "65"]), max_size=3)


@given(st.lists(TEXTS, max_size=25), st.sampled_from([(1, 1), (2, 3), (3, 5)]))
def test_any_events_of_a_line_are_consistent(frames: list[list[str]], rule: tuple[int, int]) -> None:
    said: dict[int, str | None] = {}
    for event in line_events((reading(i, *lines) for i, lines in enumerate(frames)), *rule):
        assert event.previous == said.get(event.line_id)
        assert event.text != event.previous
        assert (event.event == "appeared") == (event.previous is None)
        assert (event.event == "gone") == (event.text is None)
        said[event.line_id] = event.text


@given(st.lists(st.sampled_from(["1", "17", "4 2"]), min_size=1, max_size=3, unique=True), st.integers(3, 9))
def test_a_page_that_holds_still_is_reported_whole(texts: list[str], frames: int) -> None:
    assert sorted(text or "" for _, _, text in events([texts] * frames)) == sorted(texts)


DOUBTS = ["1234", "1284", "134", "1 234"]  # all alike


@given(st.lists(st.sampled_from([*DOUBTS, "789", ""]), max_size=60), st.sampled_from([(1, 1), (2, 3), (3, 5), (4, 5)]))
def test_every_report_was_settled_and_leads_its_rivals(texts: list[str], rule: tuple[int, int]) -> None:
    need, of = rule
    said = -1
    for event in line_events((reading(i, *filter(None, [text])) for i, text in enumerate(texts)), need, of):
        until = texts[: event.frame + 1]
        now = event.text or ""
        assert until[-of:].count(now) >= need
        if event.previous in DOUBTS and now in DOUBTS:
            since = until[said + 1 :][-LATELY:]
            since = since[since.index(now) :]
            assert since.count(now) - since.count(event.previous) / FULLER >= AGAIN * need
        said = event.frame


@given(st.lists(st.sampled_from(DOUBTS), max_size=60), st.sampled_from([(1, 1), (2, 3), (3, 5), (4, 5)]))
def test_a_line_in_doubt_does_not_change_often(texts: list[str], rule: tuple[int, int]) -> None:
    settled = [frame for frame, _, _ in events([[text] for text in texts], *rule)]
    assert len(settled) <= 1 + len(texts) / (AGAIN * rule[0])
