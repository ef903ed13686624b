"""Network streams: Motion JPEG and snapshots over HTTP, and everything that FFmpeg reads, such as RTSP.

This module parses Motion JPEG itself: FFmpeg would probe a stream before it begins, and scale every later picture to
the first one's size.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit
from urllib.request import (
    HTTPBasicAuthHandler,
    HTTPDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    build_opener,
)
from urllib.response import addinfourl

import cv2
import numpy as np

from edge_runtime.errors import OptionError, PictureError, SourceError
from edge_runtime.records import Uint8
from edge_runtime.sources import pictures
from edge_runtime.sources.live import Capture
from edge_runtime.system.native_logs import is_text

# FFmpeg and OpenCV write messages about a stream directly to standard error; -8 is AV_LOG_QUIET.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
(getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel)(0)  # OpenCV 4, else OpenCV 5

MOST_BYTES = 50_000_000  # maximum size of a picture
LINE = 65_536  # maximum bytes of one line
INTERVAL = 0.2  # minimum seconds between snapshots
SECRET = re.compile(r"(?i)\b(\w*(?:pass|pas|pwd|pw|psw|token|key|auth|secret|sig|user|usr)\w*)=[^&/]*")


def public(url: str) -> str:
    """Return an address for logs and records: without user, password and keys."""
    parts = _split(url)
    host = parts.netloc.rpartition("@")[2]
    path, query = (SECRET.sub(r"\1=...", part) for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, host, path, query, ""))


def _split(url: str) -> SplitResult:
    """Return the parts of an address. Raises OptionError, which shows nothing of the address, if it is invalid."""
    try:
        parts = urlsplit(url)
        whole = parts.hostname and (parts.port is None or parts.port) and is_text(url) and not re.search(r"\s", url)
    except ValueError:
        whole = None
    if not whole:
        raise OptionError(
            "invalid address of a stream: expected one such as http://user:password@host:80/path; in a password, write "
            "%40 %3A %2F %3F %23 %25 for @ : / ? # %"
        )
    return parts


def opener(url: str, stall: float) -> Callable[[], Capture]:
    """Return a function that opens the stream at `url`; the stream ends after `stall` seconds without a frame.

    If the address answers with a single picture, the source requests one picture after another. Raises OptionError if
    `url` is no address; the function raises SourceError.
    """
    _split(url)

    def opened() -> Capture:
        if not url.lower().startswith("http"):
            return Stream(url, stall)
        answer = _asked(url, stall)
        kind = answer.headers.get_content_type()
        if kind.startswith("multipart/"):
            return MotionJpeg(answer, stall)
        answer.close()
        if kind.startswith("image/"):
            return Snapshots(url, stall)
        if kind.startswith("text/"):
            raise SourceError(f"{public(url)}: this is a page ({kind}), not a stream or a picture")
        return Stream(url, stall)

    return opened


class MotionJpeg:
    """Pictures that arrive one after another as the parts of one HTTP response."""

    def __init__(self, answer: addinfourl, stall: float) -> None:
        self._answer, self._stall = answer, stall
        boundary = answer.headers.get_boundary() or ""
        self._body = _Body(answer)
        self._pictures = _parts(self._body, b"--" + boundary.lstrip("-").encode())

    def read(self) -> Uint8 | None:
        """Wait for the next valid picture; return None once the stream has ended or stalled."""
        self._body.until = time.monotonic() + self._stall
        try:
            for data in self._pictures:
                pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
                if pixels is not None:
                    return np.asarray(pixels, np.uint8)
        except (OSError, HTTPException):  # a timeout is an OSError, too
            pass
        return None

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()


class _Body:
    """The body of a response, read no later than `until`, in time.monotonic(): bytes may arrive one by one."""

    def __init__(self, answer: addinfourl) -> None:
        self._answer, self.until = answer, float("inf")

    def readline(self) -> bytes:
        """Return a line, or its beginning. Raises TimeoutError."""
        self._check()
        return self._answer.readline(LINE)

    def read(self, length: int) -> bytes:
        """Return this many bytes, or all that there are. Raises TimeoutError."""
        data = bytearray()
        while len(data) < length:
            self._check()
            more = self._answer.read1(min(length - len(data), LINE))
            if not more:
                break
            data += more
        return bytes(data)

    def _check(self) -> None:
        if time.monotonic() >= self.until:
            raise TimeoutError("no picture in time")


def _parts(body: _Body, boundary: bytes) -> Iterator[bytes]:
    """Yield the parts of a multipart response; a part without a length ends where the next one begins."""
    inside, length = False, None
    while line := body.readline():
        if not inside:
            inside = boundary in line
        elif line.strip():
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                length = min(int(value), MOST_BYTES)
        elif length is not None:
            yield body.read(length)
            inside, length = False, None
        else:
            data = bytearray()
            while (line := body.readline()) and boundary not in line and len(data) < MOST_BYTES:
                data += line
            yield bytes(data)


class Stream:
    """A stream that OpenCV reads through FFmpeg."""

    def __init__(self, url: str, stall: float) -> None:
        milliseconds = max(1, round(1000 * stall))
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, milliseconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC, milliseconds]
        self._capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)  # `set` would be too late for them
        if not self._capture.isOpened():
            raise SourceError(f"{public(url)}: no stream: check the address, and whether it is sending")

    def read(self) -> Uint8 | None:
        """Wait for the next frame; return None once the stream has ended or stalled."""
        there, pixels = self._capture.read()
        return np.asarray(pixels, np.uint8) if there else None

    def close(self) -> None:
        """Close the connection."""
        self._capture.release()


class Snapshots:
    """An address that answers each request with one picture."""

    def __init__(self, url: str, stall: float) -> None:
        self._url, self._stall, self._next = url, stall, 0.0

    def read(self) -> Uint8:
        """Request a picture. Raises SourceError if there is none."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + INTERVAL
        with _asked(self._url, self._stall) as answer:
            body = _Body(answer)
            body.until = time.monotonic() + self._stall
            try:
                data = body.read(MOST_BYTES)
            except (OSError, HTTPException) as error:
                raise SourceError(f"{public(self._url)}: the picture is incomplete") from error
        try:
            return pictures.decode(data, public(self._url)).pixels
        except PictureError as error:
            raise SourceError(str(error)) from error

    def close(self) -> None:
        """Do nothing: every picture has its own connection."""


