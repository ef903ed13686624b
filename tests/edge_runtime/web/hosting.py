"""A server of its own thread around an ASGI application, and visitors that do as they like."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_runtime.cli.terminal import logged
from edge_runtime.web.protocol import Limits
from edge_runtime.web.server import LIMITS, STALL, Server, listen

TIMEOUT = 10.0  # seconds for what has to happen at once


@dataclass
class Hosted:
    """What a test sees of a server."""

    port: int
    stop: Callable[[], None]
    messages: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def visit(self, timeout: float = TIMEOUT) -> socket.socket:
        """Return a new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def ask(self, request: bytes) -> bytes:
        """Return all that is answered to these bytes until the connection is closed."""
        with self.visit() as visitor:
            return everything(visitor, request)

    def is_alive(self) -> bool:
        """Return whether it answers as it should."""
        return self.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@contextmanager
def hosting(
    app: ASGIApp, *, limits: Limits = LIMITS, certificate: tuple[Path, Path] | None = None, stall: float = STALL
) -> Iterator[Hosted]:
    """Serve meanwhile."""
    served = Server(app, certificate=certificate, limits=limits)
    listener = listen("127.0.0.1", 0, stall)
    hosted = Hosted(listener.getsockname()[1], served.stop)

    def run() -> None:
        mine = threading.current_thread()  # other servers of the tests log, too

        def take(message: str) -> None:
            if threading.current_thread() is mine:
                hosted.messages.append(message)

        try:
            with logged("edge_runtime.web", take):
                served.run(listener)
        finally:
            hosted.done.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield hosted
    finally:
        hosted.stop()
        thread.join(TIMEOUT)
    assert not thread.is_alive()


def everything(visitor: socket.socket, request: bytes = b"") -> bytes:
    """Send it, and return what comes until the other side closes; a reset counts as that."""
    taken = b""
    try:
        if request:
            visitor.sendall(request)
        while more := visitor.recv(65536):
            taken += more
    except (ConnectionResetError, BrokenPipeError):
        pass
    return taken


def answer(visitor: socket.socket, request: bytes = b"") -> HTTPResponse:
    """Send it, and return one answer, read to its end."""
    if request:  # even an empty sendall waits until the server takes more
        visitor.sendall(request)
    response = HTTPResponse(visitor)
    response.begin()
    response.body = response.read()  # type: ignore[attr-defined]
    return response


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer everything, at once, without a look at its body."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def lifespan(receive: Receive, send: Send) -> None:
    """Begin and end."""
    while True:
        message: Message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
