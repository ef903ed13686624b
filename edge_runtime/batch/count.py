"""Counts the pages of inputs in a process beside, so that a bar can show the time that is left."""

import multiprocessing
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

from edge_runtime.system.closing import Closing


class Count(Closing):
    """The number of pages of inputs, which a process counts meanwhile; `pages` is None before it is known.

    A process of its own, since PDFium is not safe in two threads at once.
    """

    def __init__(self, names: Sequence[str], column: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_count, args=(theirs, tuple(names), column), daemon=True)
        self._process.start()
        theirs.close()
        self.pages: int | None = None

    def update(self, seconds: float = 0.0) -> None:
        """Wait this long for the number, and keep it if it is known."""
        if self._connection.closed or not self._connection.poll(seconds):
            return
        with suppress(EOFError):  # the process has died: the number stays unknown
            self.pages = self._connection.recv()
        self._connection.close()

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()
        self._connection.close()


def _count(connection: Connection, names: Sequence[str], column: str) -> None:
    import os
    import signal

    from edge_runtime.batch import inputs, pages
    from edge_runtime.errors import EdgeError

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this process
    os.nice(10)  # reading comes first
    try:
        connection.send(sum(1 for _ in pages.entries([inputs.resolved(name) for name in names], column)))
    except (EdgeError, OSError):  # the run itself reports it, or has ended
        return
