"""What does the web server take, and does it stay out of the pipeline's way? Load, viewers, and a long run.

All over loopback, from `edge-digits serve` in a process of its own: what makes the load takes its share of the machine.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import cv2
from tqdm import tqdm

from benchmarks import frames, serve_table, viewers
from benchmarks.load import Answers, load, together, wrk
from benchmarks.served import EMPTY, SERVE, serving
from benchmarks.soak import LimitMissed, process
from benchmarks.viewers import Stay
from edge_runtime.bench import result

THRESHOLDS = Path(__file__).with_name("thresholds.toml")
PARTS = ("read", "viewers", "long")
CONNECTIONS = (1, 8, 64)
TURNS = 3  # that the seconds of a cell are taken in
STAY = 6.0  # seconds that viewers stay
QUALITY = 90  # of JPEG
WARM_UP = 10  # seconds of the long run, or half of one that is no longer than twice that
FEW = 5  # seconds whose median memory counts
Tick = Callable[[], None]


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


def run(parts: tuple[str, ...], seconds: int, rounds: int, minutes: float, out: Path) -> None:
    """Measure, print what it came to, and write serve.json and serve.png to `out`.

    `seconds` is how long each cell of the table is measured, and `rounds` how often viewers come. Raises LimitMissed
    where a limit is missed, DependencyMissing where wrk is not installed.
    """
    about = tools() | {"load_average_before": os.getloadavg()[0]}
    results = measure(parts or PARTS, seconds, rounds, minutes)
    limits: dict[str, float] = tomllib.loads(THRESHOLDS.read_text())["serve"]
    figures = serve_table.figures(results)
    result.write(
        out / "serve.json", "serve", serve_table.measures(results, figures),
        settings={"parts": list(parts or PARTS), "seconds": seconds, "rounds": rounds, "minutes": minutes},
        details={**about, "figures": figures, **serve_table.details(results)},
    )  # fmt: skip
    print("\n".join(serve_table.table(results, figures, limits)))
    from benchmarks import picture, serve_chart

    picture.save(serve_chart.draw(results), out / "serve.png")
    missed = [name for name in limits if name in figures and figures[name] > limits[name]]
    if missed:
        raise LimitMissed(f"beyond its limit: {', '.join(missed)}; {out / 'serve.json'} holds the figures")
    print(f"every limit is met; {out / 'serve.json'} holds the figures, {out / 'serve.png'} draws them")


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
            seen.append(Second(*process(reader.process)[:3]))

        look()
        sent = list(pictures().values())
        answers = load(f"{reader.address}api/read", sent, CONNECTIONS[-1], seconds, tick=look)
        look()
    messages += reader.messages
    return Long(CONNECTIONS[-1], answers, seen)


@contextmanager
def progress(name: str, steps: int) -> Iterator[Tick]:
    """Show how far a part is: a bar on a terminal, else a line at its start."""
    if not sys.stderr.isatty():
        print(f"measuring: {name}", file=sys.stderr, flush=True)
    with tqdm(total=steps, desc=name, disable=not sys.stderr.isatty()) as bar:

        def step() -> None:
            if bar.n < steps:
                bar.update()

        yield step


def tools() -> dict[str, Any]:
    """Return what makes the load, and what serves; its packages' versions are in no other benchmark's environment."""
    asked = subprocess.run([wrk(), "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return {
        "wrk": asked.stdout.partition("\n")[0],
        "versions": {name: version(name) for name in ("uvicorn", "starlette", "h11")},
    }
