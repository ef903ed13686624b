"""Reading a camera for a long time: do frames stay recent, and does the process stay small?

A server process sends 30 frames a second, each stamped with its send time. A reader process reports each frame's age
after reading, by the stamp and by its own record. Once a second, this process records the reader's memory, threads,
open files and processor time, as Linux counts them.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from benchmarks.common.limits import LimitMissed
from benchmarks.common.process_stats import MB, process_stats
from benchmarks.service import stamped_stream
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, figure, share

WARM_UP = 60.0  # seconds, at most half of the run


class Second(NamedTuple):
    """The state at a second: seconds since the start, bytes of memory, counts, and total processor seconds."""

    at: float
    memory: int
    threads: int
    files: int
    processor: float
    true: list[float]  # ages in milliseconds
    claimed: list[float]
    dropped: int
    digits: int
    events: int
    unstamped: int


def run(minutes: float, out: Path) -> list[Second]:
    """Read for `minutes`, write soak.json to `out`, and return the records. Raises LimitMissed if reading fails."""
    seconds = watch(60 * minutes)
    figures = summary(seconds)
    details = {**figures, "seconds": [s._asdict() for s in seconds]}
    result.write(out / "soak.json", "soak", measures(figures), settings={"minutes": minutes}, details=details)
    return seconds


def watch(duration: float) -> list[Second]:
    """Read a stamped stream for a duration in seconds, and return the state at each second."""
    seen: list[Second] = []
    bar = tqdm(total=round(duration), unit="s", disable=not sys.stderr.isatty())
    with stamped_stream.served() as address, bar:
        reading = [sys.executable, "-m", "benchmarks.service.soak_reader", address, str(duration)]
        with subprocess.Popen(reading, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            started = time.monotonic()
            for line in reader.stdout:
                at = time.monotonic() - started
                seen.append(Second(at, *process_stats(reader.pid), **json.loads(line)))
                bar.update(round(at) - bar.n)
    if reader.returncode != 0 or not seen:
        raise LimitMissed(f"the reader ended with exit code {reader.returncode} after {len(seen)} seconds")
    return seen


def summary(seconds: list[Second]) -> dict[str, Any]:
    """Return the summary of a run; everything but the ages excludes its first minute."""
    after = min(WARM_UP, seconds[-1].at / 2)
    late = [second for second in seconds if second.at >= after]
    true = np.array([age for second in seconds for age in second.true])
    claimed = np.array([age for second in seconds for age in second.claimed])
    few = max(1, min(10, len(late) // 3))
    grown = statistics.median(s.memory for s in late[-few:]) - statistics.median(s.memory for s in late[:few])
    busy = (late[-1].processor - late[0].processor) / max(late[-1].at - late[0].at, 1e-9)
    return {
        "minutes": round(seconds[-1].at / 60, 2),
        "frames": len(true), "dropped": sum(s.dropped for s in seconds), "digits": sum(s.digits for s in seconds),
        "events": sum(s.events for s in seconds), "unstamped": sum(s.unstamped for s in seconds),
        "age_p50_ms": round(float(np.quantile(true, 0.5)), 1),
        "age_p99_ms": round(float(np.quantile(true, 0.99)), 1),
        "age_most_ms": round(float(true.max()), 1),
        "claim_off_p99_ms": round(float(np.quantile(np.abs(true - claimed), 0.99)), 1),
        "memory_mb": round(late[-1].memory / MB, 1),
        "memory_growth_mb": round(grown / MB, 2),
        "threads_spread": max(s.threads for s in late) - min(s.threads for s in late),
        "files_spread": max(s.files for s in late) - min(s.files for s in late),
        "core_percent": round(100 * busy, 1),
    }  # fmt: skip


def measures(figures: dict[str, Any]) -> list[Measure]:
    """Return the measures of a summary that compare with another one's.

    Tails and drops depend on other load, and growth is about 0, where a ratio has no meaning, so these have no better
    direction; they have their own limits.
    """
    sent, read = figures["frames"] + figures["dropped"] + figures["unstamped"], figures["frames"] + figures["unstamped"]
    return [
        figure("frames/age p50", 1e6 * figures["age_p50_ms"], "ns", better="lower"),
        figure("frames/age p99", 1e6 * figures["age_p99_ms"], "ns"),
        figure("frames/age of the oldest", 1e6 * figures["age_most_ms"], "ns"),
        figure("frames/claim off p99", 1e6 * figures["claim_off_p99_ms"], "ns"),
        share("frames/dropped", figures["dropped"], sent, better=None),
        share("frames/unstamped", figures["unstamped"], read, better="lower"),
        figure("reader/memory", MB * figures["memory_mb"], "B", better="lower"),
        figure("reader/memory growth", MB * figures["memory_growth_mb"], "B"),
        figure("reader/threads spread", figures["threads_spread"], "1", better="lower"),
        figure("reader/files spread", figures["files_spread"], "1", better="lower"),
        figure("reader/cores", figures["core_percent"] / 100, "1", better="lower"),
    ]
