"""Every benchmark, one after the other, then the page: `python -m benchmarks all`.

Each runs in its own process, so no memory or TensorFlow threads remain for the next. Its output goes to a file, and its
last line into the summary. A failure does not stop the others.
"""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from benchmarks.common.limits import LimitMissed
from edge_runtime.errors import EdgeError, OptionError

ROOT = Path(__file__).parent.parent
LIMITS = 5  # the exit code of a missed limit
GRACE = 10.0  # seconds for an interrupted part to end
PULSE = 0.5  # seconds between polls of a part, which update the bar
PARITY = "build/standard"
SAMPLES = "edge_runtime/samples"


class Part(NamedTuple):
    """A benchmark: its options, and its approximate seconds on two idle cores."""

    name: str
    options: tuple[str, ...]
    seconds: float


class Outcome(NamedTuple):
    """The result of a part: exit code, duration, last line of output, and the file of all output."""

    name: str
    code: int
    seconds: float
    line: str
    log: Path

    @property
    def verdict(self) -> str:
        """The meaning of the exit code in one or two words."""
        return {0: "done", LIMITS: "limit missed"}.get(self.code, f"failed ({self.code})")


# QUICK takes under ten minutes; WHOLE uses the default options of each command.
QUICK = (
    Part("parity", (PARITY,), 40),
    Part("latency", ("--fast",), 120),
    Part("peers", ("--fast",), 90),
    Part("robustness", ("--pages", "8"), 60),
    Part("readers", (SAMPLES,), 30),
    Part("pages", (SAMPLES,), 10),
    Part("digits", (), 15),
    Part("soak", ("--minutes", "0.5"), 40),
    Part("updates", ("--changes", "4"), 14),
    Part("serve", ("--seconds", "3", "--rounds", "2", "--minutes", "0.3"), 110),
    Part("videos", ("--videos", "3"), 20),
    Part("report", (), 20),
)
WHOLE = (
    Part("parity", (PARITY,), 40),
    Part("latency", (), 600),
    Part("peers", (), 400),
    Part("robustness", (), 200),
    Part("readers", (), 150),
    Part("pages", (SAMPLES,), 10),
    Part("digits", (), 15),
    Part("soak", (), 605),
    Part("updates", (), 40),
    Part("serve", (), 370),
    Part("videos", (), 110),
    Part("report", (), 20),
)


class PartFailed(EdgeError):
    """A part failed; the summary says which."""


def chosen(parts: Sequence[Part], names: Sequence[str]) -> list[Part]:
    """Return the parts of these names, in the order of `parts`; without names, all of them.

    Raises OptionError for an unknown name.
    """
    known = [part.name for part in parts]
    for name in names:
        if name not in known:
            raise OptionError(f"unknown part {name}, known: {', '.join(known)}")
    return [part for part in parts if not names or part.name in names]


def run(parts: Sequence[Part], out: Path, *, root: Path = ROOT) -> Iterator[Outcome]:
    """Run the parts in order, from the folder `root`, and yield the outcome of each.

    Each part's output goes to a file in `out`. SIGTERM interrupts as SIGINT does.
    """
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, signal.default_int_handler))
        begin = stack.enter_context(_progress(parts))
        for part in parts:
            yield _run(part, out / f"{part.name}.txt", root, begin(part))


def check(outcomes: Sequence[Outcome]) -> None:
    """Raise PartFailed if a part failed, or else LimitMissed if one missed a limit."""
    failed = [outcome.name for outcome in outcomes if outcome.code not in (0, LIMITS)]
    missed = [outcome.name for outcome in outcomes if outcome.code == LIMITS]
    if failed:
        raise PartFailed(f"{len(failed)} of {len(outcomes)} parts failed: {', '.join(failed)}; all others are done")
    if missed:
        raise LimitMissed(f"a limit is missed: {', '.join(missed)}; all parts are done")


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for each part: verdict, seconds, last line, and the file of all lines after a failure."""
    wide = max((len(outcome.verdict) for outcome in outcomes), default=0)
    return [
        f"{outcome.name:<11}{outcome.verdict:<{wide}}{outcome.seconds:>7.0f} s  {outcome.line}"
        + (f" (all of it: {outcome.log})" if outcome.code else "")
        for outcome in outcomes
    ]


def _run(part: Part, log: Path, root: Path, tick: Callable[[float], None]) -> Outcome:
    """Run a part, and repeatedly call `tick` with the seconds elapsed."""
    command = [sys.executable, "-m", "benchmarks", part.name, *part.options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}  # otherwise errors precede earlier output
    started = time.monotonic()
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
        ExitStack() as interrupted,
    ):
        interrupted.callback(_end, process)
        while (code := process.poll()) is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(PULSE)
            tick(time.monotonic() - started)
        interrupted.pop_all()
    seconds = time.monotonic() - started
    with log.open(encoding="utf-8", errors="replace") as text:
        last = deque((line.strip() for line in text if line.strip()), maxlen=1)
    return Outcome(part.name, code, seconds, last[0] if last else "", log)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a part and its children, first as Ctrl-C does, then by SIGKILL."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _progress(parts: Sequence[Part]) -> Iterator[Callable[[Part], Callable[[float], None]]]:
    """Show the progress: a bar of seconds on a terminal, elsewhere a line at the start of each part.

    Yields a function to call at the start of a part; it returns a function to call with the seconds elapsed.
    """
    terminal = sys.stderr.isatty()
    whole = sum(part.seconds for part in parts)
    layout = "{desc} {percentage:3.0f}%|{bar}| {elapsed} gone, {remaining} left"
    with tqdm(total=whole, bar_format=layout, smoothing=0, disable=not terminal) as bar:
        started = 0

        def begin(part: Part) -> Callable[[float], None]:
            nonlocal started
            before = sum(each.seconds for each in parts[:started])
            started += 1
            label = f"{started}/{len(parts)} {part.name}"
            if terminal:
                bar.set_description_str(f"{label:<16}", refresh=False)
            else:
                print(f"{label}: about {part.seconds:.0f} s", file=sys.stderr, flush=True)

            def tick(seconds: float) -> None:
                bar.update(before + min(seconds, part.seconds) - bar.n)

            tick(0)
            return tick

        yield begin
        bar.update(whole - bar.n)
