"""`edge-digits serve`: a web page with the live results, and an HTTP API for programs."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from edge_runtime.cli import options
from edge_runtime.cli.config_option import config_option
from edge_runtime.cli.exit_codes import EXIT_CODES
from edge_runtime.cli.options import FILE, ReadingOptions
from edge_runtime.cli.sections import SectionedCommand, option, section
from edge_runtime.cli.terminal import handled, logged, print_err
from edge_runtime.errors import OutputError, PictureError
from edge_runtime.system import signals

PORT = 8000


class ServeCommand(SectionedCommand):
    """A command that also takes --tls CERT KEY, as --tls CERT --tls-key KEY."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments."""
        if "--tls" in args:
            at = args.index("--tls")
            certificate, key = [*args[at + 1 : at + 3], "", ""][:2]
            if certificate != "auto" and key and not key.startswith("-") and "--tls-key" not in args:
                args = [*args[: at + 2], "--tls-key", *args[at + 2 :]]
        return super().parse_args(ctx, args)


@dataclass(frozen=True, kw_only=True)
class WebOptions:
    """The server's address and access rules: see `web.serve.ListenConfig`."""

    host: str
    port: int
    token_file: Path | None
    allow_host: tuple[str, ...]
    tls: str | None
    tls_key: Path | None


web = section(
    "The web page", "web", WebOptions,
    option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True,
           help="Listen on this address: 0.0.0.0 is every network. Other machines need a token."),
    option("--port", metavar="N", type=click.IntRange(0, 65535), default=PORT, show_default=True,
           help="Listen on this port; 0 chooses a free one."),
    option("--token-file", metavar="FILE", type=FILE,
           help="Ask visitors for the token in FILE. [default: one that is generated and kept]"),
    option("--allow-host", metavar="NAME", multiple=True, help="Also accept requests for this host name."),
    option("--tls", metavar="auto|CERT KEY",
           help="Serve HTTPS, with a generated certificate, or with these two files."),
    option("--tls-key", metavar="FILE", type=FILE, hidden=True),
)  # fmt: skip


@click.command(epilog=EXIT_CODES, cls=ServeCommand)
@click.argument("source", metavar="[SOURCE]", required=False, envvar="EDGE_DIGITS_SERVE_SOURCE")
@web
@options.reading
@config_option
@options.debug
def serve(source: str | None, web: WebOptions, reading: ReadingOptions) -> None:
    """Show a camera or stream with its readings on a web page, and read what visitors draw or send.

    SOURCE is as in `edge-digits read`; without one, the page still reads drawings, pictures and the visitor's camera.
    The command prints the address of the page; /api there describes the programming interface.

    \b
    Examples:
      edge-digits serve
      edge-digits serve camera
      edge-digits serve camera --host 0.0.0.0
      edge-digits serve picamera --host 0.0.0.0 --tls auto
    """
    from edge_runtime import pipeline
    from edge_runtime.cli import outputs, readers
    from edge_runtime.cli.pipeline_request import requested
    from edge_runtime.sinks.sink import Closed
    from edge_runtime.sinks.watchdog import Watchdog
    from edge_runtime.sources.kinds import public
    from edge_runtime.system.device_name import device_name
    from edge_runtime.web.live import Live
    from edge_runtime.web.metrics import Interruptions, Metrics
    from edge_runtime.web.serve import ListenConfig, Service, endpoint

    outputs.check([source] if source else [], reading)
    with signals.sigterm_is_an_end(True, set()), readers.opened(reading, True) as reader:
        device = device_name(reading.mqtt.mqtt_device)
        metrics = Metrics(reader, lambda: None if source is None else live.state == "reading", device=device)
        live = Live(None if source is None else public(source), reading.camera.stall)
        watchdog = Watchdog("web") if source is None else Watchdog("web", "frames")

        def show_state(line: str) -> None:
            live.set_status_line(line)
            watchdog.status(line)

        def failed(error: PictureError | OutputError) -> None:
            metrics.failed("picture" if isinstance(error, PictureError) else "output")
            request.failed(error)

        request = requested(reading, lambda: watchdog.beat("frames"))
        listening = endpoint(ListenConfig(**asdict(web)))
        sinks = [live, metrics, *outputs.standing(reading, reader), *watchdog.sinks("frames")]
        with Service(listening, reader, live, metrics, lambda: watchdog.beat("web")) as service, watchdog:
            for line in listening.lines:
                print_err(line)
            if source is not None:
                interruptions = handled("edge_runtime.sources", Interruptions(metrics))
                with suppress(Closed), logged("edge_runtime.sources", show_state), interruptions:
                    pipeline.run([source], reader, sinks, request.options, request.report, failed, request.view)
                watchdog.rest("frames")
                print_err(f"{public(source)}: ended; the last reading stays on the page")
            service.wait()
