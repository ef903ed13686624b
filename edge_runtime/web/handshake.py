"""The TLS handshake of a connection; asyncio's own servers neither count nor limit handshakes."""

import asyncio
import ssl
from collections.abc import Callable, Sized
from contextlib import suppress

from edge_runtime.web.protocol import Connection, Limits


class Handshake(asyncio.Protocol):
    """The TLS handshake before a connection; handshakes `under_way` count as connections.

    It gives the connection the transport below TLS, so the connection can count all unsent bytes.
    """

    def __init__(
        self,
        make: Callable[[], Connection],
        context: ssl.SSLContext,
        limits: Limits,
        under_way: set[asyncio.Task[None]],
        connections: Sized,
    ) -> None:
        self._make, self._context, self._limits = make, context, limits
        self._under_way, self._connections = under_way, connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, or abort where there are too many connections."""
        assert isinstance(transport, asyncio.Transport)
        limits = self._limits
        if len(self._under_way) + len(self._connections) >= limits.connections + limits.spare:
            transport.abort()
            return
        transport.pause_reading()  # TLS reads what arrives
        task = asyncio.get_running_loop().create_task(self._begin(transport))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _begin(self, raw: asyncio.Transport) -> None:
        limits, connection = self._limits, self._make()
        with suppress(OSError):  # without a handshake, no answer can be sent
            transport = await asyncio.get_running_loop().start_tls(
                raw, connection, self._context, server_side=True,
                ssl_handshake_timeout=limits.head, ssl_shutdown_timeout=limits.linger,
            )  # fmt: skip
            if transport is not None and not connection.lost:
                connection.connection_made(transport, raw)
