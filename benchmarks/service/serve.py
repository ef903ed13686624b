"""What does the web server cost, and does it slow the pipeline? Load, viewers, and a long run.

Everything runs over loopback, from `edge-digits serve` in its own process; the load generator uses the same machine.
"""

import subprocess
from importlib.metadata import version
from typing import Any, NamedTuple

import cv2

from benchmarks.common import frames
from benchmarks.common.process_stats import process_stats
from benchmarks.common.progress import Tick, progress
from benchmarks.service import viewers
from benchmarks.service.load import Answers, load, together, wrk
from benchmarks.service.processes import EMPTY, SERVE, serving
from benchmarks.service.viewers import Stay
from edge_runtime.pages import timing

PARTS = ("read", "viewers", "long")
CONNECTIONS = (1, 8, 64)
TURNS = 3  # turns that share the seconds of a cell
STAY = 6.0  # seconds of a viewer's stay
QUALITY = 90  # of JPEG
WARM_UP = 10  # seconds of the long run, at most half of it
FEW = 5  # seconds behind each median of memory


class Cell(NamedTuple):
    """One picture, sent over a number of connections, and the same sent to the empty answer.

    `patient` connections wait as long as a 429 asks; the empty answer never sends 429, so it has no such cell.
    """

    picture: str
    connections: int
    patient: bool
    answers: Answers
    empty: Answers | None


class Second(NamedTuple):
    """The state of the server at a second of the long run: bytes of memory, and counts."""

    memory: int
    threads: int
    files: int


class Long(NamedTuple):
    """The long run: its answers, and the state of the server about once a second."""

    connections: int
    answers: Answers
    seconds: list[Second]

    @property
    def growth(self) -> int:
        """The bytes of memory growth since the first seconds."""
        late = self.seconds[min(WARM_UP, len(self.seconds) // 2) :]
        few = max(1, min(FEW, len(late) // 3))
        first, last = (sorted(second.memory for second in some)[few // 2] for some in (late[:few], late[-few:]))
        return last - first


class Measured(NamedTuple):
    """The measurements; a part that was not requested is empty."""

    cells: list[Cell]
    stays: list[Stay]
    long: Long | None
    messages: list[str]  # lines logged by the servers during the run; none are expected


def measure(parts: tuple[str, ...], seconds: int, rounds: int, minutes: float) -> Measured:
    """Measure these parts, one after the other."""
    cells: list[Cell] = []
    stays: list[Stay] = []
    long = None
    messages: list[str] = []
    if "read" in parts:
        with progress("POST /api/read", 2 * len(pictures()) * (2 * len(CONNECTIONS) + 1) * min(seconds, TURNS)) as tick:
            cells = answered(seconds, messages, tick)
    if "viewers" in parts:
        with progress("viewers", len(viewers.VIEWERS) * rounds) as tick:
            stays = viewers.watch(rounds, STAY, messages, tick)
    if "long" in parts:
        with progress(f"{CONNECTIONS[-1]} connections", round(60 * minutes)) as tick:
            long = endured(round(60 * minutes), messages, tick)
    return Measured(cells, stays, long, messages)


def pictures() -> dict[str, bytes]:
    """Return the pictures to send: a digit that ships with the package, and a generated page of ten digits."""
    digit = cv2.imencode(".png", timing.samples()[0][0])[1].tobytes()
    quality = (cv2.IMWRITE_JPEG_QUALITY, QUALITY)
    return {
        "28x28 PNG": digit,
        "640x480 JPEG": cv2.imencode(".jpg", timing.page(frames.SIZE, 0), quality)[1].tobytes(),
    }


def answered(seconds: int, messages: list[str], tick: Tick) -> list[Cell]:
    """Send each picture over increasing numbers of connections; the reader and the empty answer take turns."""
    cells = []
    turns = min(seconds, TURNS)
    with serving(SERVE) as reader, serving(EMPTY) as empty:
        for name, picture in pictures().items():

            def ask(
                address: str, connections: int, length: int, patient: bool = False, picture: bytes = picture
            ) -> Answers:
                tick()
                return load(f"{address}api/read", [picture], connections, length, patient=patient)

            for connections in CONNECTIONS:
                runs: tuple[list[Answers], list[Answers]] = [], []
                for turn in range(turns):
                    length = (seconds + turn) // turns
                    for which in (0, 1) if turn % 2 == 0 else (1, 0):
                        runs[which].append(ask((reader, empty)[which].address, connections, length))
                cells.append(Cell(name, connections, False, together(runs[0]), together(runs[1])))
            patient = [ask(reader.address, connections, (seconds + turn) // turns, True) for turn in range(turns)]
            cells.append(Cell(name, connections, True, together(patient), None))
    messages += reader.messages + empty.messages
    return cells


def endured(seconds: int, messages: list[str], tick: Tick) -> Long:
    """Send both pictures in turn over the most connections, and record the server's memory."""
    seen: list[Second] = []
    with serving(SERVE) as reader:

        def look() -> None:
            tick()
            seen.append(Second(*process_stats(reader.process)[:3]))

        look()
        sent = list(pictures().values())
        answers = load(f"{reader.address}api/read", sent, CONNECTIONS[-1], seconds, tick=look)
        look()
    messages += reader.messages
    return Long(CONNECTIONS[-1], answers, seen)


def tools() -> dict[str, Any]:
    """Return the versions of the load generator and of the server packages, which no other benchmark records."""
    asked = subprocess.run([wrk(), "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return {
        "wrk": asked.stdout.partition("\n")[0],
        "versions": {name: version(name) for name in ("uvicorn", "starlette", "h11")},
    }
