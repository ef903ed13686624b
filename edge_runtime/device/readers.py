"""The reader that the options ask for: of the model that is named, else of the one that was installed."""

from pathlib import Path

from edge_runtime.device import store
from edge_runtime.errors import OptionError
from edge_runtime.read_options import Given
from edge_runtime.reader import DigitReader


def once(given: Given) -> DigitReader:
    """Open the model that is named, else the store's current one, else the one that ships. Raises EdgeError."""
    return DigitReader(
        given["model"] or _current(), labels=given["labels"], threads=given["threads"],
        min_confidence=given["min_confidence"],
    )  # fmt: skip


def _current() -> Path | None:
    """Return the store's current model; None where there is none."""
    try:
        return store.current(store.home())
    except OptionError:  # no home, no store
        return None
