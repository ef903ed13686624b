"""The options of `edge-digits read`, in sections, and what they come to."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from edge_runtime.cli.option_types import BrokerAddress, Finite, Focus, Fraction, Region, Size

if TYPE_CHECKING:
    from edge_runtime.pipeline import Report
    from edge_runtime.sources.options import Options
    from edge_runtime.sources.view import View

OptionValues = dict[str, Any]  # of each option, by the name of its parameter, what click made of it
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


class SectionedOption(click.Option):
    """An option that --help lists in a section of its own."""

    def __init__(self, *names: str, section: str = "", **settings: Any) -> None:
        super().__init__(list(names), **settings)
        self.section = section


class SectionedCommand(click.Command):
    """A command whose --help lists its options in sections, those of none at the end."""

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Return both names, whatever the context: click keeps those of the first one that asks."""
        return ["-h", "--help"]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write them."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", ""), []).append(record)
        rest = sections.pop("", [])
        for title, records in [*sections.items(), ("Other options", rest)]:
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _option(section: str, *names: str, **settings: Any) -> SectionedOption:
    return SectionedOption(*names, section=section, **settings)


RESULTS, LOOK, LIVE, MQTT, MODEL = "Results", "What to read", "Cameras and streams", "MQTT", "The network"
OPTIONS = (
    _option(RESULTS, "--json", is_flag=True, help="Print a JSON object a line."),
    _option(RESULTS, "--raw", is_flag=True, help="Report the reading of every frame of a moving picture, too."),
    _option(RESULTS, "--steady", metavar="N/M", type=Fraction(), default="3/5", show_default=True,
            help="A line of a moving picture is reported once N of M frames agree on it."),
    _option(RESULTS, "--annotate", metavar="DIR", type=FOLDER,
            help="Also write each picture to DIR with what was read drawn over it."),
    _option(RESULTS, "--explain", metavar="DIR", type=FOLDER,
            help="Also write a picture of every stage to DIR: why was a digit missed?"),
    _option(RESULTS, "--keep", metavar="N", type=click.IntRange(1), default=500, show_default=True,
            help="Of a moving picture's frames, keep the last N in DIR."),
    _option(RESULTS, "--video", metavar="FILE", type=FILE, help="Also write a moving picture, drawn over, as a video."),
    _option(RESULTS, "--window", is_flag=True, help="Also show it in a window: q or Esc ends, s saves."),
    _option(RESULTS, "--log", metavar="FILE", type=click.Path(path_type=Path),
            help="Also append what is reported to FILE, a JSON object a line."),
    _option(RESULTS, "--log-size", metavar="MB", type=Finite(0, 100_000, min_open=True), default=10, show_default=True,
            help="Begin a new FILE when it would be larger; the old one becomes FILE.1."),
    _option(RESULTS, "--log-keep", metavar="N", type=click.IntRange(0, 1000), default=5, show_default=True,
            help="Keep so many old ones."),
    _option(RESULTS, "--stats", is_flag=True, help="Say once a minute, on standard error, how the work goes."),
    _option(LOOK, "--frames", metavar="N", type=click.IntRange(1), help="Read no more than N frames of each source."),
    _option(LOOK, "--duration", metavar="SECONDS", type=Finite(0, min_open=True), help="End after so long."),
    _option(LOOK, "--watch", is_flag=True, help="Stay with a folder, and read each new picture in it once."),
    _option(LOOK, "--every", metavar="N", type=click.IntRange(1), default=1, help="Of a video, read every Nth frame."),
    _option(LOOK, "--start", metavar="SECONDS", type=Finite(0), default=0.0, help="Begin there in a video."),
    _option(LOOK, "--end", metavar="SECONDS", type=Finite(0, min_open=True), help="End there in a video."),
    _option(LOOK, "--rotate", type=click.Choice(["0", "90", "180", "270"]), default="0", help="Turn clockwise first."),
    _option(LOOK, "--flip", type=click.Choice(["none", "horizontal", "vertical", "both"]), default="none",
            help="Mirror, then."),
    _option(LOOK, "--roi", metavar="X,Y,W,H", type=Region(), help="Read this part of what that gives, in pixels."),
    _option(LOOK, "--turn", type=click.Choice(["auto", "0", "90", "180", "270"]), default="auto", show_default=True,
            help="How far clockwise a page has to be turned to be upright; boxes stay those of the picture."),
    _option(LOOK, "--skip-still", is_flag=True, help="Do not read a frame that shows what the one before it did."),
    _option(LIVE, "--size", metavar="WxH", type=Size(), default="640x480", show_default=True,
            help="Ask a camera for pictures of this size."),
    _option(LIVE, "--fps", metavar="N", type=Finite(0, 1000, min_open=True), help="Ask it for so many a second."),
    _option(LIVE, "--focus", metavar="auto|N", type=Focus(),
            help="Let it focus by itself, or set it to N, in the driver's units."),
    _option(LIVE, "--exposure", metavar="N", type=Finite(0),
            help="Expose by hand, in the driver's units: with picamera, microseconds."),
    _option(LIVE, "--stall", metavar="SECONDS", type=Finite(0.1, 3600), default=5.0, show_default=True,
            help="Open a camera or stream again that gives no frame for so long."),
    _option(LIVE, "--retries", metavar="N", type=click.IntRange(0),
            help="Try so often in a row. [default: for ever, once it has given a frame]"),
    _option(MQTT, "--mqtt", metavar="URL", type=BrokerAddress(),
            help="Also send what is reported to a broker: mqtt[s]://[user@]host[:port]."),
    _option(MQTT, "--mqtt-device", metavar="NAME", help="Send it under edge-digits/NAME. [default: this host's name]"),
    _option(MQTT, "--mqtt-ca", metavar="FILE", type=FILE, help="Trust the certificates that FILE holds."),
    _option(MQTT, "--mqtt-queue", metavar="N", type=click.IntRange(1, 100_000), default=10_000, show_default=True,
            help="While the broker is away, keep the last N."),
    _option(MQTT, "--mqtt-spool", metavar="FILE", type=FILE, help="Keep them there."),
    _option(MQTT, "--mqtt-discovery", is_flag=True, help="Let Home Assistant find it."),
    _option(MODEL, "--model", metavar="FILE", type=click.Path(path_type=Path),
            help="A .tflite model to use in place of the installed one."),
    _option(MODEL, "--labels", metavar="FILE", type=click.Path(path_type=Path),
            help="A text file with a label a line, for a model of your own."),
    _option(MODEL, "--min-confidence", metavar="0-1", type=Finite(0, 1),
            help="The least confidence that a digit needs. [default: as the model says]"),
    _option(MODEL, "--min-line-confidence", metavar="0-1", type=Finite(0, 1),
            help="The least confidence that a line of digits needs; those of others are rejected. "
            "[default: a third for a digit alone on its line, 0 for several]"),
    _option(MODEL, "--check", type=click.Choice(["always", "doubtful", "never"]), default="doubtful", show_default=True,
            help="Which lines the model's line network reads again, each as a whole: with doubtful, those that may be "
            "wrong, and pictures that are one line."),
    _option(MODEL, "--threads", metavar="N", type=click.IntRange(1, 64), default=1, show_default=True,
            help="Threads for the network; for one this small, one is fastest."),
)  # fmt: skip


