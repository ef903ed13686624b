"""A file of lines that stays small: once it is full it is set aside, and a new one begins."""

import json
import os
import stat
from contextlib import ExitStack, suppress
from io import FileIO
from itertools import pairwise
from pathlib import Path

from edge_runtime.errors import OptionError, OutputError
from edge_runtime.sinks.lines import JsonLines

CHUNK = 65_536  # bytes that are looked through at once for the end of a line
LINKS = 40  # that may lead to one another
# What each record of edge_runtime.sinks.json_record begins with.
OBJECTS = ('{"type": "reading"', '{"type": "event"')


class RotatingFile:
    """Appends lines in UTF-8 to a file, each whole or not at all, and hands each to the system at once.

    Where a line would make the file larger than `limit_bytes`, it becomes NAME.1, what was NAME.1 becomes NAME.2, and
    so on up to NAME.`keep`; the oldest goes. A line longer than that has a file to itself. Where the file is removed or
    replaced meanwhile, a new one is begun. Devices, pipes and standard output (/dev/stdout) are written without end; a
    named pipe waits for its reader.

    A file that is there already is continued. Half a line at its end, which a power cut leaves, is cut off, for nobody
    could read it. Where every line begins with one of `starts` and is JSON, a whole one whose end is missing is ended;
    and a file that begins, or ends, with anything else is somebody else's, and is refused. Raises OutputError where the
    file cannot be opened or written, OptionError where a limit makes no sense.
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
            self._path = path if self._device else Path(os.path.realpath(path))  # a link stays where it is
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
        """Free the file; safe to call again."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                raise self._failure(error) from error

    def _ready(self, more: int) -> FileIO:
        """Return the file, with room for so many bytes more."""
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
        """Open the file, or make it, and let it end in a whole line."""
        if self._handle is not None:  # opened anew it would be written from its beginning, or not at all
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
        """Free the file, for whoever hears of this may not close it, and return what is to be raised."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
        reason = (error.strerror or error) if isinstance(error, OSError) else "no file can have this name"
        return OutputError(f"cannot write {self._named}: {reason}")


class JsonFile(JsonLines):
    """Appends one JSON object a line to a file, as RotatingFile does; raises what that raises."""

    def __init__(self, path: Path, limit_bytes: int, keep: int) -> None:
        self._file = RotatingFile(path, limit_bytes, keep, OBJECTS)
        super().__init__(self._file.write)

    def close(self) -> None:
        """Free the file."""
        self._file.close()


def _handle(path: Path) -> int | None:
    """Return the number of what this process has open that a name stands for, as /dev/stdout does; None for files."""
    for _ in range(LINKS):
        folder = os.path.realpath(path.parent)
        if f"{folder}/".startswith(("/proc/", "/dev/fd/")) and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = Path(folder, os.readlink(path))
    return None


def _is_there(file: FileIO, path: Path) -> bool:
    """Tell whether an open file still is the one of this name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _append(file: FileIO, data: bytes) -> None:
    """Write it all, or leave a file as it was: also where a signal ends the program meanwhile. Raises OSError."""
    status = os.fstat(file.fileno())
    left = memoryview(data)
    with ExitStack() as undo:
        if stat.S_ISREG(status.st_mode):
            undo.callback(_cut, file, status.st_size)
        while left:
            left = left[file.write(left) :]  # a disk that fills up takes a part
        undo.pop_all()


def _cut(file: FileIO, size: int) -> None:
    with suppress(OSError):
        os.ftruncate(file.fileno(), size)


def _mend(file: FileIO, path: Path, starts: tuple[bytes, ...]) -> None:
    """Let a file end in a whole line. Raises OSError where it is none of a file of such lines."""
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
