"""One reader in a process of its own; `turns.py` starts it.

    python -m benchmarks.peers.readers.process NAME KIND

Takes names of picture files, a line each, and prints a JSON object for each: what was read, and its nanoseconds, by the
clock and of processor time. At the end it prints the peak memory.
"""

import importlib
import json
import os
import resource
import sys
from pathlib import Path
from time import perf_counter_ns, process_time_ns

from benchmarks.peers.readers.catalog import READERS


def main() -> None:
    """Answer each line of standard input."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    name, kind = sys.argv[1:]
    load, read = importlib.import_module(f"benchmarks.peers.readers.{READERS[name].module}").opened(kind)

    def answer(values: dict[str, object]) -> None:
        print(json.dumps(values), file=output, flush=True)

    answer({"ready": name})
    for line in sys.stdin:
        picture = load(line.rstrip("\n"))
        processor, started = processor_ns(), perf_counter_ns()
        lines = read(picture)
        answer({"ns": perf_counter_ns() - started, "processor_ns": processor_ns() - processor, "lines": lines})
    answer({"memory": peak_memory()})


def processor_ns() -> int:
    """Return the processor time of this process and of the programs that it has started."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time_ns() + round(1e9 * (children.ru_utime + children.ru_stime))


def peak_memory() -> int | None:
    """Return the peak bytes of this process or of the largest program that it has started; None if not on Linux."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    own = int(status.read_text().split("VmHWM:")[1].split()[0])
    return 1024 * max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


if __name__ == "__main__":
    main()
