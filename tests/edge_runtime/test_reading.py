import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from edge_runtime import DigitReader, Reading, reject
from edge_runtime.reading import SHARED, WIDER, WORD_GAP, order, tilt, to_record
from edge_runtime.records import Box, Digit, Rejection, Timings
from edge_runtime.sources.pictures import load

SCHEMA = json.loads((Path(__file__).parents[2] / "edge_runtime" / "schemas" / "reading.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
READING = Reading(
    source="page.jpg",
    frame=0,
    captured_at=datetime(2026, 3, 1, 12, 30, 5, 123_456, UTC),
    width=640,
    height=480,
    text=("7",),
    digits=(Digit("7", 0.987654321, Box(1, 2, 30, 40), 0, (("7", 0.987654321), ("1", 0.01), ("2", 0.0))),),
    rejected=(Rejection(Box(0, 0, 3, 3), reject.TOO_SMALL), Rejection(Box(9, 9, 9, 9), reject.LOW_CONFIDENCE, 0.25)),
    ms=Timings(1.23456, 2.0, 3.0, 4.0, 11.0),
    model="0123456789ab",
)
EMPTY = Reading("", 0, datetime(2026, 3, 1, tzinfo=UTC), 1, 1, (), (), (), Timings(0, 0, 0, 0, 0), "0123456789ab")


LINES = st.lists(
    st.builds(Box, st.integers(0, 600), st.integers(0, 400), st.integers(1, 60), st.integers(1, 60)), max_size=30
)


def grid(lines: int, digits: int, pitch: int = 40, height: int = 40, slope: float = 0) -> list[Box]:
    """Return boxes in lines from top to bottom, 80 pixels apart, each from left to right."""
    return [
        Box(pitch * i, round(300 + 80 * line + slope * pitch * i), 20, height)
        for line in range(lines)
        for i in range(digits)
    ]


@pytest.mark.parametrize(
    ("boxes", "lines"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(50, 0, 10, 20)], [[[0]]], id="a single digit"),
        pytest.param([(50, 0, 10, 20), (30, 0, 10, 20), (70, 0, 10, 20)], [[[1, 0, 2]]], id="left to right"),
        pytest.param([(10, 60, 10, 20), (10, 0, 10, 20), (30, 60, 10, 20)], [[[1]], [[0, 2]]], id="top to bottom"),
        pytest.param([(10, 0, 20, 40), (40, 25, 10, 15), (60, 0, 20, 40)], [[[0, 1, 2]]], id="a low digit between"),
        pytest.param([(0, 0, 10, 20), (0, 40, 10, 20), (0, 80, 10, 20)], [[[0]], [[1]], [[2]]], id="a column"),
    ],
)
def test_digits_are_put_in_reading_order(boxes: list[tuple[int, int, int, int]], lines: list[list[list[int]]]) -> None:
    assert order([Box(*box) for box in boxes]) == lines


def test_two_digits_stand_on_one_line_if_they_share_a_part_of_the_lower_ones_height() -> None:
    share = round(SHARED * 20)
    assert order([Box(0, 0, 10, 40), Box(20, 40 - share, 10, 20)]) == [[[0, 1]]]
    assert order([Box(0, 0, 10, 40), Box(20, 41 - share, 10, 20)]) == [[[0]], [[1]]]


@pytest.mark.parametrize("degrees", [-15, -8, 0, 8, 15])
def test_tilted_lines_stay_apart(degrees: float) -> None:
    # Over its ten digits a line climbs or falls by more than the distance between two lines.
    boxes = grid(3, 10, slope=float(np.tan(np.radians(degrees))))
    shuffled = np.random.default_rng(3).permutation(30)
    lines = order([boxes[i] for i in shuffled])
    assert [[[int(shuffled[k]) for k in word] for word in line] for line in lines] == [
        [[*range(10)]],
        [[*range(10, 20)]],
        [[*range(20, 30)]],
    ]


@pytest.mark.parametrize("degrees", [-15, -8, 0, 8, 15])
def test_the_tilt_of_lines_is_what_they_fall_to_the_right(degrees: float) -> None:
    slope = float(np.tan(np.radians(degrees)))
    assert tilt(grid(3, 10, slope=slope)) == pytest.approx(slope, abs=0.015)


def test_lines_of_high_and_low_digits_have_their_tilt() -> None:
    boxes = [Box(40 * i, 300 + 8 * i - (20 if i % 2 else 40), 20, 20 if i % 2 else 40) for i in range(12)]
    assert order(boxes) == [[[*range(12)]]]


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param([], id="nothing"),
        pytest.param([Box(0, 0, 20, 40)], id="one digit"),
        pytest.param([Box(0, 0, 20, 40), Box(40, 10, 20, 40)], id="two digits"),
        pytest.param([Box(0, 80 * i, 20, 40) for i in range(5)], id="a column"),
        pytest.param([Box(400 * i, 100 * i, 20, 40) for i in range(5)], id="digits far apart"),
    ],
)
def test_where_nothing_tells_the_tilt_there_is_none(boxes: list[Box]) -> None:
    assert tilt(boxes) == 0


