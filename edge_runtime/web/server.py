"""uvicorn around the web application: from a listening socket to the end of the last answer."""

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from edge_runtime.errors import OptionError
from edge_runtime.web.protocol import Connection, Limits, Logged, printable, with_limits

logger = logging.getLogger(__name__)
LIMITS = Limits()
BACKLOG = 100  # connections that wait to be accepted
# The system's send buffer for each visitor, in bytes. The default may be megabytes: a slow viewer would see old frames,
# and the system accepts no more until a third is sent, which looks like a stalled viewer.
SEND_BUFFER = 131072
STALL = 30.0  # seconds that a visitor may take nothing of an answer; the system then ends the connection, on Linux
# Turns of the event loop at the end, in which asyncio hands over what it has just accepted, and closes what is aborted.
ENDING = 5
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; all of these are in TLS 1.3


def listen(host: str, port: int, stall: float = STALL) -> socket.socket:
    """Return a socket that listens at `host` and `port`, by IPv4 or IPv6; port 0 means any free port.

    On Linux, the system ends a connection whose visitor takes nothing for `stall` seconds. Raises OptionError where
    it cannot listen.
    """
    if not 0 <= port <= 65535:
        raise OptionError(f"{port} is not a port: choose one from 0 to 65535 with --port")
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(addresses, key=lambda each: each[0] != socket.AF_INET)
        listener = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:  # ValueError: not a valid host name
        raise OptionError(f"{host!r} is not an address to listen on: choose another one with --host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if sys.platform == "linux":
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000 * stall))
        if family == socket.AF_INET6 and host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # accept IPv4 as well
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OptionError(_why_not(host, port, error)) from error
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is in use: choose another one with --port"
        case errno.EACCES:
            return f"port {port} of {host} needs administrator rights: choose one from 1024 with --port"
        case errno.EADDRNOTAVAIL:
            return f"this machine does not have the address {host}: choose another one with --host"
    return f"cannot listen on port {port} of {host}: {error.strerror}"


class Loop(asyncio.SelectorEventLoop):
    """asyncio's event loop, whose servers limit connections, which uvicorn has no settings for.

    `limits.head` is also the timeout of a TLS handshake and of a TLS shutdown.
    """

    def __init__(self, limits: Limits, visitors: MutableMapping[object, Connection]) -> None:
        super().__init__()
        self._limits, self._visitors = limits, visitors
        self.servers: list[asyncio.Server] = []

    async def create_server(self, protocol_factory: Any, *args: Any, ssl: Any = None, **options: Any) -> asyncio.Server:
        """Return a server whose connections are each a `Connection` around what `protocol_factory` makes."""
        if ssl is not None:
            options |= {"ssl_handshake_timeout": self._limits.head, "ssl_shutdown_timeout": self._limits.head}

        def limited() -> Connection:
            return Connection(protocol_factory(), self._limits, self._visitors)

        self.servers.append(await super().create_server(limited, *args, ssl=ssl, **options))
        return self.servers[-1]


class Server:
    """uvicorn's server of an app, with `limits` on connections; over TLS with `certificate`, a certificate and its key.

    Raises OptionError where these two cannot be used.
    """

    def __init__(self, app: ASGIApp, *, certificate: tuple[Path, Path] | None = None, limits: Limits = LIMITS) -> None:
        self._limits, self._visitors = limits, dict[object, Connection]()
        # A password, so that nothing asks for one on the terminal.
        tls = {} if certificate is None else {"ssl_certfile": certificate[0], "ssl_keyfile": certificate[1],
                                              "ssl_keyfile_password": "none", "ssl_ciphers": CIPHERS}  # fmt: skip
        config = uvicorn.Config(
            with_limits(app, limits, self._visitors),
            http="h11", loop="asyncio", ws="none", lifespan="on", proxy_headers=False, backlog=BACKLOG,
            log_config=None, access_log=False, server_header=False,
            timeout_keep_alive=limits.keep_alive, timeout_graceful_shutdown=limits.drain,
            h11_max_incomplete_event_size=limits.head_bytes, **tls,  # type: ignore[arg-type]
        )  # fmt: skip
        try:
            config.load()
        except OSError as error:
            files = " and ".join(map(str, certificate or ()))
            raise OptionError(f"{files} cannot be used for TLS: {error.strerror or error}") from error
        self._server = uvicorn.Server(config)

    @property
    def started(self) -> bool:
        """Whether it answers; until then, older versions of uvicorn that are stopped cancel the app and log that."""
        return self._server.started

    def stop(self) -> None:
        """End the server as SIGTERM does; any thread may call it, also repeatedly."""
        self._server.should_exit = True

    def run(self, listener: socket.socket) -> None:
        """Serve on a listening socket until stopped, in the main thread also by SIGINT or SIGTERM; then close it.

        Answers in progress then get `limits.drain` seconds. Each failure of the app is logged in this thread as one
        printable line. It passes a signal on to the previous handler.
        """
        loop = Loop(self._limits, self._visitors)
        with listener, _logged(), asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._serve(listener, loop))

    async def _serve(self, listener: socket.socket, loop: Loop) -> None:
        try:
            await self._server.serve([listener])
        finally:  # it may raise what a handler of the signal raises
            for server in loop.servers:  # a signal during uvicorn's start leaves them open
                server.close()
            for _ in range(ENDING):
                for visitor in list(self._visitors.values()):  # who do not take the rest of their answer, or just came
                    visitor.abort()
                await asyncio.sleep(0)


class _Lines(logging.Handler):
    """Logs errors of uvicorn and asyncio through our logger, a line each, without tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        error: Any = record.exc_info and record.exc_info[1]
        if not isinstance(error, Logged | asyncio.CancelledError):  # the latter: an answer canceled at shutdown
            what = record.getMessage().strip().partition("\n")[0]
            logger.error(printable(f"web server: {what}" + (f": {type(error).__name__}: {error}" if error else "")))


@contextmanager
def _logged() -> Iterator[None]:
    """Log errors of uvicorn and asyncio within the context; without a handler, logging prints tracebacks."""
    handler = _Lines(logging.ERROR)
    loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio")]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagate
