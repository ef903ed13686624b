"""The command line: click commands around plain functions. Only this module prints or exits."""

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

import edge_runtime
from edge_runtime import dependencies
from edge_runtime.errors import EdgeError, OptionError, OutputError, PictureError

if TYPE_CHECKING:
    from edge_runtime.records import Frame, Reading
    from edge_runtime.sinks.pictures import PictureFolder

EXIT_CODES = """\b
Exit codes:
    0  done, also when there was no digit
    1  a picture was missing or unreadable (the others were read)
    2  a wrong option, or a package that is not installed
    4  the model was refused
    6  an output could not be written
  130  Ctrl-C
"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(edge_runtime.__version__, prog_name="edge-digits")
def cli() -> None:
    """Read handwritten digits, with a small int8 network, on anything from a laptop to a Raspberry Pi."""


@cli.command(epilog=EXIT_CODES)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line for each picture.")
@click.option("--annotate", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Also write each picture to DIR with what was read drawn over it.")  # fmt: skip
@click.option("--explain", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Also write a picture of every stage to DIR: why was a digit missed?")  # fmt: skip
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
    annotate: Path | None,
    explain: Path | None,
    model: Path | None,
    labels: Path | None,
    min_confidence: float | None,
    threads: int,
    debug: bool,
) -> None:
    """Read the digits in pictures: files, folders of them, or - for one on standard input.

    \b
    Examples:
      edge-digits read page.jpg
      edge-digits read photos/ --json
      edge-digits read page.jpg --annotate out/
      edge-digits read page.jpg --explain why/
    """
    from edge_runtime import DigitReader

    failed = False
    with DigitReader(model, labels=labels, threads=threads, min_confidence=min_confidence) as reader:
        if not reader.classifier.model.verified:
            _note(f"{reader.classifier.model.path} has no card: it is used unverified")
        _check_outputs(annotate, explain, sources)
        annotated, explained = _folder(annotate), _folder(explain)
        several = len(sources) > 1 or os.path.isdir(sources[0])
        for frame in _frames(sources):
            if isinstance(frame, PictureError):
                if debug:
                    raise frame
                failed = True
                _note(f"error: {frame}")
                continue
            trace = reader.trace(frame)
            reading = trace.reading
            _print(json.dumps(_record(reading)) if as_json else _text(reading, several))
            if annotated is not None:
                from edge_runtime.sinks import draw

                annotated.write(frame, draw.annotate(frame, reading))
            if explained is not None:
                from edge_runtime.sinks import explain as drawing

                explained.write(frame, drawing.explain(trace, reader.classifier.labels))
    if failed:
        raise SystemExit(PictureError.exit_code)


def _check_outputs(annotate: Path | None, explain: Path | None, sources: tuple[str, ...]) -> None:
    """Raise OptionError where a picture would be written over another one."""
    homes = [source if os.path.isdir(source) else os.path.dirname(source) for source in sources if source != "-"]
    for option, folder in (("--annotate", annotate), ("--explain", explain)):
        if folder is not None and os.path.realpath(folder) in map(os.path.realpath, homes):
            raise OptionError(f"{option} {folder} would write over the pictures there: name another folder")
    if annotate is not None and explain is not None and os.path.realpath(annotate) == os.path.realpath(explain):
        raise OptionError(f"--annotate and --explain would write over each other in {explain}: name two folders")


def _folder(path: Path | None) -> "PictureFolder | None":
    if path is None:
        return None
    from edge_runtime.sinks.pictures import PictureFolder

    return PictureFolder(path)


def _frames(sources: tuple[str, ...]) -> "Iterator[Frame | PictureError]":
    from edge_runtime.sources import pictures

    for source in sources:
        if source == "-":
            found: Iterator[Path | PictureError] = iter([Path(source)])
        else:
            found = pictures.expand([Path(source)])
        for path in found:
            if isinstance(path, PictureError):
                yield path
                continue
            try:
                yield pictures.decode(_standard_input(), "-") if source == "-" else pictures.load(path)
            except PictureError as error:
                yield error


def _standard_input() -> bytes:
    try:
        return sys.stdin.buffer.read() if sys.stdin else b""
    except OSError as error:
        raise PictureError(f"-: cannot be read: {error.strerror or error}") from error


def _record(reading: "Reading") -> dict[str, object]:
    from edge_runtime.reading import to_record

    return to_record(reading)


def _text(reading: "Reading", several: bool) -> str:
    lines = reading.text or ("(no digit)",)
    return "\n".join(f"{reading.source}: {line}" for line in lines) if several else "\n".join(lines)


def _print(line: str) -> None:
    try:
        if sys.stdout:  # it may be closed
            click.echo(line)
    except BrokenPipeError:
        # Whoever read our output has enough; what is left in the buffer has nowhere to go.
        sys.stdout = None
        raise SystemExit(0) from None


def _note(message: str) -> None:
    if sys.stderr:
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
