"""The model store: which model is current, and whether its file is intact.

The check needs OpenCV, so it runs in a separate process (`probe`).
"""

import os
from pathlib import Path

from edge_runtime.doctor.findings import Finding, failed, ok, pip, warning
from edge_runtime.errors import EdgeError, OptionError
from edge_runtime.inference import model_file
from edge_runtime.store import catalog


def models(folder: Path | None = None) -> Finding:
    """Report the model in use if none is named, and the state of the store in `folder`, by default this user's."""
    try:
        folder = catalog.home() if folder is None else folder
    except OptionError as error:
        return warning("models", str(error))
    current = folder / catalog.CURRENT
    if os.path.lexists(current) and catalog.pointer(folder) is None:
        message = f"{current} is a broken link: the model that ships is used"
        return failed("models", message, "edge-digits model rollback")
    path = catalog.current(folder)
    shipped = path == model_file.SHIPPED
    mend = pip("install --force-reinstall --no-deps edge-digits") if shipped else "edge-digits model rollback"
    try:
        model = model_file.read(path)
    except EdgeError as error:
        return failed("models", str(error), mend)
    stored = catalog.models(folder)
    beside = f"{len(stored)} in {folder}" if stored else "none is installed"
    if shipped:
        return ok("models", f"{model.id}, the one that ships, is current; {beside}")
    if not model.sha256.startswith(path.stem):
        return failed("models", f"the content of {path} does not match its name", mend)
    entry = next((one.entry for one in stored if one.current), None)
    if entry is not None and entry.failed is not None:
        return warning("models", f"{path.stem} is current, although it failed: {entry.failed}", mend)
    proved = "" if entry is None or entry.proved else ", on trial: no service has used it for a minute yet"
    return ok("models", f"{path.stem} is current{proved}; {beside}")
