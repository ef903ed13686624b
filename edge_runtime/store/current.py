"""Which model of the model store reads: all that a read has to know of it. `store` knows the rest."""

import os
from pathlib import Path

from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.system.state_folder import state_folder

CURRENT = "current"  # a link to the model that reads

Pointer = tuple[str, int, int]  # where CURRENT leads; which file that is, and when it was written


def home() -> Path:
    """Return the folder of the store, which may not exist. Raises OptionError where there is no home for it."""
    return state_folder() / "models"


def current(folder: Path) -> Path:
    """Return the model that reads where none is named: the store's current one, else the one that ships."""
    try:
        path = folder / os.readlink(folder / CURRENT)
    except OSError:  # no store, or nothing was installed
        return SHIPPED
    return path if path.is_file() else SHIPPED


def pointer(folder: Path) -> Pointer | None:
    """Return what tells whether the current model is another one than before; None where the one that ships reads."""
    try:
        target = os.readlink(folder / CURRENT)
        stats = os.stat(folder / target)
    except OSError:
        return None
    return target, stats.st_ino, stats.st_mtime_ns
