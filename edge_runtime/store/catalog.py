"""The model store: the models that were installed, and which of them reads; `changes` is what changes it.

    state folder/models/
        1b1c4fe7a2d0.tflite          the first 12 digits of the SHA-256 that readings name
        current -> 1b1c4fe7a2d0.tflite
        history.json                 what was installed when, and how it did; see `history`

Without `current`, the model that ships reads.
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
SHIPS = "shipped"  # how the model that ships is called


class Stored(NamedTuple):
    """A model in the store, or the one that ships, and whether it is the one that reads."""

    entry: Entry
    path: Path
    current: bool

    @property
    def ships(self) -> bool:
        """Whether it came with the package, and is in no store."""
        return self.path == SHIPPED


def models(folder: Path) -> list[Stored]:
    """Return the models in a store, the newest first."""
    noted = entries(folder)
    known = {entry.id for entry in noted}
    files = {path.stem: path for path in folder.glob(f"*{SUFFIX}") if history.NAME.fullmatch(path.stem)}
    strangers = [stem for stem in files if stem not in known]  # nobody wrote down when they came
    by_age = [Entry(id=stem) for stem in sorted(strangers, key=lambda stem: (_changed(files[stem]), stem))]
    by_age += [entry for entry in noted if entry.id in files]
    reads = current(folder)
    return [Stored(entry, files[entry.id], files[entry.id] == reads) for entry in reversed(by_age)]


def every(folder: Path) -> list[Stored]:
    """Return the models in a store, and then the one that ships."""
    stored = models(folder)
    entry = Entry(id=model_file.read(SHIPPED).sha256[:12], proved=True)
    return [*stored, Stored(entry, SHIPPED, not any(one.current for one in stored))]


def find(folder: Path, name: str | None = None) -> Stored:
    """Return the model whose id begins so, or the one called "shipped"; without a name, the one that reads.

    Raises OptionError where there is none, or more than one.
    """
    there = {one.entry.id: one for one in reversed(every(folder))}  # what ships may have been installed, too
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
    """Return the models to go back to from the current one, the nearest first; the last is the one that ships."""
    return [*(one.path for one in line(models(folder))[1:]), SHIPPED]


def line(stored: list[Stored]) -> list[Stored]:
    """Return the current model and those that read before it, the newest first; nothing where the one that ships reads.

    A model that was gone back from, is not among them, nor is one that was about to be removed when the power failed.
    """
    at = next((i for i, one in enumerate(stored) if one.current), len(stored))
    candidates = stored[at:]
    known = [one for one in candidates if one.entry.installed_at is not None]
    return known if candidates and candidates[0] in known else candidates


def entries(folder: Path) -> list[Entry]:
    """Return what is noted of models, also of such that are no more, oldest first."""
    try:
        return history.loaded((folder / HISTORY).read_bytes())
    except OSError:
        return []


def _changed(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return 0
