"""Counts the pages of inputs in a process beside, so that a bar can show the time that is left."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection


@contextmanager
def counting(names: Sequence[str], column: str) -> Iterator[Callable[[], int | None]]:
    """Count the pages of inputs meanwhile; yield a function that returns their number, or None before it is known.

    In a process of its own, since PDFium is not safe in two threads at once.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_count, args=(theirs, tuple(names), column), daemon=True)
    process.start()
    theirs.close()
    total: list[int] = []

    def known() -> int | None:
        if not total and not ours.closed and ours.poll():
            try:
                total.append(ours.recv())
            except EOFError:  # the process has died: the number stays unknown
                ours.close()
        return total[0] if total else None

    try:
        yield known
    finally:
        process.terminate()
        process.join()
        ours.close()


def _count(connection: Connection, names: Sequence[str], column: str) -> None:
    import os
    import signal

    from edge_runtime.batch import inputs, pages
    from edge_runtime.errors import EdgeError

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)  # reading comes first
    try:
        connection.send(sum(1 for _ in pages.entries([inputs.resolved(name) for name in names], column)))
    except (EdgeError, OSError):  # the run itself reports it, or has ended
        return
