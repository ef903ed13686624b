"""ReadPages: reads the pages of a batch, for engines that call a function for each batch of rows."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.batch.contents import printable
from edge_runtime.batch.rows import COLUMNS, Row, error_row, reading_row
from edge_runtime.errors import OptionError, PictureError
from edge_runtime.reader import DigitReader
from edge_runtime.records import Frame
from edge_runtime.sources import pictures
from edge_runtime.system.closing import Closing

Columns = dict[str, NDArray[np.object_]]


class Batch(Protocol):
    """Columns by name: a dict of arrays, or a pandas DataFrame."""

    def keys(self) -> Iterable[str]:
        """Return the names of the columns."""

    def __getitem__(self, name: str) -> Any:
        """Return a column: an array, a list or a Series, with a value for each page."""


class ReadPages(Closing):
    """Reads the pages of a batch: a callable class for `map_batches` of Ray, for pandas and for Dask.

        read_pages = ReadPages()
        rows = read_pages({"page": np.array(["a.png"]), "image": np.array([data], dtype=object)})
        rows["text"][0]                                  # ["48793968101", "043"]

    A batch has the columns `page`, the ids, and `image`: the bytes of picture files, structs with `bytes`, or uint8
    arrays (H, W) gray or (H, W, 3) blue-green-red, with `rgb` red-green-blue. The result has the columns of
    `rows.COLUMNS`, each an array of objects with a value for each page, and those columns of the batch that have other
    names, without `image`. A picture that cannot be read gets its reason in the column `error`, which is else None.

    `model` and the keywords are DigitReader's. The reader opens with the first batch, so that an object can be pickled
    and sent to another process, which then opens its own. Raises what DigitReader raises, and OptionError where a
    column is missing.
    """

    def __init__(self, model: str | Path | None = None, *, rgb: bool = False, **options: Any) -> None:
        self._model, self._rgb, self._options = model, rgb, options
        self._reader: DigitReader | None = None

    def __call__(self, batch: Batch) -> Columns:
        """Return the rows of a batch as columns, each with as many values as the batch has pages."""
        names = list(batch.keys())
        missing = [name for name in ("page", "image") if name not in names]
        if missing:
            raise OptionError(f"a batch needs the columns page and image, but has {', '.join(map(str, names))}")
        pages = [printable(str(page)) for page in batch["page"]]
        sources = list(map(str, batch["source"])) if "source" in names else [""] * len(pages)
        reader = self.reader
        rows = [
            read_page(reader, page, source, lambda image=image, page=page: _frame(image, page, self._rgb))  # type: ignore[misc]
            for page, source, image in zip(pages, sources, batch["image"], strict=True)
        ]
        others = {name: _column(batch[name]) for name in names if name != "image" and name not in COLUMNS}
        return others | {name: _column(row[name] for row in rows) for name in COLUMNS}

    @property
    def reader(self) -> DigitReader:
        """The reader, which opens on first use."""
        if self._reader is None:
            self._reader = DigitReader(self._model, **self._options)
        return self._reader

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_reader": None}

    def close(self) -> None:
        """Close the reader; the next batch opens a new one."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def read_page(reader: DigitReader, page: str, source: str, picture: Callable[[], Frame]) -> Row:
    """Return the row of the page that `picture` loads; where this raises an error, with its reason."""
    try:
        return reading_row(page, source, reader.read(picture()))
    except Exception as error:  # boundary: one page, whatever is wrong with it, must not end a job of millions
        said = str(error).removeprefix(f"{page}: ") or type(error).__name__
        return error_row(page, source, reader.classifier.model.id, " ".join(printable(said).split()))


def _frame(image: Any, page: str, rgb: bool) -> Frame:
    """Return one cell of the column `image` as a picture. Raises PictureError, or ValueError for other pixels."""
    data = image.get("bytes") if isinstance(image, Mapping) else image
    if data is None:
        raise PictureError("no picture: null")
    if isinstance(data, bytes | bytearray | memoryview):
        return pictures.decode(bytes(data), page)
    pixels = np.asarray(data)
    if pixels.dtype != np.uint8:
        raise PictureError(f"neither bytes nor uint8 pixels, but {type(data).__name__} of {pixels.dtype}")
    return Frame(np.ascontiguousarray(pixels[..., ::-1]) if rgb and pixels.ndim == 3 else pixels, page)


def _column(values: Iterable[Any]) -> NDArray[np.object_]:
    """Return values as one column: numpy would make lists of equal length a second dimension."""
    listed = list(values)
    column = np.empty(len(listed), dtype=object)
    for at, value in enumerate(listed):
        column[at] = value
    return column
