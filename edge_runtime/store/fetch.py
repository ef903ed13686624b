"""Fetch a model and its signature, from a file or a web server, within limits of size and time."""

import time
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from edge_runtime.errors import ModelError, OptionError

MOST_BYTES = 16 * 2**20  # the int8 file has at most 1 MiB, this project's float32 file 3 MB
SILENCE = 10.0  # seconds without a byte
TIMEOUT = 300.0  # seconds for the whole transfer
CHUNK = 65536
SIGNATURE = ".sig"


def is_url(name: str) -> bool:
    """Return whether a name is an address, not a file."""
    return "://" in name


def is_plain(name: str) -> bool:
    """Return whether a name is an http address, without TLS: anybody on the way can forge its response."""
    return name.lower().startswith("http://")


def public(name: str) -> str:
    """Return a name for display and storage: an address without its user, password and query."""
    if not is_url(name):
        return name
    parts = urlsplit(name)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def signature_of(name: str) -> str:
    """Return the location of a file's or address's signature: the same name with ".sig" at the end."""
    if not is_url(name):
        return name + SIGNATURE
    parts = urlsplit(name)
    return urlunsplit(parts._replace(path=parts.path + SIGNATURE))


def fetch(name: str, most: int = MOST_BYTES, silence: float = SILENCE, timeout: float = TIMEOUT) -> bytes | None:
    """Return the bytes of a file or of an http or https address; None if it does not exist (404, 410).

    Raises ModelError if the bytes cannot be read, are more than `most`, or do not arrive: no byte in `silence` seconds,
    or not all in `timeout` seconds. Raises OptionError for another kind of address. Follows redirects to http and https
    only, and never from https to http.
    """
    if not is_url(name):
        return _read(Path(name), most)
    _check(name)
    shown, until = public(name), time.monotonic() + timeout
    try:
        with _opener().open(Request(name, headers={"User-Agent": "edge-digits"}), timeout=silence) as answer:
            if int(answer.headers.get("Content-Length") or 0) > most:
                raise ModelError(_too_large(shown, most))
            data = _taken(answer.read1, shown, most, until)
            if len(data) < int(answer.headers.get("Content-Length") or 0):
                raise ModelError(f"{shown}: the download ended after {len(data):,} bytes; try again")
            return data
    except HTTPError as error:
        error.close()
        if error.code in (404, 410):
            return None
        raise ModelError(f"cannot fetch {shown}: the server returned {error.code} {error.reason}") from error
    except (URLError, HTTPException, OSError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        why = getattr(error, "reason", None) or error
        reason = getattr(why, "strerror", None) or str(why) or type(why).__name__
        raise ModelError(f"cannot fetch {shown}: {reason}") from error


def _read(path: Path, most: int) -> bytes | None:
    try:
        if path.exists() and not path.is_file():  # a pipe may never end
            raise ModelError(f"{path} is not a file")
        with open(path, "rb") as file:
            return _taken(file.read1, str(path), most, float("inf"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: no file can have this name
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def _taken(read: Callable[[int], bytes], shown: str, most: int, until: float) -> bytes:
    data = bytearray()
    while more := read(CHUNK):
        data += more
        if len(data) > most:
            raise ModelError(_too_large(shown, most))
        if time.monotonic() > until:
            raise ModelError(
                f"cannot fetch {shown}: it takes too long; download the file by other means, and install it"
            )
    return bytes(data)


def _too_large(shown: str, most: int) -> str:
    return f"{shown} has more than {most:,} bytes, too many for a model or a signature"


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise OptionError(f"{url} is neither a file nor an http or https address")
    if parts.username is not None:
        raise OptionError(f"{public(url)}: user and password are not allowed in the address; fetch the file first")


def _opener() -> OpenerDirector:
    opener = OpenerDirector()  # build_opener would also open file:, ftp: and data:
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor(),
                    _Redirections()):  # fmt: skip
        opener.add_handler(handler)
    return opener


class _Redirections(HTTPRedirectHandler):
    """Follows redirects to http and https only, and never from https to http."""

    max_redirections = 5

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the request that follows the redirect. Raises ModelError if the redirect is refused."""
        scheme = urlsplit(newurl).scheme.lower()
        if scheme != "https" and (scheme != "http" or req.type == "https"):
            fp.close()
            raise ModelError(f"cannot fetch {public(req.full_url)}: it redirects to {public(newurl)}, which is refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