class _Basic(HTTPBasicAuthHandler):
    """Basic authentication that closes the response that requested it."""

    def http_error_401(self, *answer: Any) -> Any:
        answer[1].close()
        return super().http_error_401(*answer)


class _Digest(HTTPDigestAuthHandler):
    """Digest authentication that closes the response that requested it."""

    def http_error_401(self, *answer: Any) -> Any:
        answer[1].close()
        return super().http_error_401(*answer)


def _asked(url: str, timeout: float) -> addinfourl:
    """Return the response to a request, its body not read yet. Raises SourceError if there is none."""
    parts = _split(url)
    host = parts.netloc.rpartition("@")[2]
    bare = urlunsplit((parts.scheme, host, parts.path or "/", parts.query, ""))
    asking = build_opener()
    if parts.username is not None:
        passwords = HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(
            None, f"{parts.scheme}://{host}/", unquote(parts.username), unquote(parts.password or "")
        )
        asking = build_opener(_Basic(passwords), _Digest(passwords))
    try:
        return asking.open(bare, timeout=timeout)  # type: ignore[no-any-return]
    except HTTPError as error:
        error.close()
        remedy = ": user and password go into the address, as in http://user:password@host/" * (error.code == 401)
        raise SourceError(f"{public(url)}: the server returned {error.code} {error.reason}{remedy}") from error
    except (HTTPException, ValueError) as error:  # their messages may contain the address
        raise SourceError(f"{public(url)}: the server did not answer in HTTP: {type(error).__name__}") from error
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise SourceError(f"{public(url)}: cannot be reached: {getattr(reason, 'strerror', None) or reason}") from error
