"""The rows of results: plain values, as JSON and Arrow take them, without times, so that a page always has the same."""

from typing import Any

import edge_runtime
from edge_runtime.records import Reading
from edge_runtime.sinks.json_record import to_record

Row = dict[str, Any]
PLAIN = ("width", "height", "text", "turned", "model")  # fields of the reading's record that stay as they are
COLUMNS = (
    "page", "source", "width", "height", "text", "lines", "digits", "rejected", "turned", "model", "version", "error",
)  # fmt: skip


def reading_row(page: str, source: str, reading: Reading) -> Row:
    """Return the row of a page: its id, the name of its file, and the reading's record without times.

    Alternatives and top labels are objects with names for their fields, since a column holds values of one type.
    """
    record = to_record(reading)
    row = {
        "page": page,
        "source": source,
        **{name: record[name] for name in PLAIN},
        "lines": [{**line, "alternatives": _named("text", line["alternatives"])} for line in record["lines"]],
        "digits": [{**digit, "top": _named("label", digit["top"])} for digit in record["digits"]],
        "rejected": record["rejected"],
        "version": edge_runtime.__version__,
        "error": None,
    }
    return {name: row[name] for name in COLUMNS}


def error_row(page: str, source: str, model: str, error: str) -> Row:
    """Return the row of a page that cannot be read, with the reason, on one line."""
    empty: Row = {"width": None, "height": None, "text": [], "lines": [], "digits": [], "rejected": [], "turned": None}
    known = {"page": page, "source": source, "model": model, "version": edge_runtime.__version__, "error": error}
    return {name: {**empty, **known}[name] for name in COLUMNS}


def _named(name: str, pairs: list[list[Any]]) -> list[Row]:
    return [{name: text, "confidence": confidence} for text, confidence in pairs]
