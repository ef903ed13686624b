"""The transport of a connection, as uvicorn sees it."""

import asyncio
from collections.abc import Callable
from typing import Any


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
