"""What came of a command that a test ran."""

from collections.abc import Callable
from typing import NamedTuple


class Done(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Done]
