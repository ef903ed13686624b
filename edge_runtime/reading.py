"""Digits -> lines of text, and a Reading -> the JSON record that docs/reading.schema.json describes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from edge_runtime.records import Box, Reading

# Two digits stand on one line if they share at least this part of the lower one's height.
SHARED = 0.4


def order(boxes: Sequence[Box]) -> list[list[int]]:
    """Return the indices of `boxes` as lines, top to bottom, and on each line left to right."""
    lines: list[list[int]] = []
    for i in sorted(range(len(boxes)), key=lambda i: boxes[i].x):
        # Each digit joins the line whose last digit it overlaps most, so that a line may climb or fall.
        shared, line = max(((_overlap(boxes[line[-1]], boxes[i]), line) for line in lines), default=(0.0, []),
                           key=lambda pair: pair[0])  # fmt: skip
        if shared >= SHARED:
            line.append(i)
        else:
            lines.append([i])
    return sorted(lines, key=lambda line: sum(boxes[i].y + boxes[i].bottom for i in line) / len(line))


def _overlap(one: Box, other: Box) -> float:
    shared = min(one.bottom, other.bottom) - max(one.y, other.y)
    return shared / min(one.height, other.height)


def to_record(reading: Reading) -> dict[str, Any]:
    """Return a reading as a JSON-ready dict: every key is always there, null where it does not apply."""
    return {
        "type": "reading",
        "source": reading.source,
        "frame": reading.frame,
        "captured_at": _rfc3339(reading.captured_at),
        "width": reading.width,
        "height": reading.height,
        "text": list(reading.text),
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
        "age_ms": None,
        "dropped": None,
        "model": reading.model,
    }


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
