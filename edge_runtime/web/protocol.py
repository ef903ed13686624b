"""One visitor's connection: uvicorn's HTTP/1.1, with the limits that it lacks and answers that arrive."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import h11
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from edge_runtime.web import problems
from edge_runtime.web.guard import with_headers
from edge_runtime.web.problems import Problem

SLICE = 4096  # bytes of a head that are looked at before the next ones


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


class Line:
    """A transport as uvicorn sees it, that counts what has gone out.

    To close a socket that holds unread bytes throws away what was sent last: where the visitor still owes something,
    close() ends the answer only, and the rest is up to Connection.check().
    """

    def __init__(self, transport: asyncio.Transport, raw: asyncio.Transport, is_owed: Callable[[], bool]) -> None:
        self._transport = transport
        self._raw = raw  # under TLS the one below, else the same
        self._is_owed = is_owed
        self._written = 0
        self.lingering = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    @property
    def left(self) -> int:
        """How many bytes have not gone out yet."""
        below = 0 if self._raw is self._transport else self._raw.get_write_buffer_size()
        return self._transport.get_write_buffer_size() + below

    @property
    def gone(self) -> int:
        """How many bytes have gone out; under TLS nearly so."""
        return self._written - self.left

    def write(self, data: bytes) -> None:
        """Send it, as soon as the visitor takes it."""
        if not self.is_closing():
            self._written += len(data)
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Return whether nothing can be sent any more."""
        return self.lingering or self._transport.is_closing()

    def close(self) -> None:
        """Close it when everything has gone out, and where something is still to come, some time after that."""
        if self.is_closing():
            return
        if not self._is_owed():
            self._transport.close()
            return
        self.lingering = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()


class Connection(H11Protocol):
    """uvicorn's protocol, kept to `limits`; `tell` gets a line for each failure of the app."""

    def __init__(self, *, limits: Limits, tell: Callable[[str], None], **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self.limits = limits
        self.served, self.app = self.app, self._answer
        self.surplus = False  # one more than are served
        self.made = self.lost = False
        self._line: Line
        self._tell = tell
        self._early = b""
        self._heard = self._moved = self._since = self.loop.time()
        self._gone = 0
        self._phase: tuple[object, ...] = ()

    def connection_made(self, transport: asyncio.Transport, raw: asyncio.Transport | None = None) -> None:  # type: ignore[override]
        """Take a connection; `raw` is the transport below it where it is one over TLS."""
        self._line = Line(transport, raw or transport, lambda: self._owed() is not None)
        super().connection_made(self._line)  # type: ignore[arg-type]
        self.made = True
        served = sum(not (isinstance(other, Connection) and other.surplus) for other in self.connections)
        self.surplus = served > self.limits.connections
        if len(self.connections) > self.limits.connections + self.limits.spare:
            self._line.abort()
        early, self._early = self._early, b""
        self.data_received(early)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.lost = True
        if self.made:  # else the handshake was all there was
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what a visitor sent, of a head no more at a time than it may have left."""
        self._heard = self.loop.time()
        if not self.made:  # it came with the last of the handshake
            self._early += data
            return
        while data and not self._line.is_closing():
            size = SLICE if self.conn.their_state is h11.IDLE else len(data)
            super().data_received(data[:size])
            data = data[size:]

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP; uvicorn calls it where it has caught h11's error."""
        if getattr(sys.exception(), "error_status_hint", 400) == 431:
            self.refuse(Problem(431, "Too long", "the request has too long a head"))
        else:
            self.refuse(Problem(400, "Bad request", "this is not HTTP/1.1"))

    def refuse(self, problem: Problem) -> None:
        """Answer in place of the app, where the answer has not begun yet, and close."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.flow.resume_writing()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = problems.response(problem)
            headers = [*self.server_state.default_headers, *with_headers(answer.raw_headers), (b"connection", b"close")]
            reason = STATUS_PHRASES[problem.status]
            events: list[h11.Event] = [h11.Response(status_code=problem.status, headers=headers, reason=reason)]
            if self.conn.our_state is h11.IDLE or self.scope["method"] != "HEAD":
                events.append(h11.Data(data=bytes(answer.body)))
            for event in (*events, h11.EndOfMessage()):
                self._line.write(self.conn.send(event) or b"")
        self._line.close()

    def shutdown(self) -> None:
        """Close it now, or after the answer that is under way."""
        if not self._line.is_closing():
            super().shutdown()
        elif not self._line.left:
            self._line.abort()

    def check(self, now: float) -> None:
        """End what takes longer than it may; called several times a second."""
        line, limits = self._line, self.limits
        if not line.left or line.gone > self._gone:
            self._gone, self._moved = line.gone, now
        owed = self._owed()
        phase = (line.lingering, owed, self.cycle)
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
        elif owed == "body":
            if waited > limits.body:
                line.abort()
        elif owed == "head":
            if waited > limits.head:
                self.refuse(Problem(408, "Too slow", f"the request's head did not arrive within {limits.head:g} s"))
        elif not self.cycle and waited > limits.head:
            line.close()  # in silence: browsers open connections that they may need, and send nothing

    def _owed(self) -> str | None:
        """Return what a visitor has begun, must go on with, and nobody else waits for; None where there is nothing."""
        theirs = self.conn.their_state
        if theirs is h11.IDLE:
            return "head" if self.conn.trailing_data[0] else None
        answered = not self.cycle or self.cycle.response_complete or self.cycle.disconnected
        return "body" if answered and theirs in (h11.SEND_BODY, h11.ERROR) else None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer; a failure of it is told in a line, and answered."""
        cycle = self.cycle
        if self.surplus:
            detail = f"{self.limits.connections} connections are served at once"
            self.refuse(Problem(429, "Too many connections", detail, {"retry-after": "5"}))
            return
        # uvicorn before 0.31 claims 2.4, where send() has to raise for a visitor who has left: there it does not.
        scope["asgi"] = {**scope["asgi"], "spec_version": "2.3"}
        try:
            await self.served(scope, receive, send)
        except ClientDisconnect:
            pass
        except Exception as error:  # boundary
            self._tell(f"error: {scope['method']} {scope['path']}: {type(error).__name__}: {error}")
            if not cycle.response_complete:
                self.refuse(Problem(500, "Failed", "the server failed at this"))
