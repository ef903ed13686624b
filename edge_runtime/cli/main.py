"""The command line: click commands around plain functions. Only it prints (by `terminal`) or exits."""

import io
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

import edge_runtime
from edge_runtime.cli import bench_options, check_commands, config_commands, model, read_options, serve_options
from edge_runtime.cli.config_commands import COMMANDS, CONFIG
from edge_runtime.cli.terminal import logged, note, show, unwritten
from edge_runtime.errors import EdgeError, OptionError, OutputError, PictureError, SourceError
from edge_runtime.system import dependencies, signals

EXIT_CODES = """\b
Exit codes:
    0  done, also when there was no digit, and when SIGTERM ended a video, camera or stream
    1  a picture was missing or unreadable (the others were read)
    2  a wrong option, or a package that is not installed
    3  a camera or stream is not there, or gives no frame any more
    4  the model was refused
    5  the network does not answer on this machine as it must
    6  an output could not be written
  130  Ctrl-C
"""


@click.group(
    epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "EDGE_DIGITS"}
)
@click.version_option(edge_runtime.__version__, prog_name="edge-digits")
def cli() -> None:
    """Read handwritten digits, with a small int8 network, on anything from a laptop to a Raspberry Pi."""


def _list_sources(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from edge_runtime.sources.kinds import KINDS

        for kind in KINDS:
            show(f"{kind.form:<44}{kind.what}")
        context.exit()


def _list_cameras(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from edge_runtime.sources import camera_list

        cameras = camera_list.cameras()
        if not cameras:
            raise SourceError("no camera found: is one plugged in?")
        for line in camera_list.lines(cameras):
            show(line)
        context.exit()


def _note_debug(context: click.Context, _: click.Parameter, wanted: bool) -> bool:
    """Remember it for main(), which has no options."""
    context.find_root().ensure_object(dict)["debug"] = wanted
    return wanted


WHOLE_TRACEBACK = "Show the whole traceback when something fails."
DEBUG = click.option("--debug", is_flag=True, callback=_note_debug, help=WHOLE_TRACEBACK)
DEBUG_APART = click.option("--debug", is_flag=True, callback=_note_debug, expose_value=False, help=WHOLE_TRACEBACK)


@cli.command(epilog=EXIT_CODES, cls=read_options.SectionedCommand)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, envvar="EDGE_DIGITS_READ_SOURCES")
@CONFIG
@click.option("--list-sources", is_flag=True, is_eager=True, expose_value=False, callback=_list_sources,
              help="Show what a SOURCE can be, and exit.")  # fmt: skip
@click.option("--list-cameras", is_flag=True, is_eager=True, expose_value=False, callback=_list_cameras,
              help="Show the cameras that there are, and exit.")  # fmt: skip
@DEBUG
def read(sources: tuple[str, ...], debug: bool, **options: Any) -> None:
    """Read the digits in pictures, videos, and what a camera or a stream shows; --list-sources shows how to name them.

    Each picture gives its lines of digits. Of moving pictures, what becomes of their lines is reported: each that
    appeared, changed or is gone.

    Each option may also be an environment variable, as in EDGE_DIGITS_READ_SIZE=1280x720, or a line of a --config file.

    \b
    Examples:
      edge-digits read page.jpg
      edge-digits read photos/ --json
      edge-digits read page.jpg --annotate out/ --explain why/
      edge-digits read camera
      edge-digits read http://camera.local/stream --json --stall 10
    """
    from edge_runtime import pipeline
    from edge_runtime.cli import outputs, readers
    from edge_runtime.sinks.sink import Closed
    from edge_runtime.sinks.watchdog import Heart
    from edge_runtime.sources.kinds import kind_of

    codes: set[int] = set()  # of what failed
    heart = Heart("frames")

    def failed(error: PictureError | OutputError) -> None:
        if debug:
            raise error
        codes.add(error.exit_code)
        note(f"error: {error}")

    outputs.check(options, sources)
    try:
        source_options = read_options.sourcing(options, lambda: heart.beat("frames"))
        report = read_options.reporting(options)
    except ValueError as error:
        raise OptionError(str(error)) from error
    kinds = [kind_of(source) for source in sources]
    lasting = options["watch"] or any(kind.moving for kind in kinds)
    with (
        signals.sigterm_is_an_end(lasting, codes),
        readers.opened(options, options["watch"] or any(kind.live for kind in kinds)) as reader,
    ):
        if not reader.classifier.model.verified:
            note(f"{reader.classifier.model.path} has no card: it is used unverified")
        sinks = outputs.sinks(options, sources, reader.classifier.labels, show)
        sinks += heart.sinks("frames")
        with suppress(Closed), heart, logged("edge_runtime.sources", heart.status):
            pipeline.run(sources, reader, sinks, source_options, report, failed, read_options.viewing(options))
    if codes:
        raise SystemExit(max(codes))


read.params[1:1] = read_options.OPTIONS


@cli.command(epilog=EXIT_CODES, cls=serve_options.ServeCommand)
@click.argument("source", metavar="[SOURCE]", required=False, envvar="EDGE_DIGITS_SERVE_SOURCE")
@CONFIG
@DEBUG
def serve(source: str | None, debug: bool, **options: Any) -> None:
    """Show what a camera or stream shows, and what is read in it, on a web page; read what visitors draw or send.

    SOURCE is as in `edge-digits read`; without one, the page still reads drawings, pictures and the visitor's camera.
    The page and its programming interface are at the address that is printed; /api describes the latter.

    \b
    Examples:
      edge-digits serve
      edge-digits serve camera
      edge-digits serve camera --host 0.0.0.0
      edge-digits serve picamera --host 0.0.0.0 --tls auto
    """
    from edge_runtime import pipeline
    from edge_runtime.cli import outputs, readers
    from edge_runtime.sinks.sink import Closed
    from edge_runtime.sinks.watchdog import Heart
    from edge_runtime.sources.kinds import public
    from edge_runtime.web.live import Live
    from edge_runtime.web.metrics import Metrics
    from edge_runtime.web.serve import Listening, entrance, serving

    def failed(error: PictureError | OutputError) -> None:
        if debug:
            raise error
        note(f"error: {error}")

    outputs.check({**NOTHING_WRITTEN, **options}, [source] if source else [])
    with signals.sigterm_is_an_end(True, set()), readers.opened(options, True) as reader:
        metrics = Metrics(reader, lambda: None if source is None else live.state == "reading")
        live = Live(None if source is None else public(source), options["stall"], metrics.reconnected)
        heart = Heart("web") if source is None else Heart("web", "frames")

        def show_state(line: str) -> None:
            live.set_note(line)
            heart.status(line)

        try:
            source_options = read_options.sourcing(options, lambda: heart.beat("frames"))
            report = read_options.reporting(options)
        except ValueError as error:
            raise OptionError(str(error)) from error
        entered = entrance(Listening(**{name: options[name] for name in Listening._fields}))
        sinks = [live, metrics, *outputs.standing(options), *heart.sinks("frames")]
        with serving(entered, reader, live, metrics, lambda: heart.beat("web")) as service, heart:
            for line in entered.lines:
                note(line)
            if source is not None:
                with suppress(Closed), logged("edge_runtime.sources", show_state):
                    pipeline.run([source], reader, sinks, source_options, report, failed, read_options.viewing(options))
                heart.rest("frames")
                note(f"{public(source)}: at its end; what was read stays on the page")
            service.wait()


serve.params[1:1] = serve_options.OPTIONS


@cli.command(epilog=EXIT_CODES, cls=read_options.SectionedCommand)
@CONFIG
@DEBUG
def bench(debug: bool, **options: Any) -> None:
    """Measure how fast this machine is: one digit, whole frames stage by stage, the start of the command, memory.

    First the model's golden vectors are replayed: exit code 5 where the network does not answer here as it must. It
    takes half a minute on a desktop, and some minutes on a small board, which should have nothing else to do then.

    \b
    Examples:
      edge-digits bench
      edge-digits bench --out bench.json
    """
    import json

    from edge_runtime.bench import measure, table
    from edge_runtime.cli.progress import progress
    from edge_runtime.system.atomic_files import write_text

    out: Path | None = options["out"]
    if out is not None:
        measure.check_folder(out)
    settings = measure.Settings(options["model"], options["labels"], options["threads"], options["fast"])
    with progress(measure.steps(settings), note) as begins:
        record = measure.run(settings, begins)
    for warning in measure.worth_a_word(record):
        note(f"warning: {warning}")
    text = json.dumps(record)
    if out is not None:
        write_text(out, text + "\n")
    for line in [text] if options["json"] else table.lines(record):
        show(line)


bench.params[0:0] = bench_options.OPTIONS
NOTHING_WRITTEN = {"annotate": None, "explain": None, "json": False, "video": None, "window": False}
COMMANDS.update(
    read=read, serve=serve, bench=bench, selftest=check_commands.selftest, model=model.SETTINGS
)  # fmt: skip

cli.add_command(config_commands.config_group)
cli.add_command(model.model)
CONFIG(model.install)
for command in model.model.commands.values():
    DEBUG_APART(command)

CONFIG(check_commands.selftest)
for command in (check_commands.selftest, check_commands.doctor):
    DEBUG_APART(command)
    cli.add_command(command)


def main() -> None:
    """Run the command line and raise SystemExit; the one place where an error becomes a line and an exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold what cannot be encoded
    state: dict[str, bool] = {}
    try:
        try:
            with logged("edge_runtime", note):
                code = cli.main(sys.argv[1:] or ["--help"], standalone_mode=False, obj=state)
        except ImportError as error:
            raise dependencies.explain(error) from error
        except OSError as error:
            if isinstance(error, EdgeError):
                raise
            raise unwritten(error) from error
        sys.exit(code)
    except EdgeError as error:
        if state.get("debug"):
            raise
        note(f"error: {error}")
        sys.exit(error.exit_code)
    except click.ClickException as error:
        note(f"error: {error.format_message()} (--help lists what there is)")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
