"""Something that may raise or never end, tried: whoever waits goes on in time, and learns what came of it."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class Endless(Exception):
    """It did not end in time."""


def attempt(work: Callable[[], Result], seconds: float) -> Result | Exception:
    """Return what `work` returns or raises, or Endless after so many seconds: its thread is left behind then."""
    outcome: queue.SimpleQueue[Result | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(work())
        except Exception as error:  # boundary: what a model that is broken makes of the interpreter, nobody knows
            outcome.put(error)

    threading.Thread(target=run, name="read_trial", daemon=True).start()  # system.signals knows the name
    try:
        return outcome.get(timeout=seconds)
    except queue.Empty:
        return Endless(f"it does not answer within {seconds:g} s")
