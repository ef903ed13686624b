"""A file of lines with a size limit: a full file is renamed, and a new one is started."""

import json
import os
import stat
from contextlib import ExitStack, suppress
from io import FileIO
from itertools import pairwise
from pathlib import Path

from edge_runtime.errors import OptionError, OutputError
from edge_runtime.sinks.lines import JsonLines

CHUNK = 65_536  # bytes to search at once for the end of a line
LINKS = 40  # most symbolic links to follow
# The start of each record of edge_runtime.sinks.json_record.
OBJECTS = ('{"type": "reading"', '{"type": "event"')


class RotatingFile:
    """Appends lines in UTF-8 to a file, each whole or not at all, and passes each to the system at once.

    Where a line would make the file larger than `limit_bytes`, the file becomes NAME.1, NAME.1 becomes NAME.2, and so
    on up to NAME.`keep`; the oldest is deleted. A line longer than the limit has a file of its own. Where the file is
    removed or replaced, a new one is started. Devices, pipes and standard output (/dev/stdout) have no limit; a named
    pipe waits for its reader.

    An existing file is continued. An incomplete line at its end, as a power cut leaves, is cut off. Where every line
    begins with one of `starts` and is JSON, a complete last line without a line end gets one; a file that begins or
    ends with anything else belongs to another program, and is rejected. Raises OutputError where the file cannot be
    opened or written, OptionError where a limit is invalid.
    """

    def __init__(self, path: Path, limit_bytes: int, keep: int, starts: tuple[str, ...] = ()) -> None:
        if limit_bytes < 1 or keep < 0:
            raise OptionError(f"a file of lines has at least 1 byte and 0 older ones, not {limit_bytes} and {keep}")
        self._named, self._limit, self._keep = path, limit_bytes, keep
        self._starts = tuple(start.encode() for start in starts)
        self._file: FileIO | None = None
        try:
            self._handle = _handle(path)
            self._device = self._handle is not None
            self._path = path if self._device else Path(os.path.realpath(path))  # a link stays in place
            self._open()
        except (OSError, ValueError) as error:
            raise self._failure(error) from error

    def write(self, line: str) -> None:
        """Append a line."""
        data = f"{line}\n".encode(errors="backslashreplace")
        try:
            _append(self._ready(len(data)), data)
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the file; safe to call again."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                raise self._failure(error) from error

    def _ready(self, more: int) -> FileIO:
        """Return the file, with room for `more` bytes."""
        file = self._file
        if file is None or not (self._device or _is_there(file, self._path)):
            file = self._open()
        size = os.fstat(file.fileno()).st_size
        if size and size + more > self._limit and not self._device:
            names = [self._path, *(self._path.with_name(f"{self._path.name}.{n + 1}") for n in range(self._keep))]
            for newer, older in reversed(list(pairwise(names))):
                with suppress(FileNotFoundError):
                    newer.replace(older)
            if not self._keep:
                self._path.unlink()
            file = self._open()
        return file

    def _open(self) -> FileIO:
        """Open or create the file, and make it end in a whole line."""
        if self._handle is not None:  # reopening it would write from its start, or fail
            self._file = FileIO(os.dup(self._handle), "w")
            return self._file
        if not os.path.exists(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        file = FileIO(self._path, "a")
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            self._device = True
        if not self._device:
            try:
                _mend(file, self._path, self._starts)
            except OSError:
                file.close()
                raise
        if self._file is not None:
            self._file.close()
        self._file = file
        return file

    def _failure(self, error: OSError | ValueError) -> OutputError:
        """Close the file, since the caller may not do so, and return the exception to raise."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
        reason = (error.strerror or error) if isinstance(error, OSError) else "no file can have this name"
        return OutputError(f"cannot write {self._named}: {reason}")


class JsonFile(JsonLines):
    """Appends one JSON object per line to a file, as RotatingFile does, and raises the same errors."""

    def __init__(self, path: Path, limit_bytes: int, keep: int) -> None:
        self._file = RotatingFile(path, limit_bytes, keep, OBJECTS)
        super().__init__(self._file.write)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _handle(path: Path) -> int | None:
    """Return the descriptor of this process that a path stands for, as /dev/stdout does; None for other paths."""
    for _ in range(LINKS):
        folder = os.path.realpath(path.parent)
        if f"{folder}/".startswith(("/proc/", "/dev/fd/")) and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = Path(folder, os.readlink(path))
    return None


def _is_there(file: FileIO, path: Path) -> bool:
    """Return whether `path` still names the open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _append(file: FileIO, data: bytes) -> None:
    """Write all of `data`, or leave the file unchanged, even if a signal ends the program. Raises OSError."""
    status = os.fstat(file.fileno())
    left = memoryview(data)
    with ExitStack() as undo:
        if stat.S_ISREG(status.st_mode):
            undo.callback(_cut, file, status.st_size)
        while left:
            left = left[file.write(left) :]  # a disk that fills up takes only a part
        undo.pop_all()


def _cut(file: FileIO, size: int) -> None:
    with suppress(OSError):
        os.ftruncate(file.fileno(), size)


def _mend(file: FileIO, path: Path, starts: tuple[bytes, ...]) -> None:
    """Make a file end in a whole line. Raises OSError where it is not a file of such lines."""
    end = os.fstat(file.fileno()).st_size
    if not end:
        return
    with path.open("rb") as old:
        whole = _last_line(old.fileno(), end)
        first = os.pread(old.fileno(), CHUNK, 0)
        # A power cut may leave zeros where the disk had not been written yet.
        half = os.pread(old.fileno(), end - whole, whole).rstrip(b"\0")
    if not (_begins(first, starts) and _begins(half, starts)):
        raise OSError("there is something else in this file; name another one")
    if starts and _is_json(half):
        os.ftruncate(file.fileno(), whole + len(half))
        _append(file, b"\n")
    else:
        os.ftruncate(file.fileno(), whole)


def _begins(text: bytes, starts: tuple[bytes, ...]) -> bool:
    return not starts or any(text.startswith(start) or start.startswith(text) for start in starts)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _last_line(number: int, end: int) -> int:
    """Return where the last whole line of an open file ends."""
    while end:
        begin = max(0, end - CHUNK)
        newline = os.pread(number, end - begin, begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        end = begin
    return 0
