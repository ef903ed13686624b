"""Linux statistics of a process: memory, threads, open files and processor time."""

import os
from pathlib import Path
from typing import NamedTuple

MB = 1024 * 1024  # bytes


class ProcessStats(NamedTuple):
    """Resident memory in bytes, threads, open files, and processor time in seconds of a process."""

    memory: int
    threads: int
    files: int
    processor: float


def process_stats(number: int) -> ProcessStats:
    """Return the statistics of the process with this number. Raises OSError if there is none."""
    home = Path("/proc") / str(number)
    status = dict(line.split(":", 1) for line in (home / "status").read_text().splitlines())
    fields = (home / "stat").read_text().rpartition(")")[2].split()
    processor = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    memory = int(status["VmRSS"].split()[0]) * 1024
    return ProcessStats(memory, int(status["Threads"]), len(os.listdir(home / "fd")), processor)
