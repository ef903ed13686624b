"""A queue on disk that outlives its process: messages enter at the end, and leave once they have arrived.

Its file is a journal of text. After the first line, each is the CRC-32 of what follows and `+NUMBER TOPIC PAYLOAD` for
a message that has come, or `-NUMBER` for one that has gone; now and then the file is written anew without the latter.
"""

import fcntl
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import FileIO
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from edge_runtime.errors import OutputError

HEADER = b"edge-digits queue 1\n"
LINE = re.compile(rb"([0-9a-f]{8}) (-(\d{1,18})|\+(\d{1,18}) (\S+) (.*))\n")
SLACK = 2000  # lines more than there would have to be, before the file is written anew
RETRY = 10.0  # seconds after which a file that cannot be written is tried again


class Message(NamedTuple):
    """A message of a queue: its number there, where it goes, and what it says; both are one line of UTF-8."""

    number: int
    topic: bytes
    payload: bytes


class Spool:
    """The last `limit` messages that were put into it and have not left it, in order. Threads may share it.

    All are held in memory, too. A message is handed to the system at once, so that it outlives this process however
    that ends. It is not forced through to the disk, which takes an SD card long and wears it: a power cut can lose the
    messages of the last half minute, and can bring back some that had gone. What it cuts in half is left out. Where the
    file is damaged, it is set aside, and what is whole in it is kept. Where the disk is full or fails, the queue goes
    on in memory, and back to the disk when that works again.

    `tell` gets a line at each of these changes, and when the oldest messages have to be dropped. Raises OutputError
    where the file cannot be used at all, or another process uses it.
    """

    def __init__(self, path: Path, limit: int, tell: Callable[[str], None]) -> None:
        self._path, self._limit, self._tell = path, limit, tell
        self._turn = threading.Lock()
        self.dropped = 0  # messages, because there were too many
        self._unsaid = 0  # of these, since that was told last
        self._file: FileIO | None = None  # None where it cannot be written
        self._broken = self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = FileIO(f"{path}.lock", "a")
        except OSError as error:
            raise OutputError(f"cannot keep a queue in {path}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._messages, damaged = _load(path)
            if damaged:
                names = (path.with_name(f"{path.name}.damaged{f'-{n}' * (n > 1)}") for n in count(1))
                aside = next(name for name in names if not os.path.lexists(name))
                path.replace(aside)
                tell(f"{path}: damaged; it is now {aside.name}, and {len(self._messages)} messages of it are kept")
        except BlockingIOError as error:
            self._lock.close()
            raise OutputError(f"another process uses the queue {path}: each needs one of its own") from error
        except OSError as error:
            self._lock.close()
            raise OutputError(f"cannot keep a queue in {path}: {error.strerror or error}") from error
        self._number = max(self._messages, default=0)
        self._drop()
        self._try(self._renew)

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, topic: str, payload: str) -> None:
        """Add a message; the oldest are dropped where there are too many."""
        with self._turn:
            if self._closed:
                return
            self._number += 1
            message = Message(self._number, topic.encode(), payload.encode())
            self._messages[message.number] = message
            self._write(_came(message), *map(_gone, self._drop()))

    def first(self, count: int) -> list[Message]:
        """Return so many of the oldest messages, or as many as there are; they stay."""
        with self._turn:
            return list(islice(self._messages.values(), count))

    def done(self, number: int) -> None:
        """Let a message leave; it may have been dropped already."""
        with self._turn:
            if self._closed or self._messages.pop(number, None) is None:
                return
            self._write(_gone(number))
            if not self._messages:
                self._tell_dropped()

    def close(self) -> None:
        """Free the file. Raises OutputError where messages are left that it could not be made to hold."""
        with self._turn:
            if self._closed:
                return
            if self._file is None:
                self._try(self._renew)
            self._closed = True
            self._tell_dropped()
            saved = self._file is not None
            if self._file is not None:
                self._file.close()
            self._lock.close()
        if self._messages and not saved:
            raise OutputError(f"{len(self._messages)} messages are lost: {self._path} cannot be written")

    def _drop(self) -> list[int]:
        """Drop the oldest messages where there are too many; return their numbers."""
        numbers = [self._messages.popitem(last=False)[0] for _ in range(len(self._messages) - self._limit)]
        if numbers and not self._unsaid:
            self._tell(f"{self._path}: full, with {self._limit} messages: the oldest are dropped")
        self._unsaid += len(numbers)
        self.dropped += len(numbers)
        return numbers

    def _tell_dropped(self) -> None:
        if self._unsaid:
            self._tell(f"{self._path}: {self._unsaid} messages were dropped")
            self._unsaid = 0

    def _write(self, *lines: bytes) -> None:
        """Write lines about what has become of the queue."""
        file = self._file
        if file is None:
            if time.monotonic() >= self._again:
                self._try(self._renew)
        elif self._lines + len(lines) > 2 * len(self._messages) + SLACK:
            self._try(self._renew)
        else:
            self._lines += len(lines)
            self._try(lambda: _write_all(file, lines))

    def _renew(self) -> None:
        """Replace the file by a new one that holds what is in the queue. Raises OSError."""
        temporary = self._path.with_name(f".{self._path.name}.new")
        file = FileIO(temporary, "w")
        try:
            _write_all(file, [HEADER, *map(_came, self._messages.values())])
            os.fsync(file.fileno())  # or a power cut could leave the new name without its contents
            temporary.replace(self._path)
        except OSError:
            file.close()
            with suppress(OSError):
                temporary.unlink()
            raise
        if self._file is not None:
            self._file.close()
        self._file, self._lines = file, len(self._messages)

    def _try(self, action: Callable[[], None]) -> None:
        """Do something to the file; where that fails, go on without it. Tells of either when it is a change."""
        try:
            action()
        except OSError as error:
            self._again = time.monotonic() + RETRY
            if self._file is not None:
                self._file.close()  # it may end in half a line now
                self._file = None
            if not self._broken:
                self._broken = True
                reason = error.strerror or error
                self._tell(f"{self._path}: cannot be written ({reason}); what is queued is kept in memory")
            return
        if self._broken:
            self._broken = False
            self._tell(f"{self._path}: can be written again")


def _load(path: Path) -> tuple[OrderedDict[int, Message], bool]:
    """Return the messages that a file holds, and whether it is damaged: more than cut off.

    Raises OSError, also where it is no such file.
    """
    messages: OrderedDict[int, Message] = OrderedDict()
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return messages, False
    with file:
        if not HEADER.startswith(header := file.read(len(HEADER))):
            if header.strip(b"\0") and not header.startswith(HEADER[:12]):
                raise OSError("there is something else in this file; name another one")
            return messages, True
        damaged = False
        for line in file if header == HEADER else ():
            if not line.endswith(b"\n"):
                break
            entry = LINE.fullmatch(line)
            if entry is None or int(entry[1], 16) != crc32(entry[2]):
                damaged = True
            elif entry[3]:
                messages.pop(int(entry[3]), None)
            else:
                messages[int(entry[4])] = Message(int(entry[4]), entry[5], entry[6])
    return messages, damaged


def _came(message: Message) -> bytes:
    return _checked(b"+%d %s %s" % message)


def _gone(number: int) -> bytes:
    return _checked(b"-%d" % number)


def _checked(entry: bytes) -> bytes:
    return b"%08x %s\n" % (crc32(entry), entry)


def _write_all(file: FileIO, lines: Iterable[bytes]) -> None:
    """Write lines whole. Raises OSError."""
    data = memoryview(b"".join(lines))
    while data:
        data = data[file.write(data) :]
