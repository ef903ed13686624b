"""Do viewers slow a live pipeline? The ages of its frames, with viewers that come and go.

One `edge-digits serve` reads one camera throughout, while a number of viewers of /stream.mjpg repeatedly connect, stay
for a while and disconnect. Every second viewer is stuck: it sends a request and never reads.
"""

import json
import selectors
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from benchmarks.service.processes import SERVE, serving
from edge_runtime.bench.result import CONFIDENCE, Ratio
from edge_runtime.errors import EdgeError

VIEWERS = (0, 4, 16)
SETTLING = 1.0  # seconds of each stay that do not count
BUFFER = 4096  # approximate buffer of a stuck viewer's socket, in bytes
PART = b"\r\nContent-Type: image/jpeg\r\n"  # one in each frame
RESAMPLED = 2000
FEED = (sys.executable, "-m", "benchmarks.service.noted_stream")


class Stay(NamedTuple):
    """The readings during a stay of viewers, from `since` to `until` in time.time().

    `claimed` are the ages in the records, in milliseconds; `true` those since the camera sent the frames. `got` is the
    average number of frames that each reading viewer received; None without one.
    """

    viewers: int
    since: float
    until: float
    claimed: list[float]
    true: list[float]
    dropped: int
    got: float | None


def watch(rounds: int, seconds: float, messages: list[str], tick: Callable[[], None]) -> list[Stay]:
    """Run stays of each of VIEWERS repeatedly, each of the given seconds; `tick` is called after each stay.

    The server's log lines go to `messages`. Raises EdgeError if the pipeline does not read the frames sent.
    """
    with TemporaryDirectory() as folder, ExitStack() as stack:
        log, sent_log = Path(folder) / "log.jsonl", Path(folder) / "sent"
        feed = stack.enter_context(serving([*FEED, str(sent_log)]))
        command = [*SERVE, feed.address, "--raw", "--log", str(log), "--log-size", "1000"]
        server = stack.enter_context(serving(command))
        _wait_for(log)
        stays = []
        for viewers in VIEWERS * rounds:
            since, until, got = stay(server.address, viewers, seconds)
            stays.append(Stay(viewers, since, until, [], [], 0, got))
            tick()
        messages += server.messages
        records = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        sent = [line.split() for line in sent_log.read_text().splitlines()]
    if len({connection for connection, _ in sent}) != 1:
        raise EdgeError("the pipeline lost its camera, so its readings cannot be matched with the frames sent")
    return assigned(stays, records, [float(moment) for _, moment in sent])


def stay(address: str, viewers: int, seconds: float) -> tuple[float, float, float | None]:
    """Run viewers, half of them stuck; return the start and end of the counted time, and each reader's frames in it."""
    where = urlsplit(address)
    request = f"GET /stream.mjpg HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode()
    stuck = viewers // 2
    counts: dict[socket.socket, int] = {}
    ends: dict[socket.socket, bytes] = {}
    with ExitStack() as stack, selectors.DefaultSelector() as ready:
        for number in range(viewers):
            viewer = stack.enter_context(socket.socket())
            if number < stuck:
                viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            else:
                ready.register(viewer, selectors.EVENT_READ)
                ends[viewer], counts[viewer] = b"", 0
            viewer.connect((where.hostname, where.port))
            viewer.sendall(request)
        began = time.time()
        since, until = began + SETTLING, began + seconds
        while (now := time.time()) < until:
            if not counts:
                time.sleep(until - now)
            for key, _ in ready.select(until - now) if counts else ():
                reading: socket.socket = key.fileobj  # type: ignore[assignment]
                more = reading.recv(1 << 18)
                if not more:
                    raise EdgeError("the server disconnected a viewer that was reading")
                if time.time() >= since:
                    counts[reading] += (ends[reading] + more).count(PART)
                ends[reading] = more[1 - len(PART) :]
    return since, until, sum(counts.values()) / len(counts) if counts else None


def assigned(stays: Sequence[Stay], records: Sequence[dict[str, Any]], sent: Sequence[float]) -> list[Stay]:
    """Return the stays filled from the records of their time; `sent` is the send time of each frame, in time.time()."""
    filled = []
    readings = [record for record in records if record["type"] == "reading" and record["frame"] < len(sent)]
    moments = [datetime.fromisoformat(record["captured_at"]).timestamp() for record in readings]
    for stay in stays:
        inside = [i for i, moment in enumerate(moments) if stay.since <= moment < stay.until]
        claimed = [readings[i]["age_ms"] for i in inside]
        true = [1000 * (moments[i] - sent[readings[i]["frame"]]) + readings[i]["ms"]["total"] for i in inside]
        if not inside:
            raise EdgeError(f"not one frame was read with {stay.viewers} viewers")
        dropped = sum(readings[i]["dropped"] for i in inside)
        filled.append(stay._replace(claimed=claimed, true=[round(age, 2) for age in true], dropped=dropped))
    return filled


def ratio(stays: Sequence[Stay], viewers: int, kind: str, share: float) -> Ratio:
    """Return the ratio of a quantile of the ages, `kind` claimed or true, with viewers to that without.

    The interval comes from resampling whole rounds with replacement, because consecutive frames are correlated.
    """
    few = [getattr(stay, kind) for stay in stays if stay.viewers == VIEWERS[0]]
    many = [getattr(stay, kind) for stay in stays if stay.viewers == viewers]
    rng = np.random.default_rng(1)
    values = []
    for _ in range(RESAMPLED):
        drawn = rng.integers(len(few), size=len(few))
        values.append(_against([many[i] for i in drawn], [few[i] for i in drawn], share))
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Ratio(_against(many, few, share), float(low), float(high))


def _against(ages: Sequence[list[float]], others: Sequence[list[float]], share: float) -> float:
    return float(np.quantile(np.concatenate(ages), share) / np.quantile(np.concatenate(others), share))


def _wait_for(log: Path) -> None:
    """Wait for the first reading."""
    until = time.monotonic() + 10
    while not (log.exists() and log.stat().st_size):
        if time.monotonic() > until:
            raise EdgeError("the pipeline read nothing in 10 s")
        time.sleep(0.05)
