"""Files -> pages: every picture, every member of an archive, row of a table, page of a document, with a stable id."""

from collections.abc import Iterator, Sequence
from functools import cache

from edge_runtime.batch import addresses, archives, documents, inputs, tables
from edge_runtime.batch.contents import Content, Encoded, Entry, Stored, Unreadable, failed
from edge_runtime.batch.inputs import Failed, File, Input
from edge_runtime.errors import PictureError
from edge_runtime.sources import pictures

CONTAINERS = (*archives.ZIP, *archives.TAR, *tables.PARQUET)


def entries(resolved: Sequence[Input], column: str) -> Iterator[Entry]:
    """Yield every page of the inputs, in an order that is the same in every run; `column` holds tables' pictures.

    What cannot be read is an entry with the reason. Raises DependencyMissing where a package is needed.
    """
    for file in inputs.files(resolved, is_readable):
        if isinstance(file, Failed):
            yield failed(file.name, file.name, file.reason)
        else:
            yield from _entries(file, column)


def is_readable(name: str) -> bool:
    """Return whether a file of a folder is read, by its name."""
    return is_picture(name) or name.lower().endswith(CONTAINERS)


def is_picture(name: str) -> bool:
    """Return whether a member of an archive is read, by its name: a picture or a document."""
    name = name.lower()
    return name.endswith(documents.PDF) or f".{name.rpartition('.')[2]}" in _suffixes()


@cache
def _suffixes() -> frozenset[str]:
    return pictures.suffixes()


def _entries(file: File, column: str) -> Iterator[Entry]:
    name = file.name
    lower = name.lower()
    if not lower.endswith(CONTAINERS + documents.TIFF + documents.PDF):
        yield Entry(name, name, lambda: _content(file))
        return
    try:
        with addresses.readable(name), file.system.open(file.path, "rb") as opened:
            if lower.endswith(archives.ZIP):
                yield from archives.zip_entries(name, opened, is_picture)
            elif lower.endswith(archives.TAR):
                yield from archives.tar_entries(name, opened, is_picture)
            elif lower.endswith(tables.PARQUET):
                yield from tables.entries(name, opened, column)
            elif file.address is not None:
                yield from documents.entries(name, name, file.address, opened)
            else:
                data = addresses.limited(opened, name)
                opened.seek(0)
                yield from documents.entries(name, name, data, opened)
    except PictureError as error:
        yield failed(name, name, str(error).removeprefix(f"{name}: "))


def _content(file: File) -> Content:
    """Return where a picture file is; its bytes where no other process can open it."""
    if file.address is not None:
        return Stored(file.address)
    try:
        with addresses.readable(file.name), file.system.open(file.path, "rb") as opened:
            return Encoded(addresses.limited(opened, file.name))
    except PictureError as error:
        return Unreadable(str(error).removeprefix(f"{file.name}: "))


def check_tables(names: Sequence[str], column: str) -> None:
    """Raise OptionError where an input that is a parquet file has no such column: then the option is wrong."""
    for name in names:
        if name.lower().endswith(tables.PARQUET):
            try:
                with addresses.opened(name) as file:
                    tables.check(name, file, column)
            except PictureError:
                continue  # a folder of that name, or a damaged file, which becomes a row
