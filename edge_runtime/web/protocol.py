"""One visitor's connection: uvicorn's HTTP/1.1, with added limits and complete delivery of answers."""

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
LONGEST = 500  # characters of a logged failure
STATE = "edge_digits.connection"  # key of the connection in a request's state


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on connections; times in seconds."""

    connections: int = 128  # served at once
    spare: int = 32  # accepted beyond these, to answer 429
    head: float = 10.0  # for a request's first lines and headers, and for a TLS handshake
    head_bytes: int = 16384
    body: float = 30.0  # for the rest of a request after its answer
    keep_alive: int = 15  # until the next request
    stall: float = 30.0  # an answer may stop moving
    linger: float = 2.0  # of silence before closing a connection that the visitor has not ended
    drain: float = 3.0  # for answers in progress when the server ends


class Connection(asyncio.Protocol):
    """A connection around uvicorn's protocol, which `make` returns and which gets one request at a time.

    It enforces `limits`, is in `connections` while it is open, and logs each failure of the app.
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
        self.surplus = False  # beyond `limits.connections`
        self.made = self.lost = False
        self._line: Line
        self._exchange = Exchange(limits.head_bytes)
        self._waiting = b""  # received, not yet passed to uvicorn
        self._leaving = False
        self._heard = self._moved = self._since = self._clock()
        self._gone = 0
        self._phase: tuple[object, ...] = ()

    def connection_made(self, transport: asyncio.Transport, raw: asyncio.Transport | None = None) -> None:  # type: ignore[override]
        """Open the connection; over TLS, `raw` is the transport below TLS."""
        self._line = Line(transport, raw or transport, lambda: self._exchange.arriving)
        self._protocol.connection_made(self._line)  # type: ignore[arg-type]
        self.made = True
        self._connections.add(self)
        self.surplus = sum(not other.surplus for other in self._connections) > self._limits.connections
        if len(self._connections) > self._limits.connections + self._limits.spare:
            self._line.abort()
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection."""
        self.lost = True
        self._connections.discard(self)
        if self.made:  # else the TLS handshake failed
            self._leave(exc)

    def data_received(self, data: bytes) -> None:
        """Handle received bytes."""
        self._heard = self._clock()
        self._waiting += data
        if self.made:  # else the bytes came with the end of the handshake
            self._go_on()

    def eof_received(self) -> bool | None:
        """Handle the end of the visitor's side."""
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        """Make the app wait until the visitor has received more."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Let the app continue."""
        self._protocol.resume_writing()

    def refuse(self, problem: Problem) -> None:
        """Send a problem in place of the app's answer, unless that has begun, and close."""
        self._line.write(self._exchange.refusal(problem))
        self._line.close()
        self._leave(None)

    def abort(self) -> None:
        """Close the connection now and discard unsent bytes."""
        self._line.abort()

    def shutdown(self) -> None:
        """Close the connection now if it only waits for the visitor to end; uvicorn closes the others."""
        if self._line.is_closing() and not self._line.left:
            self._line.abort()

    def check(self, now: float) -> None:
        """Close the connection or refuse the request at a timeout; called several times a second."""
        line, limits, exchange = self._line, self._limits, self._exchange
        if not line.left or line.gone > self._gone:
            self._gone, self._moved = line.gone, now
        # The part of a request that the visitor has begun and must still send, and that the app does not wait for.
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
            line.close()  # no answer: browsers open spare connections and send nothing

    async def answer(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app; log its failure in one line, and answer with a 500."""
        exchange = self._exchange

        async def sent(message: Message) -> None:
            await send(message)
            exchange.begun = True
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                exchange.answered = True
                self._go_on()

        # uvicorn before 0.31 claims spec 2.4, which requires send() to raise after the visitor has left; it does not.
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
        """Pass received bytes of a request to uvicorn, and those of the next request after the answer."""
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
        self._waiting = b""  # a closing connection discards it

    def _leave(self, exc: Exception | None) -> None:
        """Report the lost connection to uvicorn, and so to the app."""
        if not self._leaving:
            self._leaving = True
            self._protocol.connection_lost(exc)


def with_connection(app: ASGIApp) -> ASGIApp:
    """Return the app as uvicorn calls it: each request goes through its connection."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        connection: Connection = scope["state"].pop(STATE)
        await connection.answer(app, scope, receive, send)

    return answer


def printable(message: str) -> str:
    """Return `message` as one printable line: escaped, so no input of a visitor can move a cursor."""
    shown = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in message[:LONGEST]
    )
    return shown + ("..." if len(message) > LONGEST else "")
