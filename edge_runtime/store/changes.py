"""Changes to the model store. Each consists of renames under a lock, and waits until it is on the disk.

A run that ends at any point leaves a consistent store: a model exists before `current` points to it, and is removed
only once nothing points to it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_runtime.errors import OptionError, OutputError
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import catalog, history
from edge_runtime.store.catalog import CURRENT, HISTORY, SUFFIX, Stored
from edge_runtime.store.history import Entry
from edge_runtime.system import durable

KEPT = 3  # models: the current one and its predecessors


def install(folder: Path, data: bytes, entry: Entry) -> Path:
    """Put a model into the store and make it current; remove all but the KEPT last ones.

    Raises OutputError if the store cannot be written; the previous model then stays current.
    """
    with _changing(folder):
        path = folder / f"{entry.id}{SUFFIX}"
        older = [one.entry for one in catalog.line(catalog.models(folder)) if one.entry.id != entry.id]
        kept = [*reversed(older[: KEPT - 1]), replace(entry, installed_at=_now())]
        durable.put(path, data)
        _write(folder, kept)
        durable.link(folder / CURRENT, path.name)
        for one in catalog.models(folder):
            if one.entry.id not in {each.id for each in kept}:
                durable.remove(one.path)
        return path


def rollback(folder: Path, name: str | None = None) -> Stored:
    """Make the previous model current, or the one of this name, and reset its starts and failure; return it.

    Raises OptionError if there is none, OutputError if the store cannot be written.
    """
    _earlier(folder, name)  # check before making a folder
    with _changing(folder):
        to = _earlier(folder, name)
        _update_entry(folder, to.entry.id, starts=0, failed=None)
        _switch(folder, to.path)
        return to


def give_up(folder: Path, id: str, reason: str) -> None:
    """Record that a model fails, and roll back if it is current. Raises OutputError if the store cannot be written."""
    with _changing(folder):
        if catalog.current(folder).stem == id:
            _switch(folder, catalog.before(folder)[0])  # first: the current model matters more than the record
        _update_entry(folder, id, failed=reason, proved=False)


def update_entry(folder: Path, id: str, **changes: Any) -> None:
    """Change a model's entry, by the names of Entry's fields. Raises OutputError."""
    with _changing(folder):
        _update_entry(folder, id, **changes)


def remove(folder: Path, name: str) -> Stored:
    """Remove a model. Raises OptionError if none has this name or it has to stay, and OutputError."""
    _removable(folder, name)
    with _changing(folder):
        stored = _removable(folder, name)
        _write(folder, [entry for entry in catalog.entries(folder) if entry.id != stored.entry.id])
        durable.remove(stored.path)
        return stored


def _earlier(folder: Path, name: str | None) -> Stored:
    if name is not None:
        return catalog.find(folder, name)
    if catalog.current(folder) == SHIPPED:
        raise OptionError("the current model is the one that ships; there is no earlier one")
    path = catalog.before(folder)[0]
    return next(one for one in catalog.every(folder) if one.path == path)


def _removable(folder: Path, name: str) -> Stored:
    stored = catalog.find(folder, name)
    if stored.ships:
        raise OptionError(f"{stored.entry.id} is the model that ships, which cannot be removed")
    if stored.current:
        raise OptionError(f"{stored.entry.id} is the current model: run edge-digits model rollback, then remove it")
    return stored


def _switch(folder: Path, to: Path) -> None:
    if to == SHIPPED:
        durable.remove(folder / CURRENT)
    else:
        durable.link(folder / CURRENT, to.name)


def _update_entry(folder: Path, id: str, **changes: Any) -> None:
    noted = catalog.entries(folder)
    changed = [replace(entry, **changes) if entry.id == id else entry for entry in noted]
    if changed != noted:
        _write(folder, changed)


def _write(folder: Path, entries: list[Entry]) -> None:
    durable.put(folder / HISTORY, history.dumped(entries))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@contextmanager
def _changing(folder: Path) -> Iterator[None]:
    """Hold the store's lock during the block; first remove what an earlier run left unfinished."""
    try:
        durable.make_folder(folder)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            durable.sweep(folder)
            yield
        finally:
            os.close(handle)
    except OSError as error:
        raise OutputError(f"cannot write the model store {folder}: {error.strerror or error}") from error
