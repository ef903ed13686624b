"""The reader that the options ask for: of the model that is named, else of the one that was installed."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.cli.read_options import OptionValues
from edge_runtime.errors import OptionError
from edge_runtime.reader import DigitReader, Reader
from edge_runtime.store.current import current, home

if TYPE_CHECKING:
    from edge_runtime.store.hot_swap import Swapping


def opened(options: OptionValues, lasting: bool) -> AbstractContextManager[Reader]:
    """Open the model that is named, else the store's current one, else the one that ships. Raises EdgeError.

    What is `lasting` takes up what is installed later, and goes back by itself where that fails, which is logged.
    """
    folder = _home() if options["model"] is None else None
    if folder is None:
        return _of(options, options["model"])
    return _swapping(options, folder) if lasting else _of(options, current(folder))


def _of(options: OptionValues, path: Path | None) -> DigitReader:
    return DigitReader(
        path, labels=options["labels"], threads=options["threads"], min_confidence=options["min_confidence"],
        min_line_confidence=options["min_line_confidence"],
        turn=None if options["turn"] == "auto" else int(options["turn"]), check=options["check"],
    )  # fmt: skip


def _swapping(options: OptionValues, folder: Path) -> "Swapping":
    from edge_runtime.store.hot_swap import Swapping  # not at the top: what reads pictures has no time for it

    def of(path: Path, warmed: bool) -> DigitReader:
        reader = _of(options, path)
        if warmed:
            from edge_runtime.store import warm_up

            warm_up.up(reader)
        return reader

    return Swapping(folder, of)


def _home() -> Path | None:
    try:
        return home()
    except OptionError:  # no home, no store
        return None
