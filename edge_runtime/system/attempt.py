"""Run work that may raise or hang: the caller goes on in time, and receives the outcome."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class Endless(Exception):
    """The work did not end in time."""


def attempt(work: Callable[[], Result], seconds: float) -> Result | Exception:
    """Return what `work` returns or raises, or Endless after this many seconds, and then abandon its thread."""
    outcome: queue.SimpleQueue[Result | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(work())
        except Exception as error:  # boundary: with a broken model, the interpreter may raise anything
            outcome.put(error)

    threading.Thread(target=run, name="read_trial", daemon=True).start()  # system.signals matches the name
    try:
        return outcome.get(timeout=seconds)
    except queue.Empty:
        return Endless(f"no answer within {seconds:g} s")
