"""`edge-digits read`: reads the digits in pictures, videos, cameras and streams."""

from contextlib import suppress

import click

from edge_runtime.cli import options
from edge_runtime.cli.config_option import config_option
from edge_runtime.cli.exit_codes import EXIT_CODES
from edge_runtime.cli.options import ReadingOptions, ResultOptions
from edge_runtime.cli.sections import SectionedCommand
from edge_runtime.cli.terminal import logged, print_err, show
from edge_runtime.errors import SourceError
from edge_runtime.system import signals


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


@click.command(epilog=EXIT_CODES, cls=SectionedCommand)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, envvar="EDGE_DIGITS_READ_SOURCES")
@options.results
@options.reading
@config_option
@click.option("--list-sources", is_flag=True, is_eager=True, expose_value=False, callback=_list_sources,
              help="List the kinds of SOURCE, and exit.")  # fmt: skip
@click.option("--list-cameras", is_flag=True, is_eager=True, expose_value=False, callback=_list_cameras,
              help="List the cameras, and exit.")  # fmt: skip
@options.debug
def read(sources: tuple[str, ...], results: ResultOptions, reading: ReadingOptions) -> None:
    """Read the digits in pictures, videos, cameras and streams; --list-sources shows how to name them.

    For a picture, the command prints its lines of digits; for a video, camera or stream, an event for each line that
    appeared, changed or is gone.

    Each option can also be set by an environment variable, as in EDGE_DIGITS_READ_SIZE=1280x720, or in a --config file.

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
    from edge_runtime.cli.pipeline_request import requested
    from edge_runtime.sinks.sink import Closed
    from edge_runtime.sinks.watchdog import Watchdog
    from edge_runtime.sources.kinds import kind_of

    watchdog = Watchdog("frames")
    outputs.check(sources, reading, results)
    request = requested(reading, lambda: watchdog.beat("frames"))
    kinds = [kind_of(source) for source in sources]
    with (
        signals.sigterm_is_an_end(reading.look.watch or any(kind.moving for kind in kinds), request.codes),
        readers.opened(reading, reading.look.watch or any(kind.live for kind in kinds)) as reader,
    ):
        if not reader.classifier.model.verified:
            print_err(f"{reader.classifier.model.path} has no card: it is used unverified")
        sinks = outputs.sinks(results, reading, sources, reader, show)
        sinks += watchdog.sinks("frames")
        with suppress(Closed), watchdog, logged("edge_runtime.sources", watchdog.status):
            pipeline.run(sources, reader, sinks, request.options, request.report, request.failed, request.view)
    if request.codes:
        raise SystemExit(max(request.codes))
