"""A page before it is read: its id, and where its picture is."""

from collections.abc import Callable
from typing import Literal, NamedTuple


class Stored(NamedTuple):
    """A picture file at an address that any process can open."""

    address: str


class Encoded(NamedTuple):
    """The bytes of a picture file."""

    data: bytes


class Sheet(NamedTuple):
    """One page of a document, counted from 0: at an address that any process can open, or of its bytes."""

    kind: Literal["pdf", "tiff"]
    document: str | bytes
    number: int


class Unreadable(NamedTuple):
    """No picture: the reason, on one line."""

    reason: str


Content = Stored | Encoded | Sheet | Unreadable


class Page(NamedTuple):
    """A page to read. Its `id` is the same in every run; `source` is the name of the file that holds it."""

    id: str
    source: str
    content: Content


class Entry(NamedTuple):
    """A page that is listed, whose content is not yet loaded. `load` works until the next entry is asked for."""

    id: str
    source: str
    load: Callable[[], Content]

    def page(self) -> Page:
        """Return the page with its content."""
        return Page(self.id, self.source, self.load())


def failed(id: str, source: str, reason: str) -> Entry:
    """Return the entry of a page, or of a whole file, that cannot be read."""
    return Entry(id, source, lambda: Unreadable(" ".join(reason.split())))


def printable(name: str) -> str:
    """Return a name as text that can be written as UTF-8: file names may hold bytes that are no characters."""
    return name.encode("utf-8", "backslashreplace").decode()
