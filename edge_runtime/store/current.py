"""The current model of the model store: all that reading needs. `store` does the rest."""

import os
from pathlib import Path

from edge_runtime.errors import OptionError
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.system.state_folder import state_folder

CURRENT = "current"  # a link to the current model

Pointer = tuple[str, int, int]  # the target of CURRENT, its inode, and its modification time


def home() -> Path:
    """Return the store's folder, which may not exist. Raises OptionError if there is no home folder."""
    return state_folder() / "models"


def current(folder: Path) -> Path:
    """Return the model to use if none is named: the store's current one, else the shipped one."""
    try:
        path = folder / os.readlink(folder / CURRENT)
    except OSError:  # no store, or no installed model
        return SHIPPED
    return path if path.is_file() else SHIPPED


def current_model() -> Path:
    """Return the model to use if none is named; without a home folder, there is no store, and it is the shipped one."""
    try:
        return current(home())
    except OptionError:
        return SHIPPED


def pointer(folder: Path) -> Pointer | None:
    """Return a value that changes with the current model; None if the shipped model is current."""
    try:
        target = os.readlink(folder / CURRENT)
        stats = os.stat(folder / target)
    except OSError:
        return None
    return target, stats.st_ino, stats.st_mtime_ns
