"""A file of lines that stays small: once it is full it is set aside, and a new one begins."""

import os
import stat
from contextlib import suppress
from io import FileIO
from itertools import pairwise
from pathlib import Path

from edge_runtime.errors import OptionError, OutputError
from edge_runtime.sinks.lines import JsonLines

CHUNK = 65_536  # bytes that are looked through at once for the end of a line
LINKS = 40  # that may lead to one another
OBJECT = '{"type": "'  # what each record of edge_runtime.reading begins with


class RotatingFile:
    """Appends lines in UTF-8 to a file, each whole or not at all, and hands each to the system at once.

    Where a line would make the file larger than `limit_bytes`, it becomes NAME.1, what was NAME.1 becomes NAME.2, and
    so on up to NAME.`keep`; the oldest goes. A line longer than that has a file to itself. Where the file is removed or
    replaced meanwhile, a new one is begun. Devices, pipes and standard output (/dev/stdout) are written without end; a
    named pipe waits for its reader.

    A file that is there already is continued. Half a line at its end, which a power cut leaves, is cut off, for nobody
    could read it; but one that does not begin as every line does, with `start`, is taken for somebody else's file, and
    is refused. Raises OutputError where the file cannot be opened or written, OptionError where a limit makes no sense.
    """

    def __init__(self, path: Path, limit_bytes: int, keep: int, start: str = "") -> None:
        if limit_bytes < 1 or keep < 0:
            raise OptionError(f"a file of lines has at least 1 byte and 0 older ones, not {limit_bytes} and {keep}")
        self._named, self._limit, self._keep, self._start = path, limit_bytes, keep, start.encode()
        self._file: FileIO | None = None
        try:
            self._device = _is_handle(path)
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
        if not os.path.exists(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        file = FileIO(self._path, "a")
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            self._device = True
        if not self._device:
            try:
                _mend(file, self._path, self._start)
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
        return OutputError(f"cannot write {self._named}: {getattr(error, 'strerror', None) or error}")


class JsonFile(JsonLines):
    """Appends one JSON object a line to a file, as RotatingFile does; raises what that raises."""

    def __init__(self, path: Path, limit_bytes: int, keep: int) -> None:
        self._file = RotatingFile(path, limit_bytes, keep, OBJECT)
        super().__init__(self._file.write)

    def close(self) -> None:
        """Free the file."""
        self._file.close()


def _is_handle(path: Path) -> bool:
    """Tell whether a name stands for what this process has open, as /dev/stdout does, or a link to that."""
    for _ in range(LINKS):
        folder = os.path.realpath(path.parent)
        if f"{folder}/".startswith(("/proc/", "/dev/fd/")):
            return True
        if not path.is_symlink():
            return False
        path = Path(folder, os.readlink(path))
    return False


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
    try:
        while left:
            left = left[file.write(left) :]  # a disk that fills up takes a part
    except BaseException:
        if stat.S_ISREG(status.st_mode):
            with suppress(OSError):
                os.ftruncate(file.fileno(), status.st_size)
        raise


def _mend(file: FileIO, path: Path, start: bytes) -> None:
    """Cut off half a line at the end of a file. Raises OSError where it is none of a file of such lines."""
    end = os.fstat(file.fileno()).st_size
    if not end:
        return
    with path.open("rb") as old:
        whole = _last_line(old.fileno(), end)
        # A power cut may leave zeros where the disk had not been written yet.
        half = os.pread(old.fileno(), len(start), whole).rstrip(b"\0")
    if not start.startswith(half):
        raise OSError("there is something else in this file; name another one")
    os.ftruncate(file.fileno(), whole)


def _last_line(number: int, end: int) -> int:
    """Return where the last whole line of an open file ends."""
    while end:
        begin = max(0, end - CHUNK)
        found = os.pread(number, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0