def sourcing(options: OptionValues, idle: Callable[[], None] = lambda: None) -> "Options":
    """Return what was given as sources.options.Options. Raises ValueError where it makes no sense."""
    from edge_runtime.sources.options import Excerpt, Options, Patience, Settings

    return Options(
        excerpt=Excerpt(every=options["every"], start=options["start"], end=options["end"]),
        settings=Settings(
            size=options["size"], fps=options["fps"], focus=options["focus"], exposure=options["exposure"],
        ),
        patience=Patience(stall=options["stall"], retries=options["retries"]),
        frames=options["frames"],
        until=None if options["duration"] is None else monotonic() + options["duration"],
        watch=options["watch"],
        idle=idle,
    )  # fmt: skip


def viewing(options: OptionValues) -> "View":
    """Return what was given as a sources.view.View."""
    from edge_runtime.records import Box
    from edge_runtime.sources.view import View

    return View(rotate=int(options["rotate"]), flip=options["flip"], roi=options["roi"] and Box(*options["roi"]))  # type: ignore[arg-type]


def reporting(options: OptionValues) -> "Report":
    """Return what was given as a pipeline.Report. Raises ValueError where it makes no sense."""
    from edge_runtime.pipeline import Report

    need, of = options["steady"]
    return Report(need=need, of=of, raw=options["raw"], skip_still=options["skip_still"])
