"""A list that threads append to, and that others wait for."""

import threading
from collections.abc import Callable
from typing import Any


class Log(list[Any]):
    """A list that threads append to, and that others wait for."""

    def __init__(self) -> None:
        super().__init__()
        self._news = threading.Condition()

    def append(self, value: Any) -> None:
        """Add a value, and wake who waits."""
        with self._news:
            super().append(value)
            self._news.notify_all()

    def wait(self, enough: Callable[[list[Any]], object], seconds: float = 60.0) -> None:
        """Wait until there is enough in it."""
        with self._news:
            assert self._news.wait_for(lambda: enough(self), seconds), f"not enough after {seconds} s: {self[-3:]}"
