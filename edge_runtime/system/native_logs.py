"""C++ libraries write to file descriptor 2 and bypass Python's logging and warnings."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Two threads at once would each restore the redirection of the other. Reentrant: blocks of one thread may be nested.
_TURN = threading.RLock()


@contextmanager
def stderr_silenced() -> Iterator[None]:
    """Discard what C++ libraries write to file descriptor 2 during the block.

    For calls that raise an exception on failure, so that nothing of value is lost.
    """
    with _TURN:
        try:
            saved = os.dup(2)
        except OSError:  # a service may run with standard error closed
            yield
            return
        try:
            with open(os.devnull, "wb") as null:
                os.dup2(null.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def is_text(name: str) -> bool:
    """Return whether C++ libraries can take a name: text that this system's encoding lacks crashes some."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in name
