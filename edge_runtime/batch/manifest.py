"""The manifest of an output folder: what was asked for, and which parts are done. One line for each, in manifest.jsonl.

A part's line is appended, and on the disk, once its files are. A line without its end, from a run that was killed, does
not count.
"""

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from edge_runtime.errors import OptionError, OutputError
from edge_runtime.system import durable
from edge_runtime.system.closing import Closing

NAME = "manifest.jsonl"
FORMAT = 1  # version of the manifest's keys, and of the columns


class Part(NamedTuple):
    """A part that is done: its number, what its rows hold, and a hash of the ids of its pages, in their order."""

    part: int
    pages: int
    digits: int
    errors: int
    rejected: dict[str, int]
    ids: str


class Manifest(Closing):
    """The manifest of a folder, which it locks: no other run can write there.

    `asked` is what the rows depend on, by name. Raises OptionError where the folder holds the rows of something else,
    or is locked, OutputError where it cannot be written.
    """

    def __init__(self, folder: Path, asked: dict[str, Any]) -> None:
        self.folder, self._asked = folder, {"format": FORMAT, **asked}
        self.parts: list[Part] = []
        with ExitStack() as opened:
            try:
                durable.make_folder(folder)
                self._file = opened.enter_context(open(folder / NAME, "a+b"))
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._load()
            except BlockingIOError as error:
                raise OptionError(f"{folder}: another run writes there") from error
            except OSError as error:
                if isinstance(error, OutputError):
                    raise
                raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error
            opened.pop_all()

    @property
    def pages(self) -> int:
        """Number of pages in the parts that are done."""
        return sum(part.pages for part in self.parts)

    def totals(self) -> dict[str, Any]:
        """Return what all parts hold together."""
        rejected: Counter[str] = Counter()
        for part in self.parts:
            rejected.update(part.rejected)
        return {
            "pages": self.pages,
            "digits": sum(part.digits for part in self.parts),
            "errors": sum(part.errors for part in self.parts),
            "rejected": dict(sorted(rejected.items())),
        }

    def add(self, files: dict[str, bytes], counts: dict[str, Any], ids: str) -> None:
        """Write a part: its files by their suffixes, then its line. Raises OutputError."""
        part = Part(len(self.parts), ids=ids, **counts)
        try:
            for suffix, data in files.items():
                durable.put(self.folder / file_name(part.part, suffix), data)
            self._append(part._asdict())
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be written: {error.strerror or error}") from error
        self.parts.append(part)

    def close(self) -> None:
        """Unlock the folder."""
        self._file.close()

    def _append(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _load(self) -> None:
        self._file.seek(0)
        whole, _, _ = self._file.read().rpartition(b"\n")
        self._file.truncate(len(whole) + 1 if whole else 0)
        durable.sweep(self.folder)
        path = self.folder / NAME
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
            self.parts = [Part(**line) for line in lines[1:]]
        except (ValueError, TypeError) as error:
            raise OptionError(f"{path} is damaged: choose another --out") from error
        if not lines:
            if any(self.folder.glob("part-*")):
                raise OptionError(f"{self.folder} holds parts, but no manifest: choose another --out")
            self._append(self._asked)
            durable.sync_folder(self.folder)
            return
        _compare(lines[0], self._asked, self.folder)
        for part in self.parts:
            name = file_name(part.part, ".parquet")
            if not (self.folder / name).is_file():
                raise OptionError(f"{self.folder}: {name} is missing: put it back, or choose another --out")


def _compare(before: Any, asked: dict[str, Any], folder: Path) -> None:
    known = before if isinstance(before, dict) else {}
    differing = [name for name in {**known, **asked} if known.get(name) != asked.get(name)]
    if differing:
        name = differing[0]
        raise OptionError(
            f"{folder} holds rows of another {name}: {json.dumps(known.get(name))}, not "
            f"{json.dumps(asked.get(name))}; choose another --out"
        )


def file_name(part: int, suffix: str) -> str:
    """Return the name of a part's file."""
    return f"part-{part:05d}{suffix}"


def digest(ids: Iterable[str]) -> str:
    """Return a hash over the ids of pages, in their order, in hexadecimal."""
    hashed = sha256()
    for id in ids:
        hashed.update(json.dumps(id).encode())
    return hashed.hexdigest()
