"""What a service notes in the model store: it goes on reading where that cannot be written, and never waits for it."""

import logging
from collections import deque
from pathlib import Path
from typing import Any

from edge_runtime.errors import OutputError
from edge_runtime.store import catalog, changes
from edge_runtime.store.history import Entry

logger = logging.getLogger(__name__)


class Ledger:
    """The notes of the store in `folder`; what cannot be written is logged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._failures: deque[tuple[str, str]] = deque()

    def entry(self, path: Path) -> Entry | None:
        """Return what is noted of a model; None for the one that ships."""
        entries = [one.entry for one in catalog.models(self._folder) if one.path == path]
        return entries[0] if entries else None

    def update_entry(self, id: str, **values: Any) -> None:
        """Change what is noted of a model."""
        try:
            changes.update_entry(self._folder, id, **values)
        except OutputError as error:
            logger.warning(str(error))

    def fails(self, id: str, reason: str) -> None:
        """Remember that a model fails until `settle`, without a look at the disk."""
        self._failures.append((id, reason))

    def settle(self) -> None:
        """Give up in the store what fails."""
        while self._failures:
            id, reason = self._failures.popleft()
            try:
                changes.give_up(self._folder, id, reason)
            except OutputError as error:
                logger.warning(str(error))
