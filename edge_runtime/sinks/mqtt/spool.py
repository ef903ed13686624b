"""A persistent queue on disk (SQLite): messages enter at the end, and leave once they are delivered."""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from edge_runtime.errors import OutputError

logger = logging.getLogger(__name__)
RETRY = 10.0  # seconds until a file that cannot be written is tried again
MEMORY = ":memory:"
MAGIC = b"SQLite format 3\0"  # the first bytes of every SQLite database (its file format, section 1.3)
SCHEMA = "CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY, topic BLOB NOT NULL, payload BLOB NOT NULL)"
ALL = "SELECT number, topic, payload FROM messages ORDER BY number"
OLDEST = "DELETE FROM messages WHERE number IN (SELECT number FROM messages ORDER BY number LIMIT ?)"
INSERT, DELETE = "INSERT INTO messages VALUES (?, ?, ?)", "DELETE FROM messages WHERE number = ?"


class Message(NamedTuple):
    """A message of a queue: its number there, its topic and its payload, both in UTF-8."""

    number: int
    topic: bytes
    payload: bytes


class Spool:
    """A queue of the last `limit` messages put and not yet done, in order; thread-safe.

    Each message goes to the operating system at once, so it survives the end of this process. It is not flushed to the
    disk each time, which is slow on an SD card and wears it (write-ahead log, synchronous=NORMAL): a power cut can lose
    the latest messages and restore some that had left, but damages nothing. A file that is damaged nevertheless is
    renamed, and its readable messages are kept. Where the disk is full or fails, the queue continues in memory, and
    returns to the disk when that works again.

    Each of these changes is logged, and so is dropping the oldest messages. Raises OutputError where the file cannot be
    used at all, or another process uses it.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path, self._limit = path, limit
        self._turn = threading.Lock()
        self.dropped = 0  # messages dropped because the queue was full
        self._unsaid = 0  # of these, not logged yet
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            messages, damaged = _load(path)
        except (OSError, sqlite3.Error) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise OutputError(f"another process uses the queue {path}: each needs one of its own") from error
            raise OutputError(f"cannot keep a queue in {path}: {getattr(error, 'strerror', None) or error}") from error
        if damaged:
            aside = _set_aside(path)
            logger.warning(f"{path}: damaged; it is now {aside}, and {len(messages)} messages of it are kept")
        surplus = max(0, len(messages) - limit)
        self._database = _holding(MEMORY, messages[surplus:])
        self._on_disk = self._failed = self._closed = False
        self._again = time.monotonic()  # when to retry the disk while in memory
        self._number = max((message.number for message in messages), default=0)
        self._to_disk()
        self._count_dropped(surplus)

    def __len__(self) -> int:
        with self._turn:
            return 0 if self._closed else self._count()

    def put(self, topic: str, payload: str) -> None:
        """Add a message, and drop the oldest where there are too many."""
        with self._turn:
            if self._closed:
                return
            self._number += 1
            message = Message(self._number, topic.encode(), payload.encode())
            surplus = max(0, self._count() + 1 - self._limit)

            def change() -> None:
                self._database.execute(INSERT, message)
                self._database.execute(OLDEST, (surplus,))

            self._change(change)
            self._count_dropped(surplus)

    def first(self, count: int) -> list[Message]:
        """Return up to `count` of the oldest messages; they stay."""
        with self._turn:
            return [] if self._closed else [Message(*row) for row in self._database.execute(f"{ALL} LIMIT ?", (count,))]

    def done(self, number: int) -> None:
        """Remove a message; it may have been dropped already."""
        with self._turn:
            if self._closed:
                return
            self._change(lambda: self._database.execute(DELETE, (number,)))
            if self._unsaid and not self._count():
                self._log_dropped()

    def close(self) -> None:
        """Close the file. Raises OutputError where it cannot store the remaining messages."""
        with self._turn:
            if self._closed:
                return
            if not self._on_disk:
                self._to_disk()
            left = 0 if self._on_disk else self._count()
            self._closed = True
            self._log_dropped()
            _close(self._database)
        if left:
            raise OutputError(f"{left} messages are lost: {self._path} cannot be written")

    def _count(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM messages").fetchone()[0])

    def _count_dropped(self, surplus: int) -> None:
        if surplus and not self._unsaid:
            logger.warning(f"{self._path}: full, with {self._limit} messages: the oldest are dropped")
        self._unsaid += surplus
        self.dropped += surplus

    def _log_dropped(self) -> None:
        if self._unsaid:
            logger.warning(f"{self._path}: {self._unsaid} messages were dropped")
            self._unsaid = 0

    def _change(self, change: Callable[[], object]) -> None:
        """Change the queue in one transaction: on the disk, or in memory where the disk fails."""
        if not self._on_disk and time.monotonic() >= self._again:
            self._to_disk()
        try:
            with self._database:
                change()
        except sqlite3.Error as error:
            if not self._on_disk:
                raise
            self._fail(error)
            self._take(_holding(MEMORY, _readable(self._database)), on_disk=False)
            with self._database:
                change()

    def _to_disk(self) -> None:
        """Move the queue from memory to the disk, where that works."""
        try:
            on_disk = _holding(self._path, _readable(self._database))
        except sqlite3.Error as error:
            self._fail(error)
            return
        self._take(on_disk, on_disk=True)
        if self._failed:
            self._failed = False
            logger.info(f"{self._path}: can be written again")

    def _take(self, database: sqlite3.Connection, *, on_disk: bool) -> None:
        _close(self._database)
        self._database, self._on_disk = database, on_disk

    def _fail(self, error: sqlite3.Error) -> None:
        self._again = time.monotonic() + RETRY
        if not self._failed:
            self._failed = True
            logger.warning(f"{self._path}: cannot be written ({error}); what is queued is kept in memory")


def _holding(path: Path | str, messages: Iterable[Message]) -> sqlite3.Connection:
    """Return a database with exactly these messages, which no other process can use. Raises sqlite3.Error."""
    database = sqlite3.connect(path, timeout=0, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        with database:
            database.execute(SCHEMA)
            database.execute("DELETE FROM messages")
            database.executemany(INSERT, messages)
    except sqlite3.Error:
        _close(database)
        raise
    return database


def _readable(database: sqlite3.Connection) -> list[Message]:
    """Return the messages that can be read: all, unless the disk fails."""
    messages: list[Message] = []
    with suppress(sqlite3.Error):
        for row in database.execute(ALL):
            messages.append(Message(*row))
    return messages


def _close(database: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # the final write-back of the log fails on a full disk; the next start repeats it
        database.close()


def _load(path: Path) -> tuple[list[Message], bool]:
    """Return the messages that a file holds, and whether it is damaged.

    Raises OSError where it is not such a file, and sqlite3.Error where it is in use.
    """
    try:
        with path.open("rb") as file:
            header = file.read(len(MAGIC))
    except FileNotFoundError:
        return [], False
    if header != MAGIC and header.strip(b"\0"):
        raise OSError("there is something else in this file; name another one")
    with closing(sqlite3.connect(path, timeout=0)) as database:
        try:
            if database.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'messages'").fetchone() == (0,):
                return [], False
            return _readable(database), database.execute("PRAGMA quick_check").fetchone() != ("ok",)
        except sqlite3.OperationalError:  # in use, or inaccessible
            raise
        except sqlite3.DatabaseError:
            return _readable(database), True


def _set_aside(path: Path) -> str:
    """Rename a file, and return its new name. Raises OSError."""
    names = (f"{path.name}.damaged{f'-{n}' * (n > 1)}" for n in count(1))
    aside = next(name for name in names if not os.path.lexists(path.with_name(name)))
    path.replace(path.with_name(aside))
    for log in ("-wal", "-shm"):  # SQLite would take them for those of the new file
        path.with_name(f"{path.name}{log}").unlink(missing_ok=True)
    return aside
