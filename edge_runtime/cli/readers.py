"""The reader that the options select: of the named model, else of the installed one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.cli.options import ReadingOptions
from edge_runtime.errors import OptionError
from edge_runtime.reader import DigitReader, Reader
from edge_runtime.store.current import current, home

if TYPE_CHECKING:
    from edge_runtime.store.hot_swap import HotSwapReader


def opened(reading: ReadingOptions, lasting: bool) -> AbstractContextManager[Reader]:
    """Open the named model, else the store's current one, else the shipped one. Raises EdgeError.

    With `lasting`, the reader hot-swaps to models installed later; where one fails, it logs this and rolls back.
    """
    network, decision, turn = reading.network, reading.decision, reading.look.turn

    def of(path: Path | None) -> DigitReader:
        return DigitReader(
            path, labels=network.labels, threads=network.threads, min_confidence=decision.min_confidence,
            min_line_confidence=decision.min_line_confidence, turn=None if turn == "auto" else int(turn),
            check=decision.check,
        )  # fmt: skip

    folder = _home() if network.model is None else None
    if folder is None:
        return of(network.model)
    return _hot_swapping(folder, of) if lasting else of(current(folder))


def _hot_swapping(folder: Path, of: Callable[[Path], DigitReader]) -> "HotSwapReader":
    from edge_runtime.store import warm_up
    from edge_runtime.store.hot_swap import HotSwapReader  # not at the top: it would slow down reading pictures

    def warmed_up(path: Path, warmed: bool) -> DigitReader:
        reader = of(path)
        if warmed:
            warm_up.up(reader)
        return reader

    return HotSwapReader(folder, warmed_up)


def _home() -> Path | None:
    try:
        return home()
    except OptionError:  # without a home folder, there is no store
        return None
