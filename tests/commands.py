"""What came of a command that a test ran."""

import re
from collections.abc import Callable
from typing import NamedTuple


class Done(NamedTuple):
    code: int
    out: str
    err: str

    def one_line(self, code: int) -> str:
        """Return the error of a command that printed nothing else, and ended with this code."""
        assert (self.code, self.out) == (code, "")
        assert re.fullmatch(r"(edge-digits: )?error: .+\n", self.err), self.err
        return self.err


Call = Callable[..., Done]
