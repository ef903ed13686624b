"""Libraries written in C++ talk to file descriptor 2, past Python's logging and warnings."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_TURN = threading.Lock()  # two threads at once would each restore what the other had put there


@contextmanager
def stderr_silenced() -> Iterator[None]:
    """Keep what C++ libraries write to file descriptor 2 meanwhile off standard error.

    For calls that raise an exception when something goes wrong, so that nothing of value is lost.
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
    """Tell whether C++ libraries can take a name: one that is no text in this system's encoding crashes some."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in name