def test_columns_are_words_of_the_same_lines() -> None:
    columns = [Box(200 * column + 25 * i, 60 * row, 20, 40) for row in range(3) for column in range(3) for i in (0, 1)]
    assert order(columns) == [[[6 * r, 6 * r + 1], [6 * r + 2, 6 * r + 3], [6 * r + 4, 6 * r + 5]] for r in range(3)]


def test_a_gap_between_words_is_wider_than_a_digit_is_high() -> None:
    gap = int(WORD_GAP * 40)
    for between, words in ((gap, [[0, 1, 2, 3]]), (gap + 1, [[0, 1], [2, 3]])):
        starts = (0, 25, 25 + 20 + between, 50 + 20 + between)
        assert order([Box(x, 0, 20, 40) for x in starts]) == [words]


def test_a_gap_between_words_is_wider_than_those_between_digits() -> None:
    usual = 36
    wide = int(WIDER * usual)
    for between, words in ((wide, [[0, 1, 2, 3]]), (wide + 1, [[0, 1], [2, 3]])):
        starts = (0, 20 + usual, 40 + usual + between, 60 + 2 * usual + between)
        assert order([Box(x, 0, 20, 40) for x in starts]) == [words]


def test_two_digits_alone_are_one_word_however_far_apart() -> None:
    assert order([Box(0, 0, 20, 40), Box(500, 0, 20, 40)]) == [[[0, 1]]]


@given(LINES)
def test_every_digit_stands_in_one_word_of_one_line(boxes: list[Box]) -> None:
    lines = order(boxes)
    assert sorted(i for line in lines for word in line for i in word) == [*range(len(boxes))]
    assert all(word for line in lines for word in line)
    for line in lines:
        across = [boxes[i].x for word in line for i in word]
        assert across == sorted(across)


@given(LINES, st.integers(0, 500), st.integers(0, 500))
def test_the_tilt_is_the_same_wherever_the_digits_stand(boxes: list[Box], x: int, y: int) -> None:
    assert tilt([Box(b.x + x, b.y + y, b.width, b.height) for b in boxes]) == pytest.approx(tilt(boxes), abs=1e-9)


def test_a_record_holds_exactly_this() -> None:
    assert to_record(READING) == {
        "type": "reading",
        "source": "page.jpg",
        "frame": 0,
        "captured_at": "2026-03-01T12:30:05.123Z",
        "width": 640,
        "height": 480,
        "text": ["7"],
        "digits": [
            {
                "label": "7",
                "confidence": 0.9877,
                "box": [1, 2, 30, 40],
                "line": 0,
                "top": [["7", 0.9877], ["1", 0.01], ["2", 0.0]],
            }
        ],
        "rejected": [
            {"box": [0, 0, 3, 3], "reason": "too small", "confidence": None},
            {"box": [9, 9, 9, 9], "reason": "low confidence", "confidence": 0.25},
        ],
        "ms": {"ink": 1.235, "locate": 2.0, "normalize": 3.0, "classify": 4.0, "total": 11.0},
        "age_ms": None,
        "dropped": None,
        "model": "0123456789ab",
    }


def test_times_are_in_utc_whatever_the_zone() -> None:
    east = datetime(2026, 3, 1, 0, 15, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    record = to_record(Reading("", 0, east, 1, 1, (), (), (), EMPTY.ms, EMPTY.model))
    assert record["captured_at"] == "2026-02-28T18:45:00.000Z"


@pytest.mark.parametrize("reading", [READING, EMPTY], ids=["full", "empty"])
def test_records_fit_the_schema_and_survive_json(reading: Reading) -> None:
    record = to_record(reading)
    assert json.loads(json.dumps(record)) == record
    VALIDATOR.validate(record)


@pytest.mark.parametrize("name", ["paper.jpg", "blackboard.jpg", "digit.png"])
def test_readings_of_the_samples_fit_the_schema(reader: DigitReader, samples: Path, name: str) -> None:
    record = json.loads(json.dumps(to_record(reader.read(load(samples / name)))))
    assert [error.message for error in VALIDATOR.iter_errors(record)] == []
    assert record["digits"]


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        schema = list(schema.values())
    if isinstance(schema, list):
        for inside in schema:
            yield from objects(inside)


def test_the_schema_asks_for_every_key_and_no_other() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    found = list(objects(SCHEMA))
    assert len(found) == 4
    for schema in found:
        assert schema["required"] == list(schema["properties"])
        assert schema["additionalProperties"] is False
    assert SCHEMA["required"] == list(to_record(EMPTY))


def test_the_schema_knows_every_reason() -> None:
    assert SCHEMA["$defs"]["rejection"]["properties"]["reason"]["enum"] == list(reject.REASONS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("captured_at", "2026-03-01 12:30"),
        ("model", "0123"),
        ("width", 0),
        ("text", [7]),
        ("digits", [{}]),
        ("more", 1),
    ],
)
def test_the_schema_refuses_what_is_no_record(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        VALIDATOR.validate({**to_record(READING), key: value})
