"""`edge-digits serve` in a process of its own, as people start it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = [sys.executable, "-m", "edge_runtime", "serve"]
ADDRESS = re.compile(r"https?://\S+")


class Served:
    """A running server: the lines that it has printed up to its address."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process, self.lines = process, list[str]()
        assert process.stderr is not None
        while not (addresses := ADDRESS.findall("".join(self.lines[-1:]))):
            line = process.stderr.readline()
            assert line, self.lines
            self.lines.append(line)
        self.address: str = addresses[0]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Return the exit code, and what was still printed."""
        self.process.send_signal(number)
        _, rest = self.process.communicate(timeout=10)
        return self.process.returncode, rest.lstrip("\n")  # click ends the line on which a terminal shows ^C


@contextmanager
def served(*arguments: object, home: Path) -> Iterator[Served]:
    """Serve meanwhile, on a port that is free; what is to be kept is kept in `home`."""
    environment = {**os.environ, "XDG_STATE_HOME": str(home)}
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments), "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield Served(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
