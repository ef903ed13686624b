import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator, ValidationError

from edge_runtime import DigitReader, Reading, reject
from edge_runtime.reading import order, to_record
from edge_runtime.records import Box, Digit, Rejection, Timings
from edge_runtime.sources.pictures import load

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "reading.schema.json").read_text())
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


@pytest.mark.parametrize(
    ("boxes", "lines"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(50, 0, 10, 20), (10, 0, 10, 20), (90, 0, 10, 20)], [[1, 0, 2]], id="left to right"),
        pytest.param([(10, 60, 10, 20), (10, 0, 10, 20), (40, 60, 10, 20)], [[1], [0, 2]], id="top to bottom"),
        pytest.param([(10, 0, 20, 40), (40, 25, 10, 15), (60, 0, 20, 40)], [[0, 1, 2]], id="a low digit between"),
        pytest.param([(0, 0, 10, 20), (20, 13, 10, 20)], [[0], [1]], id="a third shared is another line"),
        pytest.param([(0, 0, 10, 20), (20, 12, 10, 20)], [[0, 1]], id="two fifths shared is the same line"),
    ],
)
def test_digits_are_put_in_reading_order(boxes: list[tuple[int, int, int, int]], lines: list[list[int]]) -> None:
    assert order([Box(*box) for box in boxes]) == lines


@pytest.mark.parametrize("slope", [-0.25, 0.25])
def test_tilted_lines_stay_apart(slope: float) -> None:
    # Over its ten digits a line climbs or falls by more than the distance between two lines.
    boxes = [Box(40 * i, int(300 + 80 * line + slope * 40 * i), 20, 40) for line in range(3) for i in range(10)]
    shuffled = np.random.default_rng(3).permutation(30)
    lines = order([boxes[i] for i in shuffled])
    assert [[int(shuffled[k]) for k in line] for line in lines] == [[*range(10)], [*range(10, 20)], [*range(20, 30)]]


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
