"""How the program ends: in order on SIGTERM, and without waiting for threads that hang."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def sigterm_is_an_end(wanted: bool, codes: set[int]) -> Iterator[None]:
    """Make SIGTERM end the block in order, as service managers expect, with the highest exit code so far, else 0.

    A second one does not disturb that. Afterwards, SIGTERM does what it did before.
    """

    def end(number: int, stack: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the program is ending already
        raise SystemExit(max(codes, default=0))

    before = signal.signal(signal.SIGTERM, end) if wanted else None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def kept(number: int, meanwhile: signal.Handlers | None = None) -> Iterator[None]:
    """Restore what a signal does after the block; in it, the signal does `meanwhile`. Only in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(number)
    if meanwhile is not None:
        signal.signal(number, meanwhile)
    try:
        yield
    finally:
        signal.signal(number, before)


def leave_threads_behind() -> None:
    """Exit at once if a thread still waits for a camera's driver, or reads a visitor's upload.

    Python's own exit would abort inside the driver, and wait for the picture. Applies only to SystemExit: other
    exceptions have a traceback to show.
    """
    leaving = sys.exc_info()[1]
    if not isinstance(leaving, SystemExit):
        return
    if any(thread.name.startswith(("capture ", "read_")) for thread in threading.enumerate()):
        with suppress(OSError, ValueError, AttributeError):  # standard output may be closed
            sys.stdout.flush()
        os._exit(leaving.code if isinstance(leaving.code, int) else 0)


def name_of(number: int) -> str:
    """Return the name of a signal, such as SIGKILL; "signal N" if it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
