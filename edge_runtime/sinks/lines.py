"""Writes readings and events as lines: text for people, or one JSON object each for programs."""

import json
from collections.abc import Callable

from edge_runtime.records import UNSURE, Event, Reading
from edge_runtime.sinks.json_record import event_record, to_record
from edge_runtime.sinks.sink import Sink


class Text(Sink):
    """Passes lines of text to `write`; with `several` sources, each begins with its source.

    An unsure line of digits (see `records.Line`) ends with a question mark.
    """

    def __init__(self, write: Callable[[str], None], several: bool) -> None:
        self._write, self._several = write, several

    def reading(self, reading: Reading) -> None:
        """Write each line of digits, or a note that there is none."""
        for line in reading.lines:
            self._line(reading.source, line.text + _suffix(line.confidence))
        if not reading.lines:
            self._line(reading.source, "(no digit)")

    def event(self, event: Event) -> None:
        """Write how a line changed."""
        change = {"appeared": "{text}", "changed": "{previous} to {text}", "gone": "{previous}"}[event.event]
        text = change.format(text=event.text, previous=event.previous)
        self._line(event.source, f"{event.event} {text}" + _suffix(1.0 if event.text is None else event.confidence))

    def _line(self, source: str, line: str) -> None:
        self._write(f"{source}: {line}" if self._several else line)


def _suffix(confidence: float) -> str:
    """Return the suffix of a line: a question mark where it is unsure, else nothing."""
    return " ?" if confidence < UNSURE else ""


class JsonLines(Sink):
    """Passes one JSON object per line to `write`, as the files in edge_runtime/schemas describe them."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def reading(self, reading: Reading) -> None:
        """Write a reading."""
        self._write(json.dumps(to_record(reading)))

    def event(self, event: Event) -> None:
        """Write an event."""
        self._write(json.dumps(event_record(event)))
