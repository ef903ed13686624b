"""What does the web server take, and does it stay out of the pipeline's way? Load, viewers, and a long run.

All over loopback, from `edge-digits serve` in a process of its own: what makes the load takes its share of the machine.
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

PARTS = ("read", "viewers", "long")
CONNECTIONS = (1, 8, 64)
TURNS = 3  # that the seconds of a cell are taken in
STAY = 6.0  # seconds that viewers stay
QUALITY = 90  # of JPEG
WARM_UP = 10  # seconds of the long run, or half of one that is no longer than twice that
FEW = 5  # seconds whose median memory counts


class Cell(NamedTuple):
    """One picture, sent over so many connections, and the same sent to the empty answer.

    `patient` connections wait as long as a 429 asks for; there are no such of the empty answer, which never says it.
    """

    picture: str
    connections: int
    patient: bool
    answers: Answers
    empty: Answers | None


class Second(NamedTuple):
    """What was seen of the server at a second of the long run: bytes of memory, and counts."""

    memory: int
    threads: int
    files: int


class Long(NamedTuple):
    """The long run: its answers, and what was seen of the server about once a second."""

    connections: int
    answers: Answers
    seconds: list[Second]

    @property
    def growth(self) -> int:
        """By how many bytes memory has grown since the first seconds."""
        late = self.seconds[min(WARM_UP, len(self.seconds) // 2) :]
        few = max(1, min(FEW, len(late) // 3))
        first, last = (sorted(second.memory for second in some)[few // 2] for some in (late[:few], late[-few:]))
        return last - first


class Measured(NamedTuple):
    """What was measured; nothing of a part that was not asked for."""

    cells: list[Cell]
    stays: list[Stay]
    long: Long | None
    messages: list[str]  # lines that servers told meanwhile: there is nothing to tell


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
    """Return what is sent: a digit that ships with the package, and a generated page of ten such."""
    digit = cv2.imencode(".png", frames.samples()[0][0])[1].tobytes()
    quality = (cv2.IMWRITE_JPEG_QUALITY, QUALITY)
    return {
        "28x28 PNG": digit,
        "640x480 JPEG": cv2.imencode(".jpg", frames.page(frames.SIZE, 0), quality)[1].tobytes(),
    }


def answered(seconds: int, messages: list[str], tick: Tick) -> list[Cell]:
    """Send each picture over ever more connections; the reader and the empty answer take turns."""
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
    """Send both pictures in turn over the most connections, and look at the server's memory meanwhile."""
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
    """Return what makes the load, and what serves; its packages' versions are in no other benchmark's environment."""
    asked = subprocess.run([wrk(), "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return {
        "wrk": asked.stdout.partition("\n")[0],
        "versions": {name: version(name) for name in ("uvicorn", "starlette", "h11")},
    }
