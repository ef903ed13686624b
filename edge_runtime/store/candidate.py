"""The candidate: the one model that a service may install when a command asks for it, and what it is."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edge_runtime.errors import EdgeError, ModelError
from edge_runtime.store import fetch, table
from edge_runtime.store.catalog import SUFFIX
from edge_runtime.store.install import Trust, checked, fetched

logger = logging.getLogger(__name__)

Identity = tuple[tuple[Path, int, int, int] | None, ...]  # of a model file and its signature


class Candidate(NamedTuple):
    """A model that a trusted key has signed: the first 12 digits of its SHA-256, and a line from its card."""

    id: str
    summary: str


class Candidates:
    """Finds the candidate at `place`, a model file or a folder, signed with one of `keys`, PEM files.

    In a folder, the candidate is the .tflite file that was written last. Its signature lies beside it as FILE.sig.
    """

    def __init__(self, place: Path, keys: Sequence[Path]) -> None:
        self._place, self.trust = place, Trust(keys=keys, required=True)
        self._known: tuple[Identity, Candidate | None] | None = None

    def path(self) -> Path:
        """Return the path of the candidate, signed or not. Raises ModelError if a folder holds none."""
        if not self._place.is_dir():
            return self._place
        try:
            files = [path for path in self._place.iterdir() if path.suffix == SUFFIX and path.is_file()]
            return max(files, key=lambda path: (path.stat().st_mtime_ns, path.name))
        except OSError as error:
            raise ModelError(f"cannot look for models in {self._place}: {error.strerror or error}") from error
        except ValueError as error:
            raise ModelError(f"there is no {SUFFIX} file in {self._place}") from error

    def newest(self) -> Candidate | None:
        """Return the candidate, or None if there is none that may be installed.

        Logs the reason once for each state of the files; reads them again only after they have changed.
        """
        try:
            path = self.path()
        except ModelError as error:
            return self._looked((), error)
        identity = (_identity(path), _identity(Path(fetch.signature_of(str(path)))))
        if self._known is not None and self._known[0] == identity:
            return self._known[1]
        try:
            return self._looked(identity, self._verified(path))
        except EdgeError as error:
            return self._looked(identity, error)

    def _looked(self, identity: Identity, outcome: Candidate | EdgeError) -> Candidate | None:
        """Keep the outcome of a look, and log an error unless it is the same as before."""
        candidate = outcome if isinstance(outcome, Candidate) else None
        if candidate is None and (self._known is None or self._known[0] != identity):
            logger.warning(f"no update is offered: {outcome}")
        self._known = identity, candidate
        return candidate

    def _verified(self, path: Path) -> Candidate:
        fetched(str(path), self.trust)
        model = checked(path, str(path))
        return Candidate(model.id, table.summary(model.card or {}))


def _identity(path: Path) -> tuple[Path, int, int, int] | None:
    try:
        stats = path.stat()
    except OSError:
        return None
    return path, stats.st_ino, stats.st_size, stats.st_mtime_ns
