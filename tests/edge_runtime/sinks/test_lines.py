"""Readings as lines of text: an unsure line is marked."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files

from edge_runtime.records import UNSURE, Box, Event, Line, Reading, Timings
from edge_runtime.sinks.lines import Text

AT = datetime(2026, 3, 1, tzinfo=UTC)
BOX = Box(0, 0, 9, 9)
EMPTY = Reading("page.jpg", 0, AT, 1, 1, (), (), (), Timings(0, 0, 0, 0, 0), "0" * 12)
APPEARED = Event("appeared", 1, "407 12", None, BOX, UNSURE, "camera", 7, AT)


def written(*records: Reading | Event, several: bool = False) -> list[str]:
    lines: list[str] = []
    sink = Text(lines.append, several)
    for one in records:
        sink.reading(one) if isinstance(one, Reading) else sink.event(one)
    return lines


def test_unsure_lines_end_with_a_question_mark() -> None:
    lines = Line("407 12", UNSURE, BOX), Line("8", UNSURE - 1e-6, BOX)
    reading = replace(EMPTY, text=("407 12", "8"), lines=lines)
    assert written(reading) == ["407 12", "8 ?"]
    assert written(reading, several=True) == ["page.jpg: 407 12", "page.jpg: 8 ?"]


def test_the_web_page_marks_the_same_lines() -> None:
    script = (files("edge_runtime") / "web" / "static" / "lines.js").read_text()
    assert re.findall(r"^const UNSURE = ([\d.]+);", script, re.MULTILINE) == [str(UNSURE)]


def test_a_page_without_digits_says_so() -> None:
    assert written(EMPTY) == ["(no digit)"]


def test_unsure_events_end_with_a_question_mark() -> None:
    unsure = replace(APPEARED, confidence=0.5)
    assert written(APPEARED, unsure) == ["appeared 407 12", "appeared 407 12 ?"]
    changed = replace(unsure, event="changed", text="407 18", previous="407 12")
    gone = replace(unsure, event="gone", text=None, previous="407 18")
    assert written(changed, gone) == ["changed 407 12 to 407 18 ?", "gone 407 18"]
