"""Inputs -> files, in an order that is the same in every run: files, folders with all below them, and patterns."""

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from edge_runtime.batch import addresses
from edge_runtime.batch.contents import printable
from edge_runtime.errors import EdgeError, OptionError


class File(NamedTuple):
    """A file to read: its name in rows, its file system, and its path there.

    `address` is where other processes can open it; None where only this process can.
    """

    name: str
    system: Any
    path: str
    address: str | None


class Failed(NamedTuple):
    """A folder that cannot be listed, and why."""

    name: str
    reason: str


class Input(NamedTuple):
    """An input: its file system, the paths that it selects there, and how to name a path in rows.

    `shared` says whether other processes can open its addresses, `local` whether it is on this machine's disks.
    """

    system: Any
    paths: tuple[str, ...]
    address: Callable[[str], str]
    shared: bool
    folder: bool
    local: bool

    def file(self, path: str) -> File:
        """Return the file at a path."""
        address = self.address(path)
        return File(printable(address), self.system, path, address if self.shared else None)


def resolved(name: str) -> Input:
    """Look an input up: a file, a folder, or a pattern; in patterns, ** matches folders of any depth.

    Raises OptionError where there is nothing, SourceError where the file system cannot be reached, DependencyMissing
    where it needs a package.
    """
    system, path = addresses.filesystem(name)
    with addresses.reaching(name):
        folder, paths = _paths(system, path, name)
    scheme = addresses.SCHEME.match(name)
    if scheme is None:
        local: Callable[[str], str] = str if os.path.isabs(name) else os.path.relpath
        return Input(system, paths, local, True, folder, True)
    chain = "::" + name.partition("::")[2] if "::" in name else ""
    protocols = {system.protocol} if isinstance(system.protocol, str) else {*system.protocol}
    shared = not chain and "memory" not in protocols
    return Input(
        system,
        paths,
        lambda path: system.unstrip_protocol(path) + chain,
        shared,
        folder,
        shared and "file" in protocols,
    )


def _paths(system: Any, path: str, name: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether a path is a folder, and the path itself, or else the files that match it as a pattern."""
    try:
        return system.info(path)["type"] == "directory", (path,)
    except FileNotFoundError:
        if not glob.has_magic(path):
            raise
    matches = system.glob(path, detail=True)
    paths = tuple(sorted(match for match, info in matches.items() if info["type"] != "directory"))
    if not paths:
        raise OptionError(f"{name}: no file matches")
    return False, paths


def files(inputs: Sequence[Input], wanted: Callable[[str], bool]) -> Iterator[File | Failed]:
    """Yield the files of inputs. From folders, those whose names are `wanted`, with the folders below, by name.

    Hidden files and folders are left out, and so are links to folders. Holds the names in the folders on the way down.
    """
    for each in inputs:
        for path in each.paths:
            if each.folder:
                yield from _below(each, path, wanted)
            else:
                yield each.file(path)


def _below(each: Input, folder: str, wanted: Callable[[str], bool]) -> Iterator[File | Failed]:
    name = printable(each.address(folder))
    try:
        with addresses.reaching(name):
            entries = sorted(each.system.ls(folder, detail=True), key=lambda info: info["name"])
    except EdgeError as error:
        yield Failed(name, str(error).removeprefix(f"{name}: "))
        return
    for info in entries:
        path = info["name"].rstrip("/")
        base = path.rpartition("/")[2]
        if base.startswith(".") or base == "__MACOSX" or path == folder.rstrip("/"):
            continue
        if info["type"] == "directory" and not info.get("islink"):
            yield from _below(each, path, wanted)
        elif wanted(base) and (not info.get("islink") or each.system.isfile(path)):
            yield each.file(path)
