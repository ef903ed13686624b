import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from edge_runtime import DigitReader, Reading
from edge_runtime.records import Box, Digit, Line, Rejection, Timings
from edge_runtime.sinks.json_record import to_record
from edge_runtime.sources.pictures import load
from edge_runtime.vision import rejection

SCHEMA = json.loads((Path(__file__).parents[3] / "edge_runtime" / "schemas" / "reading.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
READING = Reading(
    source="page.jpg",
    frame=0,
    captured_at=datetime(2026, 3, 1, 12, 30, 5, 123_456, UTC),
    width=640,
    height=480,
    text=("7",),
    digits=(Digit("7", 0.987654321, Box(1, 2, 30, 40), 0, (("7", 0.987654321), ("1", 0.01), ("2", 0.0))),),
    rejected=(
        Rejection(Box(0, 0, 3, 3), rejection.TOO_SMALL),
        Rejection(Box(9, 9, 9, 9), rejection.LOW_CONFIDENCE, 0.25),
    ),
    ms=Timings(1.23456, 2.0, 3.0, 4.0, 11.0),
    model="0123456789ab",
    lines=(Line("7", 0.87654321, Box(1, 2, 30, 40), (("1", 0.0123456),)),),
)
EMPTY = Reading("", 0, datetime(2026, 3, 1, tzinfo=UTC), 1, 1, (), (), (), Timings(0, 0, 0, 0, 0), "0123456789ab")


def test_a_record_holds_exactly_this() -> None:
    assert to_record(READING) == {
        "type": "reading",
        "source": "page.jpg",
        "frame": 0,
        "captured_at": "2026-03-01T12:30:05.123Z",
        "width": 640,
        "height": 480,
        "text": ["7"],
        "lines": [{"text": "7", "confidence": 0.8765, "box": [1, 2, 30, 40], "alternatives": [["1", 0.0123]]}],
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
        "turned": 0,
        "model": "0123456789ab",
        "schema": 2,
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


def test_the_schema_asks_for_every_key_alone() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    schemas = list(objects(SCHEMA))
    assert len(schemas) == 5
    for schema in schemas:
        assert schema["required"] == list(schema["properties"])
        assert schema["additionalProperties"] is False
    assert SCHEMA["required"] == list(to_record(EMPTY))


def test_the_schema_knows_every_reason() -> None:
    assert SCHEMA["$defs"]["rejection"]["properties"]["reason"]["enum"] == list(rejection.REASONS)


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
