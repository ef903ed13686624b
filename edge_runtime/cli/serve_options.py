"""The options of `edge-digits serve`: its own, and those of `read` that make sense for a service."""

from pathlib import Path

import click

from edge_runtime.cli.read_options import LIVE, LOOK, MODEL, MQTT, RESULTS, SectionedCommand, SectionedOption
from edge_runtime.cli.read_options import OPTIONS as OF_READ

WEB = "The web page"
PORT = 8000
# Of the results of `read`, a service has these.
STANDING = {"steady", "log", "log_size", "log_keep", "stats", "raw"}


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


FILE = click.Path(path_type=Path, dir_okay=False)
OWN = (
    SectionedOption("--host", section=WEB, metavar="ADDRESS", default="127.0.0.1", show_default=True,
                    help="Listen there: 0.0.0.0 is every network. All but this machine itself needs a token."),
    SectionedOption("--port", section=WEB, metavar="N", type=click.IntRange(0, 65535), default=PORT, show_default=True,
                    help="Listen on this port; 0 takes any that is free."),
    SectionedOption("--token-file", section=WEB, metavar="FILE", type=FILE,
                    help="Ask visitors for the token in FILE. [default: one that is made, and kept]"),
    SectionedOption("--allow-host", section=WEB, metavar="NAME", multiple=True,
                    help="Answer to this name of the machine, too."),
    SectionedOption("--tls", section=WEB, metavar="auto|CERT KEY",
                    help="Serve HTTPS, with a certificate that is made, or with these two files."),
    SectionedOption("--tls-key", section=WEB, metavar="FILE", type=FILE, hidden=True),
)  # fmt: skip
OPTIONS = OWN + tuple(
    option
    for option in OF_READ
    if option.section in (LOOK, LIVE, MQTT, MODEL) or (option.section == RESULTS and option.name in STANDING)
)
