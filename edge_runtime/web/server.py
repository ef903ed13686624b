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
BACKLOG = 100  # connections that wait to be accepted
# The system's send buffer for each visitor, in bytes. The default may be megabytes: a slow viewer would see old frames,
# and the system accepts no more until a third is sent, which looks like a stalled viewer.
SEND_BUFFER = 131072


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at `host` and `port`, by IPv4 or IPv6; port 0 means any free port.

    Raises OptionError where that fails.
    """
    if not 0 <= port <= 65535:
        raise OptionError(f"there is no port {port}: name one up to 65535 with --port")
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(addresses, key=lambda each: each[0] != socket.AF_INET)
        listener = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:  # ValueError: not a valid host name
        raise OptionError(f"{host!r} is no address to listen at: name another one with --host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
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
            return f"port {port} of {host} is taken: name another one with --port"
        case errno.EACCES:
            return f"port {port} of {host} is not for everybody: name one from 1024 with --port"
        case errno.EADDRNOTAVAIL:
            return f"this machine does not have the address {host}: name another one with --host"
    return f"cannot listen at port {port} of {host}: {error.strerror}"


class Server(uvicorn.Server):
    """uvicorn's server, with `limits` on connections."""

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
        """End the server as SIGTERM does; any thread may call it, also repeatedly."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise RuntimeError("the web application did not start")
        make: Callable[[], asyncio.Protocol] = self._connection
        if self._context is not None:
            make = self._handshake
        loop = asyncio.get_running_loop()
        self.servers = [await loop.create_server(make, sock=self._listener, backlog=BACKLOG)]
        self.started = True
        # After an early signal, uvicorn skips main_loop(), and 0.30 the shutdown too; main_loop() restores the flag.
        self._stopped, self.should_exit = self.should_exit, False

    async def main_loop(self) -> None:
        """Serve until the server must end."""
        self.should_exit = self.should_exit or self._stopped
        self._started(self.stop)
        await super().main_loop()

    async def on_tick(self, counter: int) -> bool:
        """Check the connections, ten times a second, and return whether the server must end."""
        now = asyncio.get_running_loop().time()
        for connection in list(self._connections):
            connection.check(now)
        self._turned()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give answers in progress `limits.drain` seconds, and close the rest."""
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
    """Serve on a listening socket until stopped, in the main thread also by SIGINT or SIGTERM; then close it.

    Once the server accepts visitors, it calls `started` with a function that ends it as a signal does; any thread may
    call that function. In this thread, the server calls `turned` ten times a second while it serves, and `ending` when
    the shutdown begins: `ending` must end the endless answers. Other answers in progress get `limits.drain` seconds.
    Each failure of the app is logged in this thread as one printable line. With `certificate`, a certificate and its
    key, it serves over TLS. It passes a signal on to the previous handler. Raises OptionError where certificate and
    key cannot be used.
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
        context.load_cert_chain(certificate, key, password=lambda: b"")  # never prompt on the terminal
    except OSError as error:
        raise OptionError(f"{certificate} and {key} cannot be used for TLS: {error.strerror or error}") from error
    return context


class _Lines(logging.Handler):
    """Logs errors of uvicorn and asyncio through our logger, a line each, without tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        error: Any = record.exc_info and record.exc_info[1]
        if not isinstance(error, asyncio.CancelledError):  # an answer canceled at shutdown
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
