"""Servers in their own processes, which print their address on standard error."""

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
EMPTY = (sys.executable, "-m", "benchmarks.service.empty_answer")
ADDRESS = re.compile(r"\bhttp://127\.0\.0\.1:\d+/")
TIMEOUT = 10.0  # seconds for a server to end


class Served(NamedTuple):
    """A server: its address, its process, and the lines logged since the start."""

    address: str
    process: int
    messages: list[str]


@contextmanager
def serving(command: Sequence[str]) -> Iterator[Served]:
    """Run a server, and end it as a service ends. Raises EdgeError if it does not start or end properly."""
    name = " ".join(command[1:3])
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            messages: list[str] = []
            for line in process.stderr:
                messages.append(line.strip())
                if match := ADDRESS.search(line):
                    break
            else:
                raise EdgeError(f"{name} did not start: {messages[-1] if messages else 'no message'}")
            messages.clear()
            drain = threading.Thread(
                target=lambda lines: messages.extend(map(str.strip, lines)), args=(process.stderr,)
            )
            drain.start()
            yield Served(match[0], process.pid, messages)
            process.terminate()
            process.wait(TIMEOUT)
            drain.join()
            if process.returncode not in (0, -signal.SIGTERM):
                raise EdgeError(
                    f"{name} ended with exit code {process.returncode}: {messages[-1] if messages else 'no message'}"
                )
        except subprocess.TimeoutExpired as error:
            raise EdgeError(f"{name} did not end {TIMEOUT:g} s after SIGTERM") from error
        finally:
            process.kill()
