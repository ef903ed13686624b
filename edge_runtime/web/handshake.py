"""The TLS handshake of a connection, which asyncio's own servers leave out of every count and limit."""

import asyncio
import ssl
from collections.abc import Callable, Sized
from contextlib import suppress

from edge_runtime.web.protocol import Connection, Limits


class Handshake(asyncio.Protocol):
    """What comes before a connection over TLS; those that are `under_way` count as connections.

    The connection knows of the transport below TLS by it, and so of all that is yet to be sent.
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
        """Begin it, if there is room."""
        assert isinstance(transport, asyncio.Transport)
        limits = self._limits
        if len(self._under_way) + len(self._connections) >= limits.connections + limits.spare:
            transport.abort()
            return
        transport.pause_reading()  # what comes is for TLS
        task = asyncio.get_running_loop().create_task(self._begin(transport))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _begin(self, raw: asyncio.Transport) -> None:
        limits, connection = self._limits, self._make()
        with suppress(OSError):  # whoever fails at it has no answer to read
            transport = await asyncio.get_running_loop().start_tls(
                raw, connection, self._context, server_side=True,
                ssl_handshake_timeout=limits.head, ssl_shutdown_timeout=limits.linger,
            )  # fmt: skip
            if transport is not None and not connection.lost:
                connection.connection_made(transport, raw)
