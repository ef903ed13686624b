"""Files and links that stay whole if the power fails at any moment: a finished call is on the disk.

A file system may write a file's name before its content, and a rename before both. So each step waits for the disk in
turn: the content, the folder that holds the temporary name, the rename, the folder again.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

READABLE = 0o644  # regardless of the umask: root installs for a service that is not root
DRAFT = ".draft-"  # name prefix of unfinished files; the holder of the folder's lock may sweep them


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, if they do not exist."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with suppress(FileExistsError):  # another process was faster
            folder.mkdir()
        sync_folder(folder.parent)


def put(path: Path, data: bytes) -> None:
    """Write a file, or replace one."""
    with _draft(path) as draft:
        with open(draft, "xb") as file:
            os.fchmod(file.fileno(), READABLE)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _settle(draft, path)


def link(path: Path, target: str) -> None:
    """Make the symbolic link `path` point to `target`, whether it existed or not."""
    with _draft(path) as draft:
        os.symlink(target, draft)
        _settle(draft, path)


def remove(path: Path) -> None:
    """Remove a file or a link; it may be missing."""
    with suppress(FileNotFoundError):
        os.unlink(path)
        sync_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove what a killed run left behind."""
    for draft in sorted(folder.glob(f"{DRAFT}*")):
        remove(draft)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    draft = path.with_name(f"{DRAFT}{os.urandom(4).hex()}-{path.name}")
    with ExitStack() as undo:
        undo.callback(_remove, draft)
        yield draft
        undo.pop_all()


def _remove(draft: Path) -> None:
    with suppress(OSError):
        draft.unlink()


def _settle(draft: Path, path: Path) -> None:
    sync_folder(path.parent)
    os.replace(draft, path)
    sync_folder(path.parent)
