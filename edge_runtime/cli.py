"""The command line: click commands around plain functions. Only this module prints or exits."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import click

import edge_runtime
from edge_runtime import dependencies
from edge_runtime.errors import EdgeError, OptionError, OutputError, PictureError
from edge_runtime.option_types import Finite, Focus, Fraction, Region, Size

if TYPE_CHECKING:
    from edge_runtime.sinks.sink import Sink

EXIT_CODES = """\b
Exit codes:
    0  done, also when there was no digit, and when SIGTERM ended a video, camera or stream
    1  a picture was missing or unreadable (the others were read)
    2  a wrong option, or a package that is not installed
    3  a camera or stream is not there, or gives no frame any more
    4  the model was refused
    6  an output could not be written
  130  Ctrl-C
"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(edge_runtime.__version__, prog_name="edge-digits")
def cli() -> None:
    """Read handwritten digits, with a small int8 network, on anything from a laptop to a Raspberry Pi."""


def _list_sources(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from edge_runtime.sources.kinds import KINDS

        for kind in KINDS:
            _print(f"{kind.form:<44}{kind.what}")
        context.exit()


@cli.command(epilog=EXIT_CODES)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--list-sources", is_flag=True, is_eager=True, expose_value=False, callback=_list_sources,
              help="Show what a SOURCE can be, and exit.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
@click.option("--raw", is_flag=True, help="Report the reading of every frame of a moving picture, too.")
@click.option("--steady", "rule", metavar="N/M", type=Fraction(), default="3/5", show_default=True,
              help="A line of a moving picture is reported once N of M frames agree on it.")  # fmt: skip
@click.option("--annotate", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Also write each picture to DIR with what was read drawn over it.")  # fmt: skip
@click.option("--explain", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Also write a picture of every stage to DIR: why was a digit missed?")  # fmt: skip
@click.option("--keep", metavar="N", type=click.IntRange(1), default=500, show_default=True,
              help="Of a moving picture's frames, keep the last N in DIR.")  # fmt: skip
@click.option("--frames", metavar="N", type=click.IntRange(1), help="Read no more than N frames of each source.")
@click.option("--duration", metavar="SECONDS", type=Finite(0, min_open=True), help="End after so long.")
@click.option("--every", metavar="N", type=click.IntRange(1), default=1, help="Of a video, read every Nth frame.")
@click.option("--start", metavar="SECONDS", type=Finite(0), default=0.0, help="Begin there in a video.")
@click.option("--end", metavar="SECONDS", type=Finite(0, min_open=True), help="End there in a video.")
@click.option("--rotate", type=click.Choice(["0", "90", "180", "270"]), default="0", help="Turn clockwise first.")
@click.option("--flip", type=click.Choice(["none", "horizontal", "vertical", "both"]), default="none",
              help="Mirror, then.")  # fmt: skip
@click.option("--roi", metavar="X,Y,W,H", type=Region(), help="Read this part of what that gives, in pixels.")
@click.option("--skip-still", is_flag=True, help="Do not read a moving picture's frame again that has not changed.")
@click.option("--stats", is_flag=True, help="Say once a minute, on standard error, how the work goes.")
@click.option("--size", metavar="WxH", type=Size(), default="640x480", show_default=True,
              help="Ask a camera for pictures of this size.")  # fmt: skip
@click.option("--fps", metavar="N", type=Finite(0, 1000, min_open=True), help="Ask it for so many a second.")
@click.option("--focus", metavar="auto|N", type=Focus(), help="Let it focus by itself, or set it to N.")
@click.option("--exposure", metavar="N", type=Finite(), help="Expose by hand, in the driver's units.")
@click.option("--stall", metavar="SECONDS", type=Finite(0.1, 3600), default=5.0, show_default=True,
              help="Open a camera or stream again that gives no frame for so long.")  # fmt: skip
@click.option("--retries", metavar="N", type=click.IntRange(0),
              help="Try so often in a row. [default: for ever, once it has given a frame]")  # fmt: skip
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path),
              help="A .tflite model to use in place of the one that ships.")  # fmt: skip
@click.option("--labels", metavar="FILE", type=click.Path(path_type=Path),
              help="A text file with a label a line, for a model of your own.")  # fmt: skip
@click.option("--min-confidence", metavar="0-1", type=click.FloatRange(0, 1),
              help="The least confidence that a digit needs. [default: as the model says]")  # fmt: skip
@click.option("--threads", metavar="N", type=click.IntRange(1, 64), default=1, show_default=True,
              help="Threads for the network; for one this small, one is fastest.")  # fmt: skip
@click.option("--debug", is_flag=True, help="Show the whole traceback when something fails.")
def read(
    sources: tuple[str, ...],
    as_json: bool,
    raw: bool,
    rule: tuple[int, int],
    annotate: Path | None,
    explain: Path | None,
    keep: int,
    frames: int | None,
    duration: float | None,
    every: int,
    start: float,
    end: float | None,
    rotate: str,
    flip: Literal["none", "horizontal", "vertical", "both"],
    roi: tuple[int, int, int, int] | None,
    skip_still: bool,
    stats: bool,
    size: tuple[int, int],
    fps: float | None,
    focus: str | None,
    exposure: float | None,
    stall: float,
    retries: int | None,
    model: Path | None,
    labels: Path | None,
    min_confidence: float | None,
    threads: int,
    debug: bool,
) -> None:
    """Read the digits in pictures, videos, and what a camera or a stream shows; --list-sources shows how to name them.

    Each picture gives its lines of digits. Of moving pictures, what becomes of their lines is reported: each that
    appeared, changed or is gone.

    \b
    Examples:
      edge-digits read page.jpg
      edge-digits read photos/ --json
      edge-digits read page.jpg --annotate out/ --explain why/
      edge-digits read camera
      edge-digits read http://camera.local/stream --json --stall 10
    """
    from edge_runtime import DigitReader, pipeline
    from edge_runtime.records import Box
    from edge_runtime.sinks.stats import Stats
    from edge_runtime.sources.kinds import files, kind_of, public
    from edge_runtime.sources.options import Excerpt, Options, Patience, Settings
    from edge_runtime.sources.view import View

    failures: list[EdgeError] = []

    def failed(error: PictureError | OutputError) -> None:
        if debug:
            raise error
        failures.append(error)
        _note(f"error: {error}")

    endless = [source for source in sources[:-1] if kind_of(source).live]
    if endless and frames is None:
        first = public(endless[0])
        raise OptionError(f"{first} has no end: name it last, or say how many --frames of each source to read")
    try:
        options = Options(
            excerpt=Excerpt(every=every, start=start, end=end),
            settings=Settings(size=size, fps=fps, focus=focus, exposure=exposure),
            patience=Patience(stall=stall, retries=retries),
            frames=frames,
            until=None if duration is None else time.monotonic() + duration,
            tell=_note,
        )
        report = pipeline.Report(need=rule[0], of=rule[1], raw=raw, skip_still=skip_still)
    except ValueError as error:
        raise OptionError(str(error)) from error
    with (
        _sigterm_is_an_end(any(kind_of(source).moving for source in sources), failures),
        DigitReader(model, labels=labels, threads=threads, min_confidence=min_confidence) as reader,
    ):
        if not reader.classifier.model.verified:
            _note(f"{reader.classifier.model.path} has no card: it is used unverified")
        _check_outputs(annotate, explain, sources)
        several = len(sources) > 1 or os.path.isdir(sources[0]) or files(sources[0]) != [sources[0]]
        sinks = _sinks(as_json, several, annotate, explain, keep, reader.classifier.labels)
        if stats:
            sinks.append(Stats(_note))
        view = View(rotate=cast(Literal[0, 90, 180, 270], int(rotate)), flip=flip, roi=roi and Box(*roi))
        pipeline.run(sources, reader, sinks, options, report, failed, view)
    if failures:
        raise SystemExit(max(error.exit_code for error in failures))


def _sinks(
    as_json: bool, several: bool, annotate: Path | None, explain: Path | None, keep: int, labels: Sequence[str]
) -> "list[Sink]":
    from edge_runtime.sinks.lines import JsonLines, Text

    sinks: list[Sink] = [JsonLines(_print) if as_json else Text(_print, several)]
    if annotate is not None:
        from edge_runtime.sinks import draw
        from edge_runtime.sinks.pictures import Pictures

        sinks.append(Pictures(annotate, lambda frame, trace: draw.annotate(frame, trace.reading), keep))
    if explain is not None:
        from edge_runtime.sinks import explain as drawing
        from edge_runtime.sinks.pictures import Pictures

        sinks.append(Pictures(explain, lambda frame, trace: drawing.explain(trace, labels), keep))
    return sinks


@contextmanager
def _sigterm_is_an_end(wanted: bool, failures: Sequence[EdgeError]) -> Iterator[None]:
    """Let SIGTERM end what is read meanwhile, in order and with exit code 0, as those expect who stop a service."""

    def end(number: int, stack: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending
        raise SystemExit(max((error.exit_code for error in failures), default=0))

    before = signal.signal(signal.SIGTERM, end) if wanted else None
    try:
        yield
    finally:
        if before is not None and signal.getsignal(signal.SIGTERM) is end:
            signal.signal(signal.SIGTERM, before)


def _check_outputs(annotate: Path | None, explain: Path | None, sources: tuple[str, ...]) -> None:
    """Raise OptionError where a picture would be written over another one."""
    from edge_runtime.sources.kinds import files, kind_of

    named = [path for source in sources if source != "-" and not kind_of(source).live for path in files(source)]
    homes = {path if os.path.isdir(path) else os.path.dirname(path) for path in named}
    for option, folder in (("--annotate", annotate), ("--explain", explain)):
        if folder is not None and os.path.realpath(folder) in map(os.path.realpath, homes):
            raise OptionError(f"{option} {folder} would write over the pictures there: name another folder")
    if annotate is not None and explain is not None and os.path.realpath(annotate) == os.path.realpath(explain):
        raise OptionError(f"--annotate and --explain would write over each other in {explain}: name two folders")


def _print(line: str) -> None:
    try:
        if sys.stdout:  # it may be closed
            click.echo(line)
    except BrokenPipeError:
        # Whoever read our output has enough; what is left in the buffer has nowhere to go.
        sys.stdout = None
        raise SystemExit(0) from None
    except OSError as error:
        raise OutputError(f"cannot write the result: {error.strerror or error}") from error


def _note(message: str) -> None:
    if sys.stderr:
        with suppress(OSError):  # nobody may be there to read it
            click.echo(f"edge-digits: {' '.join(message.split())}", err=True)


def main() -> None:
    """Run the command line and exit; the one place where an error becomes a line and an exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold what cannot be encoded
    try:
        try:
            code = cli.main(sys.argv[1:] or ["--help"], standalone_mode=False)
        except ImportError as error:
            raise dependencies.explain(error) from error
        except OSError as error:
            if isinstance(error, EdgeError):
                raise
            raise OutputError(f"cannot write the result: {error.strerror or error}") from error
        sys.exit(code)
    except EdgeError as error:
        if "--debug" in sys.argv:
            raise
        _note(f"error: {error}")
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _note(f"error: {error.format_message()} (--help lists what there is)")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    finally:
        _leave_drivers_behind()


def _leave_drivers_behind() -> None:
    """Exit at once where a thread still waits for a camera's driver: Python's own end would abort in its midst.

    Only where it is exiting: what else is raised has a traceback to show.
    """
    leaving = sys.exc_info()[1]
    if not isinstance(leaving, SystemExit):
        return
    if any(thread.name.startswith("capture ") for thread in threading.enumerate()):
        with suppress(OSError, ValueError, AttributeError):  # standard output may be closed
            sys.stdout.flush()
        os._exit(leaving.code if isinstance(leaving.code, int) else 0)
