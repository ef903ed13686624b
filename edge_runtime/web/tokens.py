"""The access token, in a file that only its owner may read."""

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from edge_runtime.errors import OptionError, OutputError

LONGEST = 4096  # bytes of a file that are read
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,512}", re.ASCII)


def load(path: Path) -> str:
    """Return the token in a file, without surrounding whitespace.

    Raises OptionError where the file is missing, where others may open it, or where it holds no token.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # O_NONBLOCK: a pipe would block
        try:
            status = os.fstat(handle)
            text = os.read(handle, LONGEST) if stat.S_ISREG(status.st_mode) else b""
        finally:
            os.close(handle)
    except (OSError, ValueError) as error:  # ValueError: invalid file name
        raise OptionError(f"cannot read the token in {path}: {getattr(error, 'strerror', None) or error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise OptionError(f"{path} is not a file")
    if status.st_mode & 0o077:
        raise OptionError(f"other users can read {path}, which contains a token: chmod 600 {path}")
    token = text.decode("ascii", "replace").strip()
    if not _TOKEN.fullmatch(token):
        raise OptionError(f"{path} contains no token: 16 to 512 letters, digits, dots, dashes, underscores and tildes")
    return token


def made(path: Path) -> tuple[str, bool]:
    """Return the token in a file, and whether it is new; make one where there is no file.

    Raises OptionError where the existing one is unusable, OutputError where no file can be written.
    """
    if os.path.lexists(path):
        return load(path), False
    put(path, secrets.token_urlsafe(32) + "\n", 0o600)
    return load(path), True


def put(path: Path, text: str, mode: int) -> None:
    """Write a file atomically, with this mode from the start; make its folder, if missing, for the owner only.

    Raises OutputError where that fails.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with open(handle, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            os.replace(draft, path)
        except OSError:
            with suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
