"""uvicorn around the web application: from a listening socket to the end of the last answer."""

import asyncio
import errno
import logging
import math
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from edge_runtime.errors import OptionError
from edge_runtime.web.handshake import Handshake
from edge_runtime.web.protocol import STATE, Connection, Limits, printable, with_connection

logger = logging.getLogger(__name__)
LIMITS = Limits()
BACKLOG = 100  # connections that wait to be taken
# Bytes that the system keeps for each visitor. As it comes, that may be megabytes: a slow viewer would see old frames,
# and the system takes no more before a third has gone out, which looks like a viewer who is stuck.
SEND_BUFFER = 131072


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there, by IPv4 or IPv6; port 0 is one that is free.

    Raises OptionError where that cannot be.
    """
    if not 0 <= port <= 65535:
        raise OptionError(f"there is no port {port}: name one up to 65535 with --port")
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(addresses, key=lambda each: each[0] != socket.AF_INET)
        listener = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:  # ValueError: it cannot even be asked for
        raise OptionError(f"{host!r} is no address to listen at: name another one with --host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if family == socket.AF_INET6 and host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # IPv4 as well
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OptionError(_why_not(host, port, error)) from error
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is taken: name another one with --port"
        case errno.EACCES:
            return f"port {port} of {host} is not for everybody: name one from 1024 with --port"
        case errno.EADDRNOTAVAIL:
            return f"this machine does not have the address {host}: name another one with --host"
    return f"cannot listen at port {port} of {host}: {error.strerror}"


class Server(uvicorn.Server):
    """uvicorn's server, with connections that keep to `limits`."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        context: ssl.SSLContext | None,
        limits: Limits,
        ending: Callable[[], None],
        started: Callable[[Callable[[], None]], None],
        turned: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._listener, self._context, self._limits = listener, context, limits
        self._ending, self._started, self._turned = ending, started, turned
        self._connections: set[Connection] = set()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._stopped = False

    def stop(self) -> None:
        """End it as SIGTERM does; any thread may call it, again, too."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise RuntimeError("the web application did not start")
        make: Callable[[], asyncio.Protocol] = self._connection
        if self._context is not None:
            make = self._handshake
        loop = asyncio.get_running_loop()
        self.servers = [await loop.create_server(make, sock=self._listener, backlog=BACKLOG)]
        self.started = True
        # uvicorn leaves out main_loop() where a signal has come by now, and 0.30 the end, too: main_loop() looks at it.
        self._stopped, self.should_exit = self.should_exit, False

    async def main_loop(self) -> None:
        """Answer until it is time to end."""
        self.should_exit = self.should_exit or self._stopped
        self._started(self.stop)
        await super().main_loop()

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections, ten times a second, and say whether it is time to end."""
        now = asyncio.get_running_loop().time()
        for connection in list(self._connections):
            connection.check(now)
        self._turned()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let what is being answered be answered, for `limits.drain` seconds, and close the rest."""
        for task in self._handshakes:
            task.cancel()
        self._ending()
        for connection in list(self._connections):
            connection.shutdown()
        loop = asyncio.get_running_loop()
        late = loop.call_later(self._limits.drain, self._abort)
        await super().shutdown(sockets)
        while self._connections and not self.force_exit and loop.time() < late.when():
            await asyncio.sleep(0.01)
        late.cancel()
        self._abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                while self._connections:
                    await asyncio.sleep(0.01)

    def _abort(self) -> None:
        for connection in list(self._connections):
            connection.abort()

    def _connection(self) -> Connection:
        return Connection(self._protocol, self._limits, self._connections)

    def _protocol(self, connection: Connection) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state={**self.lifespan.state, STATE: connection}
        )

    def _handshake(self) -> Handshake:
        assert self._context is not None
        return Handshake(self._connection, self._context, self._limits, self._handshakes, self._connections)


def run(
    app: ASGIApp,
    listener: socket.socket,
    *,
    certificate: tuple[Path, Path] | None = None,
    ending: Callable[[], None],
    started: Callable[[Callable[[], None]], None] = lambda stop: None,
    turned: Callable[[], None] = lambda: None,
    limits: Limits = LIMITS,
) -> None:
    """Serve on a listening socket, until SIGINT or SIGTERM where this is the main thread; it is closed then.

    `started` gets the function that ends it as a signal does, when the first visitor may come; any thread may call
    that. `turned` is called ten times a second while it answers, and `ending` when the end begins, both in this thread:
    endless answers must end by the latter. What is being answered then has `limits.drain` seconds. Each failure of
    the app is logged as one printable line, also in this thread. With the `certificate` and its key it is served over
    TLS. A signal goes on to whoever handled it before. Raises OptionError where these two cannot be used.
    """
    context = None if certificate is None else _context(*certificate)

    config = uvicorn.Config(
        with_connection(app),
        loop="asyncio", http="h11", ws="none", lifespan="on", workers=1, proxy_headers=False,
        log_config=None, access_log=False, server_header=False, date_header=True,
        timeout_keep_alive=limits.keep_alive, timeout_graceful_shutdown=math.ceil(limits.drain),
        h11_max_incomplete_event_size=limits.head_bytes,
    )  # fmt: skip
    server = Server(config, listener, context, limits, ending, started, turned)
    with listener, _logged():
        asyncio.run(server.serve())


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")  # rather than to ask on the terminal
    except OSError as error:
        raise OptionError(f"{certificate} and {key} cannot be used for TLS: {error.strerror or error}") from error
    return context


class _Lines(logging.Handler):
    """Logs errors of uvicorn and asyncio as ours, a line each, without their tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        error: Any = record.exc_info and record.exc_info[1]
        if not isinstance(error, asyncio.CancelledError):  # an answer that had to end with the server
            what = record.getMessage().strip().partition("\n")[0]
            logger.error(printable(f"web server: {what}" + (f": {type(error).__name__}: {error}" if error else "")))


@contextmanager
def _logged() -> Iterator[None]:
    """Log what uvicorn and asyncio log meanwhile; without a handler, logging prints their tracebacks."""
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
