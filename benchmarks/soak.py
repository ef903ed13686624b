"""Reading a camera for a long time: do frames stay young, and does the process stay small?

A server in a process of its own sends 30 frames a second, and draws into each when it did; a reader in another says how
old each was when it had been read, by that and by its own record. Once a second this process looks at the reader's
memory, threads, open files and processor time, as Linux counts them.
"""

import json
import os
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from benchmarks import stamped_stream
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, figure, share
from edge_runtime.errors import EdgeError

THRESHOLDS = Path(__file__).with_name("thresholds.toml")
WARM_UP = 60.0  # seconds, or half of a run that is no longer than twice that
MB = 1024 * 1024


class LimitMissed(EdgeError):
    """A limit of thresholds.toml was missed."""

    exit_code = 5


class Second(NamedTuple):
    """What was seen at a second: since when, in seconds; bytes of memory; counts; and processor seconds so far."""

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


def run(minutes: float, out: Path) -> None:
    """Read for so long, print what it came to, and write soak.json and soak.png to `out`.

    Raises LimitMissed where a limit is missed.
    """
    seconds = watch(60 * minutes)
    figures = summary(seconds)
    limits: dict[str, float] = tomllib.loads(THRESHOLDS.read_text())["soak"]
    details = {**figures, "seconds": [s._asdict() for s in seconds]}
    result.write(out / "soak.json", "soak", measures(figures), settings={"minutes": minutes}, details=details)
    from benchmarks import picture, soak_chart

    picture.save(soak_chart.draw(seconds, limits), out / "soak.png")
    judge(figures, limits, out / "soak.png")


def judge(figures: dict[str, Any], limits: dict[str, float], chart: Path) -> None:
    """Print what was found beside its limits. Raises LimitMissed where one is missed, which names the chart."""
    print("\n".join(table(figures, limits)))
    missed = [name for name in limits if figures[name] > limits[name]]
    if missed:
        raise LimitMissed(f"beyond its limit: {', '.join(missed)}; {chart} shows when")
    print(f"every limit is met; {chart} shows how it went")


def watch(duration: float) -> list[Second]:
    """Read a stamped stream for so many seconds, and return what was seen at each."""
    seen: list[Second] = []
    bar = tqdm(total=round(duration), unit="s", disable=not sys.stderr.isatty())
    with stamped_stream.served() as address, bar:
        reading = [sys.executable, "-m", "benchmarks.soak_reader", address, str(duration)]
        with subprocess.Popen(reading, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            started = time.monotonic()
            for line in reader.stdout:
                at = time.monotonic() - started
                seen.append(Second(at, *process(reader.pid), **json.loads(line)))
                bar.update(round(at) - bar.n)
    if reader.returncode != 0 or not seen:
        raise LimitMissed(f"the reader ended with exit code {reader.returncode} after {len(seen)} seconds")
    return seen


def process(number: int) -> tuple[int, int, int, float]:
    """Return a process's memory in bytes (resident), its threads, its open files and its processor time in seconds."""
    home = Path("/proc") / str(number)
    status = dict(line.split(":", 1) for line in (home / "status").read_text().splitlines())
    fields = (home / "stat").read_text().rpartition(")")[2].split()
    processor = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    memory = int(status["VmRSS"].split()[0]) * 1024
    return memory, int(status["Threads"]), len(os.listdir(home / "fd")), processor


def summary(seconds: list[Second]) -> dict[str, Any]:
    """Return what a run came to; all but the ages without its first minute."""
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
    """Return what of a summary can be compared with another one's.

    Tails and what was dropped are as the machine was busy, and growth is about 0, where a ratio says nothing: they are
    neither better nor worse, and have limits of their own.
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


def table(figures: dict[str, Any], limits: dict[str, float]) -> list[str]:
    """Return a line for each figure, with its limit where it has one."""
    return [
        f"{name:<18}{value:>10}" + (f"   at most {limits[name]:g}" if name in limits else "")
        for name, value in figures.items()
    ]
