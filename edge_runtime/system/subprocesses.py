"""Run other programs with a timeout: a program that hangs is killed, with all that it has started."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Answer(NamedTuple):
    """A program's output. Its exit `code` is negative if a signal ended it, and None after a timeout."""

    code: int | None
    out: str
    err: str


def ask(command: Sequence[str | Path], seconds: float) -> Answer | None:
    """Return a program's answer within this many seconds; None if it cannot be started."""
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace", start_new_session=True,
        )  # fmt: skip
    except OSError:
        return None
    with process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            return Answer(None, "", "")
    return Answer(process.returncode, out, err)
