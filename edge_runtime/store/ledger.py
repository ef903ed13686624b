"""What a service records in the model store; reading goes on if a write fails, and never waits for one."""

import logging
from collections import deque
from pathlib import Path
from typing import Any

from edge_runtime.errors import OutputError
from edge_runtime.store import catalog, changes
from edge_runtime.store.history import Entry

logger = logging.getLogger(__name__)


class Ledger:
    """The records of the store in `folder`; logs failed writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._failures: deque[tuple[str, str]] = deque()

    def entry(self, path: Path) -> Entry | None:
        """Return a model's history entry; None for the shipped model."""
        entries = [one.entry for one in catalog.models(self._folder) if one.path == path]
        return entries[0] if entries else None

    def update_entry(self, id: str, **values: Any) -> None:
        """Change a model's history entry."""
        try:
            changes.update_entry(self._folder, id, **values)
        except OutputError as error:
            logger.warning(str(error))

    def fails(self, id: str, reason: str) -> None:
        """Queue a model's failure until `settle`, without disk access."""
        self._failures.append((id, reason))

    def settle(self) -> None:
        """Record the queued failures in the store."""
        while self._failures:
            id, reason = self._failures.popleft()
            try:
                changes.give_up(self._folder, id, reason)
            except OutputError as error:
                logger.warning(str(error))
