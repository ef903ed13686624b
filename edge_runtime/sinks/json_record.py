"""Converts a Reading or an Event to the JSON record that schemas/reading.schema.json and event.schema.json describe."""

from datetime import UTC, datetime
from typing import Any

from edge_runtime.records import Event, Reading

SCHEMA = 2  # version of the records' keys; version 1 had neither "schema" nor "lines"


def to_record(reading: Reading) -> dict[str, Any]:
    """Return a reading as a JSON-ready dict: every key is always present, null where it does not apply."""
    return {
        "type": "reading",
        "source": reading.source,
        "frame": reading.frame,
        "captured_at": _rfc3339(reading.captured_at),
        "width": reading.width,
        "height": reading.height,
        "text": list(reading.text),
        "lines": [
            {
                "text": line.text,
                "confidence": round(line.confidence, 4),
                "box": list(line.box),
                "alternatives": [[text, round(confidence, 4)] for text, confidence in line.alternatives],
            }
            for line in reading.lines
        ],
        "digits": [
            {
                "label": digit.label,
                "confidence": round(digit.confidence, 4),
                "box": list(digit.box),
                "line": digit.line,
                "top": [[label, round(confidence, 4)] for label, confidence in digit.top],
            }
            for digit in reading.digits
        ],
        "rejected": [
            {
                "box": list(rejection.box),
                "reason": rejection.reason,
                "confidence": None if rejection.confidence is None else round(rejection.confidence, 4),
            }
            for rejection in reading.rejected
        ],
        "ms": {stage: round(getattr(reading.ms, stage), 3) for stage in reading.ms.__slots__},
        "age_ms": None if reading.age_ms is None else round(reading.age_ms, 1),
        "dropped": reading.dropped,
        "turned": reading.turned,
        "model": reading.model,
        "schema": SCHEMA,
    }


def event_record(event: Event) -> dict[str, Any]:
    """Return an event as a JSON-ready dict, as schemas/event.schema.json describes it."""
    return {
        "type": "event",
        "source": event.source,
        "frame": event.frame,
        "captured_at": _rfc3339(event.captured_at),
        "event": event.event,
        "line_id": event.line_id,
        "text": event.text,
        "previous": event.previous,
        "box": list(event.box),
        "confidence": round(event.confidence, 4),
        "schema": SCHEMA,
    }


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
