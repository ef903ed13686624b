"""Documents of several pages: TIFF by Pillow, PDF by PDFium, drawn at a fixed resolution."""

import io
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from edge_runtime.batch import addresses
from edge_runtime.batch.contents import Content, Encoded, Entry, Sheet, Stored, failed
from edge_runtime.errors import PictureError, PictureTooLarge
from edge_runtime.records import Frame
from edge_runtime.sources import pictures
from edge_runtime.system.closing import Closing
from edge_runtime.system.dependencies import explain

# Dots per inch at which a page of a PDF is drawn: the lowest of scanners' usual ones (150, 200, 300) at which a digit
# 3 mm high, small handwriting, is higher (24 pixels) than the 20 pixels of the network's input.
DPI = 200
POINTS = 72  # a PDF's unit, in each inch
TIFF, PDF = (".tif", ".tiff"), (".pdf",)


def entries(id: str, source: str, document: str | bytes, file: BinaryIO) -> Iterator[Entry]:
    """Yield the pages of a document that is open in `file`: `id`#1 and so on; `id` alone for a TIFF of one page.

    `document` is what `Sheet` takes. Where pages are missing, the last entry is the document's own, with the reason.
    """
    if id.lower().endswith(PDF):
        try:
            with addresses.readable(id), closing(_opened(file)) as pdf:
                count, reason = len(pdf), None if len(pdf) else "no page in this document"
        except PictureError as error:
            count, reason = 0, str(error).removeprefix(f"{id}: ")
        sheets = [Sheet("pdf", document, number) for number in range(count)]
    else:
        count, reason = _frames(file)
        if count == 1 and reason is None:
            yield _entry(id, source, Encoded(document) if isinstance(document, bytes) else Stored(document))
            return
        sheets = [Sheet("tiff", document, number) for number in range(count)]
    for sheet in sheets:
        yield _entry(f"{id}#{sheet.number + 1}", source, sheet)
    if reason is not None:
        yield failed(id, source, reason)


def _entry(id: str, source: str, content: Content) -> Entry:
    return Entry(id, source, lambda: content)


def _frames(file: BinaryIO) -> tuple[int, str | None]:
    """Return the number of frames of a TIFF, and why no more can be read; 1 where it is none: decoding says why."""
    count = 1
    try:
        with Image.open(file, formats=["TIFF"]) as image:
            while True:
                image.seek(count)
                count += 1
    except EOFError:
        return count, None
    except Exception as error:  # boundary: on hostile bytes, Pillow's plugins may raise anything
        return count, None if count == 1 else f"damaged or cut short after page {count}: {addresses.one_line(error)}"


def _opened(document: BinaryIO | bytes) -> Any:
    try:
        import pypdfium2
    except ImportError as error:
        raise explain(error) from error
    return pypdfium2.PdfDocument(document)


class Documents(Closing):
    """Draws pages of documents. Keeps the last PDF open, since its next page often follows."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._last: str | None = None
        self._pdf: Any = None

    def draw(self, sheet: Sheet, name: str) -> Frame:
        """Return a page as a picture. Raises PictureError, PictureTooLarge, DependencyMissing."""
        document = sheet.document
        if sheet.kind == "tiff":
            with ExitStack() as stack:
                file = stack.enter_context(
                    io.BytesIO(document) if isinstance(document, bytes) else addresses.opened(document)
                )
                return pictures.converted(lambda: Image.open(file, formats=["TIFF"]), name, sheet.number)
        with addresses.readable(name):
            if isinstance(document, bytes):
                with closing(_opened(document)) as pdf:
                    return _drawn(pdf, sheet.number, name)
            if document != self._last:
                self.close()
                file = self._open.enter_context(addresses.opened(document))
                self._pdf = self._open.enter_context(closing(_opened(file)))
                self._last = document
            return _drawn(self._pdf, sheet.number, name)

    def close(self) -> None:
        """Close the PDF that is open."""
        self._last = self._pdf = None
        self._open.close()


def _drawn(pdf: Any, number: int, name: str) -> Frame:
    """Return a page of an open PDF, white where it is transparent."""
    page = pdf[number]
    width, height = (side * DPI / POINTS for side in page.get_size())
    if width * height > pictures.MAX_PIXELS:
        raise PictureTooLarge(f"{name}: larger than {pictures.MAX_PIXELS // 1_000_000} megapixels at {DPI} DPI")
    bitmap = page.render(scale=DPI / POINTS)
    pixels = np.array(bitmap.to_numpy(), np.uint8)  # a copy: PDFium's own memory goes with the bitmap
    bitmap.close()
    page.close()
    return Frame(pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3].copy(), name)
