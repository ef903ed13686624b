"""What a visitor may do with a connection: limits that uvicorn lacks, by an asyncio protocol and ASGI middleware."""

import asyncio
import logging
from collections.abc import MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import h11
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_runtime.web import problems
from edge_runtime.web.guard import with_headers
from edge_runtime.web.problems import Problem

logger = logging.getLogger(__name__)
LONGEST = 500  # characters of a logged failure


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on connections; times in seconds."""

    connections: int = 128  # served at once
    spare: int = 32  # accepted beyond these, to answer 429
    head: float = 10.0  # for a request's first line and headers, and for a TLS handshake
    head_bytes: int = 16384
    body: float = 30.0  # for the rest of a request after its answer
    keep_alive: int = 15  # until the next request
    drain: int = 3  # for answers in progress when the server ends


class Logged(Exception):
    """The application failed, which is logged already."""


class Connection(asyncio.Protocol):
    """Passes everything on to the protocol `inner`, and closes the connection if the head of a request takes too long.

    While it is open, it is in `visitors` by its address.
    """

    def __init__(self, inner: asyncio.Protocol, limits: Limits, visitors: MutableMapping[object, "Connection"]) -> None:
        self._inner, self._limits, self._visitors = inner, limits, visitors
        self._wire: asyncio.Transport
        self._address: object = None
        self._requests = 0  # in the hands of the application
        self._timer: asyncio.TimerHandle | None = None
        self._heard = False
        self.surplus = False  # beyond `limits.connections`

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the connection."""
        self._inner.connection_made(transport)
        assert isinstance(transport, asyncio.Transport)  # a TCP or TLS connection can be read and written
        self._wire = transport
        self._address = address(transport.get_extra_info("peername"))
        self._visitors[self._address] = self
        self.surplus = len(self._visitors) > self._limits.connections
        if len(self._visitors) > self._limits.connections + self._limits.spare:
            self.abort()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection."""
        if self._visitors.get(self._address) is self:  # under TLS, a new one may have the same port already
            del self._visitors[self._address]
        self._end_wait()
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Handle received bytes."""
        self._heard = True
        if not self._requests and self._timer is None:
            self._wait()
        try:
            self._inner.data_received(data)
        except h11.LocalProtocolError:  # the rest of a body is damaged, and the answer has begun
            self.abort()

    def eof_received(self) -> bool | None:
        """Handle the end of what the visitor sends."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Stop writing: the visitor receives too slowly."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Write again."""
        self._inner.resume_writing()

    def begin(self) -> None:
        """Record that the application got a request, so its head is complete."""
        self._requests += 1
        self._end_wait()

    def end(self) -> None:
        """Record that the application has answered a request."""
        self._requests -= 1

    def abort(self) -> None:
        """Close the connection now and discard unsent bytes."""
        self._wire.abort()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._limits.head, self._late)

    def _end_wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self._heard:  # else no answer: browsers open spare connections and send nothing
            detail = f"the head of the request did not arrive within {self._limits.head:g} s"
            self._wire.write(_bytes(_closing(Problem(408, "Too slow", detail))))
        self._wire.close()


def with_limits(app: ASGIApp, limits: Limits, visitors: MutableMapping[object, Connection]) -> ASGIApp:
    """Return the app as middleware that refuses surplus connections and takes what is left of a request's body.

    A socket that is closed with unread bytes discards the answer; so the last part of an answer waits until the
    request has arrived, for `limits.body` seconds at most. Failures of the app are logged.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        connection = visitors.get(address(scope["client"]))
        if connection is None:  # the visitor has left
            return
        arriving = True

        async def received() -> Message:
            nonlocal arriving
            message = await receive()
            arriving = message.get("more_body", False)
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False) and arriving:
                await send({**message, "more_body": True})
                message = {"type": "http.response.body"}
                try:
                    async with asyncio.timeout(limits.body):
                        while arriving:
                            await received()
                except TimeoutError:
                    connection.abort()
            await send(message)

        connection.begin()
        try:
            await (_refused(scope, connection, limits) or app)(scope, received, sent)
        except ClientDisconnect:
            pass
        except Exception as error:  # boundary
            logger.error(printable(f"{scope['method']} {scope['path']}: {type(error).__name__}: {error}"))
            raise Logged from error
        finally:
            connection.end()

    return answer


def address(peer: Any) -> object:
    """Return a visitor's host and port, as a key; None where the visitor has left."""
    return peer and tuple(peer[:2])


def printable(message: str) -> str:
    """Return `message` as one printable line: escaped, so no input of a visitor can move a cursor."""
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in message[:LONGEST]
    )
    return shown + ("..." if len(message) > LONGEST else "")


def _refused(scope: Scope, connection: Connection, limits: Limits) -> Response | None:
    """Return the answer that replaces the app's; None where the app may answer."""
    head = sum(
        len(name) + len(value) for name, value in [(scope["raw_path"], scope["query_string"]), *scope["headers"]]
    )
    if connection.surplus:
        detail = f"{limits.connections} connections are served at most"
        return _closing(Problem(429, "Too many connections", detail, {"retry-after": "5"}))
    if head > limits.head_bytes:  # uvicorn refuses only a head that is as long before its end has arrived
        return _closing(Problem(431, "Too long", "the head of the request is too long"))
    return None


def _closing(problem: Problem) -> Response:
    """Return the answer with this problem that is the last of its connection."""
    answer = problems.response(problem)
    answer.raw_headers = [*with_headers(answer.raw_headers), (b"connection", b"close")]
    return answer


def _bytes(answer: Response) -> bytes:
    headers = [(b"date", formatdate(usegmt=True).encode()), *answer.raw_headers]
    head = b"".join(b"%b: %b\r\n" % header for header in headers)
    reason = HTTPStatus(answer.status_code).phrase.encode()
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (answer.status_code, reason, head, bytes(answer.body))
