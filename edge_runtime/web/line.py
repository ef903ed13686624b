"""The transport of a connection, as uvicorn sees it."""

import asyncio
from collections.abc import Callable
from typing import Any


class Line:
    """A transport as uvicorn sees it, which counts the bytes sent.

    Closing a socket with unread bytes discards the bytes sent last. Where part of the request is still to come, close()
    only ends the answer, and Connection.check() closes the socket later.
    """

    def __init__(self, transport: asyncio.Transport, raw: asyncio.Transport, is_owed: Callable[[], bool]) -> None:
        self._transport = transport
        self._raw = raw  # the transport below TLS, or the same one without TLS
        self._is_owed = is_owed
        self._written = 0
        self.lingering = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    @property
    def left(self) -> int:
        """How many bytes are still unsent."""
        below = 0 if self._raw is self._transport else self._raw.get_write_buffer_size()
        return self._transport.get_write_buffer_size() + below

    @property
    def gone(self) -> int:
        """How many bytes were sent; approximate under TLS."""
        return self._written - self.left

    def write(self, data: bytes) -> None:
        """Send `data` as soon as the client accepts it."""
        if not self.is_closing():
            self._written += len(data)
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Return whether nothing can be sent any more."""
        return self.lingering or self._transport.is_closing()

    def close(self) -> None:
        """Close the transport once everything is sent, or later where part of the request is still to come."""
        if self.is_closing():
            return
        if not self._is_owed():
            self._transport.close()
            return
        self.lingering = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
