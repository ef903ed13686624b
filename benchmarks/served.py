"""Servers in processes of their own, that say on standard error where they are."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from edge_runtime.errors import EdgeError

SERVE = (sys.executable, "-m", "edge_runtime", "serve", "--port", "0")
EMPTY = (sys.executable, "-m", "benchmarks.empty_answer")
ADDRESS = re.compile(r"\bhttp://127\.0\.0\.1:\d+/")
PATIENCE = 10.0  # seconds for it to end


class Served(NamedTuple):
    """A server: its address, its process, and the lines that it has told since."""

    address: str
    process: int
    told: list[str]


@contextmanager
def serving(command: Sequence[str]) -> Iterator[Served]:
    """Serve meanwhile, and end it as a service is ended. Raises EdgeError where it does not start or end in order."""
    name = " ".join(command[1:3])
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told: list[str] = []
            for line in process.stderr:
                told.append(line.strip())
                if found := ADDRESS.search(line):
                    break
            else:
                raise EdgeError(f"{name} did not start: {told[-1] if told else 'it said nothing'}")
            told.clear()
            drain = threading.Thread(target=lambda lines: told.extend(map(str.strip, lines)), args=(process.stderr,))
            drain.start()
            yield Served(found[0], process.pid, told)
            process.terminate()
            process.wait(PATIENCE)
            drain.join()
            if process.returncode not in (0, -signal.SIGTERM):
                raise EdgeError(
                    f"{name} ended with exit code {process.returncode}: {told[-1] if told else 'it said nothing'}"
                )
        except subprocess.TimeoutExpired as error:
            raise EdgeError(f"{name} did not end {PATIENCE:g} s after SIGTERM") from error
        finally:
            process.kill()
