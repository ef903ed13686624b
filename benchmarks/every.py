"""Every benchmark, one after the other, then the page: what `python -m benchmarks all` runs.

Each is a process of its own: neither memory nor TensorFlow's threads are left over for the next. What it prints goes
to a file, and its last line into the summary. One that fails stops none of the others.
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
LIMITS = 5  # the exit code of a limit that was missed
GRACE = 10.0  # seconds that an interrupted part has to end in
PULSE = 0.5  # seconds between looks at a part, which move the bar
PARITY = "build/standard"
SAMPLES = "edge_runtime/samples"


class Part(NamedTuple):
    """A benchmark: its options, and about how many seconds it takes on two idle cores."""

    name: str
    options: tuple[str, ...]
    seconds: float


class Outcome(NamedTuple):
    """What came of a part: its exit code, how long it took, the last line it printed, and where all of them are."""

    name: str
    code: int
    seconds: float
    line: str
    log: Path

    @property
    def verdict(self) -> str:
        """What the exit code says, in a word or two."""
        return {0: "done", LIMITS: "limit missed"}.get(self.code, f"failed ({self.code})")


# What can be seen in under ten minutes, and what each command measures when nothing is asked of it.
QUICK = (
    Part("parity", (PARITY,), 40),
    Part("latency", ("--fast",), 120),
    Part("peers", ("--fast",), 90),
    Part("robustness", ("--pages", "8"), 60),
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
    """Return the parts of these names, in the order of `parts`; all of them where there is no name.

    Raises OptionError for a name that no part has.
    """
    known = [part.name for part in parts]
    for name in names:
        if name not in known:
            raise OptionError(f"there is no part {name}: {', '.join(known)}")
    return [part for part in parts if not names or part.name in names]


def run(parts: Sequence[Part], out: Path, *, root: Path = ROOT) -> list[Outcome]:
    """Run the parts in turn, from the folder `root`; what each prints goes to a file in `out`. Prints the summary.

    Raises PartFailed where a part failed, or else LimitMissed where one missed a limit, after the summary.
    """
    out.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        # Last of all, and also where it was interrupted: what it came to.
        stack.callback(lambda: print("\n".join(summary(outcomes)), flush=True))
        stack.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, signal.default_int_handler))
        begin = stack.enter_context(_progress(parts))
        for part in parts:
            outcomes.append(_run(part, out / f"{part.name}.txt", root, begin(part)))
    failed = [outcome.name for outcome in outcomes if outcome.code not in (0, LIMITS)]
    missed = [outcome.name for outcome in outcomes if outcome.code == LIMITS]
    if failed:
        raise PartFailed(f"{len(failed)} of {len(parts)} parts failed: {', '.join(failed)}; all others are done")
    if missed:
        raise LimitMissed(f"a limit is missed: {', '.join(missed)}; all parts are done")
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for each part: what came of it, its seconds, its last line, and where all are if it failed."""
    wide = max((len(outcome.verdict) for outcome in outcomes), default=0)
    return [
        f"{outcome.name:<11}{outcome.verdict:<{wide}}{outcome.seconds:>7.0f} s  {outcome.line}"
        + (f" (all of it: {outcome.log})" if outcome.code else "")
        for outcome in outcomes
    ]


def _run(part: Part, log: Path, root: Path, tick: Callable[[float], None]) -> Outcome:
    """Run a part, and call `tick` with the seconds it has taken now and then."""
    command = [sys.executable, "-m", "benchmarks", part.name, *part.options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}  # or what goes wrong stands before what was printed
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
    """End a part and what it started, as Ctrl-C does; what does not listen, for good."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _progress(parts: Sequence[Part]) -> Iterator[Callable[[Part], Callable[[float], None]]]:
    """Show how far it is: a bar of seconds on a terminal, elsewhere a line where each part starts.

    Yields what is to be called where a part starts, which returns what is to be called with the seconds it has taken.
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
