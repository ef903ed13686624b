"""How the program ends: by SIGTERM in order, and without waiting for what does not end by itself."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def sigterm_is_an_end(wanted: bool, codes: set[int]) -> Iterator[None]:
    """Let SIGTERM end what is read meanwhile, in order and with exit code 0, as those expect who stop a service."""

    def end(number: int, stack: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending
        raise SystemExit(max(codes, default=0))

    before = signal.signal(signal.SIGTERM, end) if wanted else None
    try:
        yield
    finally:
        if before is not None and signal.getsignal(signal.SIGTERM) is end:
            signal.signal(signal.SIGTERM, before)


def leave_threads_behind() -> None:
    """Exit at once where a thread still waits for a camera's driver, or reads what a visitor sent.

    Python's own end would abort in the driver's midst, and wait for the picture. Only where it is exiting: what else is
    raised has a traceback to show.
    """
    leaving = sys.exc_info()[1]
    if not isinstance(leaving, SystemExit):
        return
    if any(thread.name.startswith(("capture ", "read_")) for thread in threading.enumerate()):
        with suppress(OSError, ValueError, AttributeError):  # standard output may be closed
            sys.stdout.flush()
        os._exit(leaving.code if isinstance(leaving.code, int) else 0)
