"""POST /api/read: takes a picture and returns its reading; limits the number of pictures and their size."""

import asyncio
import logging
import re
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from edge_runtime.errors import PictureError, PictureTooLarge
from edge_runtime.reader import Reader
from edge_runtime.sinks.explain import explain
from edge_runtime.sinks.json_record import to_record
from edge_runtime.sources import pictures
from edge_runtime.web import live, query
from edge_runtime.web.crops import crops
from edge_runtime.web.problems import Problem

MOST_BYTES = 20_000_000
TIMEOUT = 30.0  # seconds for the body to arrive
AT_ONCE, WAITING = 2, 16
RETRY_AFTER = 1  # seconds
NAME = "upload"

logging.getLogger("python_multipart").addHandler(logging.NullHandler())  # the answer reports its errors


class Reads:
    """Reads uploaded pictures, AT_ONCE at a time; up to WAITING more wait in a queue."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._pool = ThreadPoolExecutor(AT_ONCE, "read")  # system.signals uses this name
        self._busy = 0

    def close(self) -> None:
        """Stop reading: cancel waiting pictures, and discard the results of those in progress."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def answer(self, request: Request) -> Response:
        """Answer a request. Raises Problem."""
        explained = query.switch(request, "explain")
        cropped = query.switch(request, "crops") or explained
        if self._busy >= AT_ONCE + WAITING:
            raise Problem(
                429, "Too many pictures at once", "try again in a moment", {"Retry-After": str(RETRY_AFTER)}
            )  # fmt: skip
        self._busy += 1
        try:
            body = await self._body(request)
            kind = request.headers.get("content-type", "")
            loop = asyncio.get_running_loop()
            return JSONResponse(await loop.run_in_executor(self._pool, self._read, kind, body, cropped, explained))
        finally:
            self._busy -= 1

    async def _body(self, request: Request) -> bytes:
        """Return a request's body, within the limits of size and time."""
        large = Problem(413, "Too large", f"a picture may have {MOST_BYTES // 1_000_000} MB at most")
        if int(request.headers.get("content-length", "0") or 0) > MOST_BYTES:
            raise large
        body = bytearray()
        try:
            async with asyncio.timeout(TIMEOUT):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise large
        except TimeoutError as error:
            raise Problem(408, "Too slow", f"the picture did not arrive within {TIMEOUT:g} s") from error
        except ClientDisconnect as error:
            raise Problem(400, "Cut short", "the request ended before the picture did") from error
        if not body:
            raise Problem(400, "No picture", "the request has no body: send a picture's bytes, or a form with a file")
        return bytes(body)

    def _read(self, kind: str, body: bytes, cropped: bool, explained: bool) -> dict[str, Any]:
        """Return the record of a picture's reading, and the requested extras. Raises Problem."""
        data, name = _file(kind, body)
        try:
            frame = pictures.decode(data, name)
        except PictureTooLarge as error:
            raise Problem(413, "Too large", str(error)) from error
        except PictureError as error:
            raise Problem(400, "Not a picture", str(error)) from error
        trace = self._reader.trace(frame)
        labels = self._reader.classifier.labels
        record = to_record(trace.reading)
        if cropped:
            record["crops"] = crops(trace, labels)
        if explained:
            record["annotated"] = _url("image/jpeg", live.jpeg(frame, trace))
            record["stages"] = _url("image/png", cv2.imencode(".png", explain(trace, labels))[1].tobytes())
        return record


def _url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{b64encode(data).decode()}"


def _file(content_type: str, body: bytes) -> tuple[bytes, str]:
    """Return a picture's bytes and name: those of the only file of a form, else the whole body."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        return body, NAME
    damaged = Problem(400, "Not a form", "the multipart form is damaged or cut short")
    if not options.get(b"boundary"):
        raise damaged
    not_one = Problem(400, "Not one picture", "the form must hold one file, and nothing else")
    files: list[File] = []

    def refuse(_: Field) -> None:
        raise not_one

    def accept(file: File) -> None:
        if files:
            raise not_one  # refuse at the second file, not after 100,000
        files.append(file)

    try:
        parser = FormParser(
            "multipart/form-data", refuse, accept, boundary=options[b"boundary"],
            config={"MAX_MEMORY_FILE_SIZE": 2 * MOST_BYTES},  # never write to disk
        )  # fmt: skip
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise damaged from error
    if not files:
        raise not_one
    file = files[0].file_object
    file.seek(0)
    return file.read(), shown((files[0].file_name or b"").decode("utf-8", "replace"))


def shown(name: str) -> str:
    """Return a visitor's file name for display: without folders, at most 100 printable characters."""
    name = "".join(letter for letter in re.split(r"[/\\]", name)[-1] if letter.isprintable())[:100]
    return name or NAME
