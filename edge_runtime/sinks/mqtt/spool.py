"""A queue on disk (SQLite) that survives its process: messages enter at the end, and leave once they have arrived."""

import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from io import FileIO
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from edge_runtime.errors import OutputError

logger = logging.getLogger(__name__)
RETRY = 10.0  # seconds between two attempts to write a file that failed
MAGIC = b"SQLite format 3\0"  # the first bytes of every SQLite database (its file format, section 1.3)
OURS = 0x65646771  # "edgq", PRAGMA application_id of a queue: another program's database is refused
SCHEMA = "CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY, topic BLOB NOT NULL, payload BLOB NOT NULL)"
INSERT, DELETE = "INSERT INTO messages VALUES (?, ?, ?)", "DELETE FROM messages WHERE number = ?"


class Message(NamedTuple):
    """A message of a queue: its number there, its topic, and its payload, both in UTF-8."""

    number: int
    topic: bytes
    payload: bytes


class Spool:
    """The last `limit` messages that entered and have not left, in order. Several threads may share it.

    Memory holds all messages; the file follows each change. The system gets each change at once, so that it survives
    this process however that ends. The file is not forced to the disk each time, which takes an SD card long and wears
    it (write-ahead log, synchronous=NORMAL): a power cut can lose the latest messages, and bring back some that had
    left, but damages nothing. A file that is damaged all the same is set aside, with its readable messages kept. If the
    disk is full or fails, the queue continues in memory, and returns to the disk once that works again.

    Each of these changes is logged, and the first of the oldest messages to be dropped. Raises OutputError if the file
    cannot be used at all, or another process uses it: a lock on the file NAME.lock says so.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path, self._limit = path, limit
        self._turn = threading.Lock()
        self.dropped = 0  # messages, because there were too many
        self._unreported = 0  # dropped messages since the last report
        self._database: sqlite3.Connection | None = None  # None while it cannot be written
        self._failed = self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = FileIO(f"{path}.lock", "a")
        except OSError as error:
            raise OutputError(f"cannot keep a queue in {path}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            messages, damaged = _load(path)
            if damaged:
                aside = _set_aside(path)
                logger.warning(f"{path}: damaged; it is now {aside}, and {len(messages)} messages of it are kept")
        except BlockingIOError as error:
            self._lock.close()
            raise OutputError(f"another process uses the queue {path}: each process needs its own") from error
        except (OSError, sqlite3.Error) as error:
            self._lock.close()
            raise OutputError(f"cannot keep a queue in {path}: {getattr(error, 'strerror', None) or error}") from error
        self._messages = OrderedDict((message.number, message) for message in messages)
        self._number = max(self._messages, default=0)
        self._drop()
        self._try(self._renew)

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, topic: str, payload: str) -> None:
        """Add a message; drops the oldest ones if there are too many."""
        with self._turn:
            if self._closed:
                return
            self._number += 1
            message = Message(self._number, topic.encode(), payload.encode())
            self._messages[message.number] = message
            self._write([message], self._drop())

    def first(self, count: int) -> list[Message]:
        """Return up to `count` of the oldest messages; they stay."""
        with self._turn:
            return list(islice(self._messages.values(), count))

    def done(self, number: int) -> None:
        """Remove a message, which may have been dropped already."""
        with self._turn:
            if self._closed or self._messages.pop(number, None) is None:
                return
            self._write([], [number])
            if not self._messages:
                self._log_dropped()

    def close(self) -> None:
        """Free the file. Raises OutputError if messages are left that could not be written to it."""
        with self._turn:
            if self._closed:
                return
            if self._database is None:
                self._try(self._renew)
            self._closed = True
            self._log_dropped()
            saved = self._database is not None
            self._free()
            self._lock.close()
        if self._messages and not saved:
            raise OutputError(f"{len(self._messages)} messages are lost: {self._path} cannot be written")

    def _drop(self) -> list[int]:
        """Drop the oldest messages if there are too many, and return their numbers."""
        numbers = [self._messages.popitem(last=False)[0] for _ in range(len(self._messages) - self._limit)]
        if numbers and not self._unreported:
            logger.warning(f"{self._path}: full, with {self._limit} messages: the oldest are dropped")
        self._unreported += len(numbers)
        self.dropped += len(numbers)
        return numbers

    def _log_dropped(self) -> None:
        if self._unreported:
            logger.warning(f"{self._path}: {self._unreported} messages were dropped")
            self._unreported = 0

    def _write(self, added: Iterable[Message], removed: Iterable[int]) -> None:
        """Write a change of the queue to the file, in one transaction."""
        database = self._database
        if database is None:
            if time.monotonic() >= self._again:
                self._try(self._renew)
            return

        def change() -> None:
            with database:
                database.executemany(INSERT, added)
                database.executemany(DELETE, ((number,) for number in removed))

        self._try(change)

    def _renew(self) -> None:
        """Open the file anew, and write the whole queue to it. Raises sqlite3.Error."""
        self._free()
        database = _open(self._path)
        try:
            with database:
                database.execute(f"PRAGMA application_id = {OURS}")
                database.execute(SCHEMA)
                database.execute("DELETE FROM messages")
                database.executemany(INSERT, self._messages.values())
        except sqlite3.Error:
            _close(database)
            raise
        self._database = database

    def _free(self) -> None:
        if self._database is not None:
            _close(self._database)
            self._database = None

    def _try(self, action: Callable[[], None]) -> None:
        """Write to the file; if that fails, continue in memory. Logs each change from one to the other."""
        try:
            action()
        except sqlite3.Error as error:
            self._again = time.monotonic() + RETRY
            self._free()
            if not self._failed:
                self._failed = True
                logger.warning(f"{self._path}: cannot be written ({error}); what is queued is kept in memory")
            return
        if self._failed:
            self._failed = False
            logger.warning(f"{self._path}: can be written again")


def _open(path: Path) -> sqlite3.Connection:
    """Return a connection that needs no shared memory beside the file, even if that is in WAL mode."""
    database = sqlite3.connect(path, timeout=0, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        _close(database)
        raise
    return database


def _close(database: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # on a full disk the final checkpoint fails; the next start repeats it
        database.close()


def _load(path: Path) -> tuple[list[Message], bool]:
    """Return the messages of a file, and whether it is damaged. Raises OSError for another file, and sqlite3.Error."""
    other = OSError("there is something else in this file; name another one")
    try:
        with path.open("rb") as file:
            header = file.read(len(MAGIC))
    except FileNotFoundError:
        return [], False
    if header != MAGIC and header.strip(b"\0"):
        raise other
    messages: list[Message] = []
    with closing(sqlite3.connect(path, timeout=0)) as database:
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            if database.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
                return [], False
            if database.execute("PRAGMA application_id").fetchone() != (OURS,):
                raise other
            for row in database.execute("SELECT number, topic, payload FROM messages ORDER BY number"):
                messages.append(Message(*row))
            return messages, database.execute("PRAGMA quick_check").fetchone() != ("ok",)
        except sqlite3.OperationalError:  # the file is in use, or the disk fails
            raise
        except sqlite3.DatabaseError:
            return messages, True


def _set_aside(path: Path) -> str:
    """Rename a file, and return its new name. Raises OSError."""
    names = (f"{path.name}.damaged{f'-{n}' * (n > 1)}" for n in count(1))
    aside = next(name for name in names if not os.path.lexists(path.with_name(name)))
    path.replace(path.with_name(aside))
    for log in ("-wal", "-shm"):  # SQLite would take them for those of the new file
        path.with_name(f"{path.name}{log}").unlink(missing_ok=True)
    return aside
