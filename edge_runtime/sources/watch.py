"""A folder -> its pictures, and new ones as they arrive: reads each once, also after a restart."""

import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from edge_runtime.errors import OptionError, OutputError, PictureError, SourceError
from edge_runtime.records import Frame
from edge_runtime.sources import pictures
from edge_runtime.sources.options import Options
from edge_runtime.system.atomic_files import write_text
from edge_runtime.system.state_folder import state_folder

logger = logging.getLogger(__name__)
INTERVAL = 0.5  # seconds between scans; a file that did not change in between is complete
MOST = 100_000  # lines; a longer history drops files that are gone
State = tuple[int, int]  # of a file: its size in bytes, and its modification time in nanoseconds


def watched(
    folder: Path, options: Options, wait: Callable[[float], None] = time.sleep
) -> Iterator[Frame | PictureError]:
    """Yield the pictures in a folder that were never read before, by name, then each new one once it is complete.

    A file is new if its name, size or time is new. A file that cannot be read yields an error. The source records each
    picture in a history file of the folder after the caller has processed it: after a power cut in between, it reads
    the picture again. It waits for a folder that disappears. Raises SourceError if there is no folder at first,
    OptionError if another process watches it, OutputError if the history cannot be written.
    """
    read = 0
    if not folder.is_dir():
        raise SourceError(f"{folder}: --watch requires a folder")
    with _History(folder) as history:
        before: dict[str, State] = {}
        away = False
        while options.until is None or time.monotonic() < options.until:
            try:
                now = _pictures(folder)
            except OSError as error:
                if not away:
                    logger.warning(f"{folder}: {error.strerror or error}; waiting for it")
                away, before = True, {}
            else:
                if away:
                    logger.info(f"{folder}: available again")
                away = False
                for name, state in now.items():
                    if before.get(name) == state and history.is_new(name, state):
                        yield _load(folder / name)
                        history.add(name, state)
                        read += 1
                        if read == options.frames:
                            return
                before = now
                options.idle()
            wait(INTERVAL)


def _pictures(folder: Path) -> dict[str, State]:
    """Return the state of each picture file directly in a folder, ordered by name."""
    states = {}
    for path in pictures.inside(folder):
        try:
            status = path.stat()
        except OSError:  # the file was removed meanwhile
            continue
        states[path.name] = status.st_size, status.st_mtime_ns
    return states


def _load(path: Path) -> Frame | PictureError:
    try:
        return pictures.load(path)
    except PictureError as error:
        return error


class _History:
    """The files of a folder that were read: one JSON line each, [name, size, time]; the last of a name counts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        whole = os.path.realpath(folder)
        name = f"{Path(whole).name[:40] or 'root'}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:12]}.jsonl"
        self.path = state_folder() / "watched" / name
        self._seen: dict[str, State] = {}
        self._open = ExitStack()

    def __enter__(self) -> "_History":
        with ExitStack() as stack:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                lock = stack.enter_context(self.path.with_suffix(".lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._read()
                self._file = stack.enter_context(self.path.open("a", encoding="utf-8"))
            except BlockingIOError as error:
                raise OptionError(f"{self._folder}: another edge-digits process already watches this folder") from error
            except OSError as error:
                raise self._refused(error) from error
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a failed write was reported when it happened
            self._open.close()

    def is_new(self, name: str, state: State) -> bool:
        """Return whether a file in this state was not read yet."""
        return self._seen.get(name) != state

    def add(self, name: str, state: State) -> None:
        """Record that a file was read."""
        self._seen[name] = state
        try:
            self._file.write(_line(name, state))
            self._file.flush()
        except OSError as error:
            raise self._refused(error) from error

    def _read(self) -> None:
        """Load the history, and rewrite its file without truncated lines; if long, also without files that are gone."""
        there = set(os.listdir(self._folder))
        noted = self.path.read_text(encoding="utf-8", errors="replace").splitlines() if self.path.exists() else []
        for line in noted:
            with suppress(ValueError, TypeError):
                name, size, changed = json.loads(line)
                if name in there or len(noted) <= MOST:  # a removed USB stick leaves an empty folder
                    self._seen[name] = int(size), int(changed)
        write_text(self.path, "".join(_line(name, state) for name, state in self._seen.items()))

    def _refused(self, error: OSError) -> OutputError:
        return OutputError(f"cannot record in {self.path} what was read: {error.strerror or error}")


def _line(name: str, state: State) -> str:
    return json.dumps([name, *state]) + "\n"
