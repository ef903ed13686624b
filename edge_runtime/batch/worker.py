"""A worker: one process with one reader, which reads sets of pages until its pipe closes."""

import signal
from collections.abc import Sequence
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_runtime.batch.contents import Content, Encoded, Page, Sheet, Stored, Unreadable
from edge_runtime.system.closing import Closing

if TYPE_CHECKING:
    import pyarrow as pa

    from edge_runtime.batch.documents import Documents
    from edge_runtime.records import Frame


class Recipe(NamedTuple):
    """How to open a reader: DigitReader's model and keywords."""

    model: str | None
    options: dict[str, Any]


READY = "ready"


def serve(connection: Connection, recipe: Recipe) -> None:
    """Say READY, then answer each sequence of pages with a record batch of their rows, until the parent ends."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    cv2.setNumThreads(1)  # there is a worker for each core
    with PageReader(recipe) as reader:
        try:
            connection.send(READY)
            while True:
                connection.send(reader.read(connection.recv()))
        except (EOFError, OSError):  # the parent has closed the pipe, or was killed
            return


class PageReader(Closing):
    """A reader of pages, which opens files and documents by itself."""

    def __init__(self, recipe: Recipe) -> None:
        from edge_runtime.batch.documents import Documents
        from edge_runtime.reader import DigitReader

        self._reader = DigitReader(recipe.model, **recipe.options)
        self._documents = Documents()

    @property
    def model(self) -> str:
        """The model's name in rows."""
        return self._reader.classifier.model.id

    def read(self, pages: Sequence[Page]) -> "pa.RecordBatch":
        """Return the rows of pages, in their order."""
        from edge_runtime.batch import parts
        from edge_runtime.batch.read_pages import read_page

        rows = [
            read_page(self._reader, page.id, page.source, partial(picture, page.content, page.id, self._documents))
            for page in pages
        ]
        return parts.record_batch(rows)

    def close(self) -> None:
        """Close the reader, and the document that is open."""
        self._documents.close()
        self._reader.close()


def picture(content: Content, name: str, documents: "Documents") -> "Frame":
    """Return the picture of a page. Raises PictureError where it cannot be read."""
    from edge_runtime.batch import addresses
    from edge_runtime.errors import PictureError
    from edge_runtime.sources import pictures

    match content:
        case Unreadable(reason):
            raise PictureError(f"{name}: {reason}")
        case Stored(address):
            try:
                data = addresses.content(address)
            except PictureError as error:
                raise PictureError(f"{name}: {str(error).removeprefix(f'{address}: ')}") from error
            return pictures.decode(data, name)
        case Encoded(data):
            return pictures.decode(data, name)
        case Sheet():
            return documents.draw(content, name)
