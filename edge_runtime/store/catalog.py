"""The model store: the installed models, and which of them is current; `changes` modifies the store.

    state folder/models/
        1b1c4fe7a2d0.tflite          the first 12 digits of the SHA-256 that readings report
        current -> 1b1c4fe7a2d0.tflite
        history.json                 when each model was installed, and its status; see `history`

Without `current`, the shipped model is in use.
"""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from edge_runtime.errors import OptionError
from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import history
from edge_runtime.store.current import CURRENT as CURRENT
from edge_runtime.store.current import current as current
from edge_runtime.store.current import home as home
from edge_runtime.store.current import pointer as pointer
from edge_runtime.store.history import Entry

HISTORY, SUFFIX = "history.json", ".tflite"
SHIPS = "shipped"  # the name of the shipped model


class Stored(NamedTuple):
    """A model in the store, or the shipped one, and whether it is current."""

    entry: Entry
    path: Path
    current: bool

    @property
    def ships(self) -> bool:
        """Whether the model came with the package, and is in no store."""
        return self.path == SHIPPED


def models(folder: Path) -> list[Stored]:
    """Return the models in a store, newest first."""
    noted = entries(folder)
    known = {entry.id for entry in noted}
    files = {path.stem: path for path in folder.glob(f"*{SUFFIX}") if history.NAME.fullmatch(path.stem)}
    strangers = [stem for stem in files if stem not in known]  # their installation time is unknown
    by_age = [Entry(id=stem) for stem in sorted(strangers, key=lambda stem: (_changed(files[stem]), stem))]
    by_age += [entry for entry in noted if entry.id in files]
    reads = current(folder)
    return [Stored(entry, files[entry.id], files[entry.id] == reads) for entry in reversed(by_age)]


def every(folder: Path) -> list[Stored]:
    """Return the models in a store, then the shipped one."""
    stored = models(folder)
    entry = Entry(id=model_file.read(SHIPPED).id, proved=True)
    return [*stored, Stored(entry, SHIPPED, not any(one.current for one in stored))]


def find(folder: Path, name: str | None = None) -> Stored:
    """Return the model whose id begins with the name, or the one called "shipped"; without a name, the current one.

    Raises OptionError if there is none, or more than one.
    """
    there = {one.entry.id: one for one in reversed(every(folder))}  # the shipped model may also be installed
    if name is None:
        matches = [one for one in there.values() if one.current]
    elif name == SHIPS:
        return every(folder)[-1]
    else:
        matches = [one for id, one in there.items() if name and id.startswith(name.lower())]
    if len(matches) != 1:
        what = "several models have" if matches else "no model has"
        raise OptionError(f"{what} an id that begins with {name!r}; there is {', '.join(reversed(there))}")
    return matches[0]


def before(folder: Path) -> list[Path]:
    """Return the models to roll back to from the current one, nearest first; the last is the shipped one."""
    return [*(one.path for one in line(models(folder))[1:]), SHIPPED]


def line(stored: list[Stored]) -> list[Stored]:
    """Return the current model and its predecessors, newest first; empty if the shipped model is current.

    Leaves out models that were rolled back, or were about to be removed when the power failed.
    """
    at = next((i for i, one in enumerate(stored) if one.current), len(stored))
    candidates = stored[at:]
    known = [one for one in candidates if one.entry.installed_at is not None]
    return known if candidates and candidates[0] in known else candidates


def entries(folder: Path) -> list[Entry]:
    """Return the history entries, also of removed models, oldest first."""
    try:
        return history.loaded((folder / HISTORY).read_bytes())
    except OSError:
        return []


def _changed(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return 0
