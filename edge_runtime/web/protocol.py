"""One visitor's connection: uvicorn's HTTP/1.1, with the limits that it lacks and answers that arrive."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_runtime.web.exchange import Exchange
from edge_runtime.web.line import Line
from edge_runtime.web.problems import Problem

logger = logging.getLogger(__name__)
LONGEST = 500  # characters of a line about a failure
STATE = "edge_digits.connection"  # by which a request's state names its connection


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one visitor may take; times in seconds."""

    connections: int = 128  # that are served at once
    spare: int = 32  # more that are let in, to be told so
    head: float = 10.0  # for a request's first lines and headers, and for a TLS handshake
    head_bytes: int = 16384
    body: float = 30.0  # for what is left of a request after its answer
    keep_alive: int = 15  # until the next request
    stall: float = 30.0  # that an answer may not move
    linger: float = 2.0  # of silence, until a connection is closed whose visitor had not ended
    drain: float = 3.0  # for what is being answered when the server ends


class Connection(asyncio.Protocol):
    """A connection around uvicorn's protocol, which `make` returns for it, and which gets one request at a time.

    It keeps to `limits`, and is one of `connections` while it lasts; each failure of the app is logged.
    """

    def __init__(
        self,
        make: Callable[["Connection"], asyncio.Protocol],
        limits: Limits,
        connections: set["Connection"],
    ) -> None:
        self._protocol = make(self)
        self._limits, self._connections = limits, connections
        self._clock = asyncio.get_running_loop().time
        self.surplus = False  # one more than are served
        self.made = self.lost = False
        self._line: Line
        self._exchange = Exchange(limits.head_bytes)
        self._waiting = b""  # what has come, and uvicorn does not have yet
        self._leaving = False
        self._heard = self._moved = self._since = self._clock()
        self._gone = 0
        self._phase: tuple[object, ...] = ()

    def connection_made(self, transport: asyncio.Transport, raw: asyncio.Transport | None = None) -> None:  # type: ignore[override]
        """Take a connection; `raw` is the transport below it where it is one over TLS."""
        self._line = Line(transport, raw or transport, lambda: self._exchange.arriving)
        self._protocol.connection_made(self._line)  # type: ignore[arg-type]
        self.made = True
        self._connections.add(self)
        self.surplus = sum(not other.surplus for other in self._connections) > self._limits.connections
        if len(self._connections) > self._limits.connections + self._limits.spare:
            self._line.abort()
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.lost = True
        self._connections.discard(self)
        if self.made:  # else the handshake was all there was
            self._leave(exc)

    def data_received(self, data: bytes) -> None:
        """Take what a visitor sent."""
        self._heard = self._clock()
        self._waiting += data
        if self.made:  # else it came with the last of the handshake
            self._go_on()

    def eof_received(self) -> bool | None:
        """Take it that a visitor has ended."""
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        """Let the app wait until a visitor has taken more."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Let the app go on."""
        self._protocol.resume_writing()

    def refuse(self, problem: Problem) -> None:
        """Answer in place of the app, where the answer has not begun yet, and close."""
        self._line.write(self._exchange.refusal(problem))
        self._line.close()
        self._leave(None)

    def abort(self) -> None:
        """Close it now, whatever has not gone out yet."""
        self._line.abort()

    def shutdown(self) -> None:
        """Close it now where nothing but the visitor's end is waited for; uvicorn closes the others."""
        if self._line.is_closing() and not self._line.left:
            self._line.abort()

    def check(self, now: float) -> None:
        """End what takes longer than it may; called several times a second."""
        line, limits, exchange = self._line, self._limits, self._exchange
        if not line.left or line.gone > self._gone:
            self._gone, self._moved = line.gone, now
        # What the visitor has begun, must go on with, and nobody else waits for.
        owes_head = exchange.arriving and not exchange.request
        owes_body = exchange.arriving and exchange.answered
        phase = (line.lingering, owes_head, owes_body, exchange)
        if phase != self._phase:
            self._phase, self._since = phase, now
        waited = now - self._since
        if now - self._moved > limits.stall:
            line.abort()
        elif line.lingering:
            if now - self._heard > limits.linger or waited > limits.body:
                line.abort()
        elif line.is_closing():
            return
        elif owes_body:
            if waited > limits.body:
                line.abort()
        elif owes_head:
            if waited > limits.head:
                self.refuse(Problem(408, "Too slow", f"the request's head did not arrive within {limits.head:g} s"))
        elif not exchange.request and waited > limits.head:
            line.close()  # in silence: browsers open connections that they may need, and send nothing

    async def answer(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer; a failure of it is told in a line, and answered."""
        exchange = self._exchange

        async def sent(message: Message) -> None:
            await send(message)
            exchange.begun = True
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                exchange.answered = True
                self._go_on()

        # uvicorn before 0.31 claims 2.4, where send() has to raise for a visitor who has left: there it does not.
        scope["asgi"] = {**scope["asgi"], "spec_version": "2.3"}
        try:
            await app(scope, receive, sent)
            if not exchange.answered and not self._line.is_closing():
                raise RuntimeError("it ended before its answer did")
        except ClientDisconnect:
            pass
        except Exception as error:  # boundary
            logger.error(printable(f"{scope['method']} {scope['path']}: {type(error).__name__}: {error}"))
            if not exchange.answered:
                self.refuse(Problem(500, "Failed", "the server failed at this"))

    def _go_on(self) -> None:
        """Let uvicorn have what has come of a request, and of the next one when this one is answered."""
        while self._waiting and not self._line.is_closing():
            if self._exchange.arrived:
                if not self._exchange.answered:
                    self._line.pause_reading()
                    return
                self._exchange = Exchange(self._limits.head_bytes)
                self._line.resume_reading()
            try:
                size = self._exchange.take(self._waiting)
                if self.surplus and self._exchange.request:
                    detail = f"{self._limits.connections} connections are served at once"
                    raise Problem(429, "Too many connections", detail, {"retry-after": "5"})
            except Problem as problem:
                self.refuse(problem)
                break
            data, self._waiting = self._waiting[:size], self._waiting[size:]
            if data:
                self._protocol.data_received(data)
        self._waiting = b""  # where it is closing, nobody wants it

    def _leave(self, exc: Exception | None) -> None:
        """Let uvicorn know that the connection is lost, and so the app that nobody listens."""
        if not self._leaving:
            self._leaving = True
            self._protocol.connection_lost(exc)


def with_connection(app: ASGIApp) -> ASGIApp:
    """Return the app as uvicorn calls it: each request is answered by way of its connection."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        connection: Connection = scope["state"].pop(STATE)
        await connection.answer(app, scope, receive, send)

    return answer


def printable(message: str) -> str:
    """Return it as a line in which nothing that a visitor sent can move a cursor."""
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in message[:LONGEST]
    )
    return shown + ("..." if len(message) > LONGEST else "")
