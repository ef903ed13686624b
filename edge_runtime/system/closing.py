"""The base class of objects that a `with` statement closes."""

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """Holds something until it is closed; as a context manager, it closes at the end of the block."""

    @abstractmethod
    def close(self) -> None:
        """Free what it holds; safe to call again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
