"""The options of commands: a frozen record of each section's values, and the decorator that adds the options."""

from dataclasses import dataclass
from pathlib import Path

import click

from edge_runtime.cli.option_types import BrokerAddress, Finite, Focus, Fraction, Region, Size
from edge_runtime.cli.sections import Command, option, section

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
PATH = click.Path(path_type=Path)


@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """The outputs of `read`: --json on standard output, folders of pictures, a video, a window."""

    json: bool
    annotate: Path | None
    explain: Path | None
    keep: int
    video: Path | None
    window: bool


results = section(
    "Results", "results", ResultOptions,
    option("--json", is_flag=True, help="Print one JSON object per line."),
    option("--annotate", metavar="DIR", type=FOLDER,
           help="Also write each picture to DIR, with the reading drawn over it."),
    option("--explain", metavar="DIR", type=FOLDER,
           help="Also write a picture of every stage to DIR: it shows why a digit was missed."),
    option("--keep", metavar="N", type=click.IntRange(1), default=500, show_default=True,
           help="Of a video, camera or stream, keep the last N frames in DIR."),
    option("--video", metavar="FILE", type=FILE,
           help="Also write the annotated frames of a video, camera or stream as a video."),
    option("--window", is_flag=True, help="Also show it in a window: q or Esc quits, s saves."),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """The reporting options and the log: `steady` is (N, M), for N of M frames."""

    raw: bool
    steady: tuple[int, int]
    log: Path | None
    log_size: float
    log_keep: int
    stats: bool


report = section(
    "Results", "report", ReportOptions,
    option("--raw", is_flag=True, help="Also report the reading of every frame of a video, camera or stream."),
    option("--steady", metavar="N/M", type=Fraction(), default="3/5", show_default=True,
           help="Report a line of a video, camera or stream once N of M frames agree on it."),
    option("--log", metavar="FILE", type=PATH, help="Also append the output to FILE, one JSON object per line."),
    option("--log-size", metavar="MB", type=Finite(0, 100_000, min_open=True), default=10, show_default=True,
           help="Begin a new FILE before it exceeds this size; the old one becomes FILE.1."),
    option("--log-keep", metavar="N", type=click.IntRange(0, 1000), default=5, show_default=True,
           help="Keep this many old files."),
    option("--stats", is_flag=True, help="Print statistics to standard error once a minute."),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LookOptions:
    """Which frames to read, and their orientation: `roi` is (left, top, width, height) in pixels."""

    frames: int | None
    duration: float | None
    watch: bool
    every: int
    start: float
    end: float | None
    rotate: str
    flip: str
    roi: tuple[int, int, int, int] | None
    turn: str
    skip_still: bool


look = section(
    "What to read", "look", LookOptions,
    option("--frames", metavar="N", type=click.IntRange(1), help="Read at most N frames of each source."),
    option("--duration", metavar="SECONDS", type=Finite(0, min_open=True), help="Stop after this time."),
    option("--watch", is_flag=True, help="Watch a folder, and read each new picture in it once."),
    option("--every", metavar="N", type=click.IntRange(1), default=1, help="Read every Nth frame of a video."),
    option("--start", metavar="SECONDS", type=Finite(0), default=0.0, help="Start a video at this time."),
    option("--end", metavar="SECONDS", type=Finite(0, min_open=True), help="End a video at this time."),
    option("--rotate", type=click.Choice(["0", "90", "180", "270"]), default="0", help="Rotate clockwise first."),
    option("--flip", type=click.Choice(["none", "horizontal", "vertical", "both"]), default="none",
           help="Then mirror."),
    option("--roi", metavar="X,Y,W,H", type=Region(), help="Then read only this region, in pixels."),
    option("--turn", type=click.Choice(["auto", "0", "90", "180", "270"]), default="auto", show_default=True,
           help="Clockwise rotation that makes a page upright; boxes stay those of the picture."),
    option("--skip-still", is_flag=True, help="Do not read a frame that looks like the previous one."),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CameraOptions:
    """Settings of cameras and streams: `size` is (width, height) in pixels, `stall` in seconds."""

    size: tuple[int, int]
    fps: float | None
    focus: str | None
    exposure: float | None
    stall: float
    retries: int | None


camera = section(
    "Cameras and streams", "camera", CameraOptions,
    option("--size", metavar="WxH", type=Size(), default="640x480", show_default=True,
           help="Ask a camera for frames of this size."),
    option("--fps", metavar="N", type=Finite(0, 1000, min_open=True), help="Ask it for this many frames a second."),
    option("--focus", metavar="auto|N", type=Focus(),
           help="Focus automatically, or at N, in the driver's units."),
    option("--exposure", metavar="N", type=Finite(0),
           help="Fixed exposure, in the driver's units: with picamera, microseconds."),
    option("--stall", metavar="SECONDS", type=Finite(0.1, 3600), default=5.0, show_default=True,
           help="Reopen a camera or stream that sends no frame for this long."),
    option("--retries", metavar="N", type=click.IntRange(0),
           help="Give up after N failed retries in a row. [default: never, once it has sent a frame]"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MqttOptions:
    """The broker that receives the results, if any, and the queue of unsent results."""

    mqtt: str | None
    mqtt_device: str | None
    mqtt_ca: Path | None
    mqtt_queue: int
    mqtt_spool: Path | None
    mqtt_discovery: bool


mqtt = section(
    "MQTT", "mqtt", MqttOptions,
    option("--mqtt", metavar="URL", type=BrokerAddress(),
           help="Also send the output to a broker: mqtt[s]://[user@]host[:port]."),
    option("--mqtt-device", metavar="NAME", help="Publish under edge-digits/NAME. [default: this host's name]"),
    option("--mqtt-ca", metavar="FILE", type=FILE, help="Trust the certificates in FILE."),
    option("--mqtt-queue", metavar="N", type=click.IntRange(1, 100_000), default=10_000, show_default=True,
           help="Keep the last N messages while the broker is unreachable."),
    option("--mqtt-spool", metavar="FILE", type=FILE, help="Keep the messages that wait for the broker in FILE."),
    option("--mqtt-discovery", is_flag=True, help="Announce the device to Home Assistant."),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CommandOptions:
    """Whether commands over MQTT are executed, and the model file or folder that they may install from."""

    mqtt_commands: bool
    mqtt_model: Path | None
    trusted_key: tuple[Path, ...]


commands = section(
    "MQTT", "commands", CommandOptions,
    option("--mqtt-commands", is_flag=True,
           help="Execute commands that come over MQTT: selftest, restart, install."),
    option("--mqtt-model", metavar="PATH", type=PATH,
           help="The model that the command install installs: a file, or the newest in a folder."),
    option("--trusted-key", metavar="FILE", multiple=True, type=FILE, envvar="EDGE_DIGITS_MODEL_TRUSTED_KEY",
           help="Install only what is signed with this key: Ed25519, in PEM format."),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """The model, None for the installed one, and its number of threads."""

    model: Path | None
    labels: Path | None
    threads: int


network = section(
    "The network", "network", NetworkOptions,
    option("--model", metavar="FILE", type=PATH, help="A .tflite model to use instead of the installed one."),
    option("--labels", metavar="FILE", type=PATH, help="A text file with one label per line, for a model of your own."),
    option("--threads", metavar="N", type=click.IntRange(1, 64), default=1, show_default=True,
           help="Threads for the network; one is fastest for a network this small."),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DecisionOptions:
    """Decision settings: confidence thresholds, 0-1, None for the model's own, and which lines to check."""

    min_confidence: float | None
    min_line_confidence: float | None
    check: str


decision = section(
    "The network", "decision", DecisionOptions,
    option("--min-confidence", metavar="0-1", type=Finite(0, 1),
           help="Minimum confidence of a digit. [default: from the model]"),
    option("--min-line-confidence", metavar="0-1", type=Finite(0, 1),
           help="Minimum confidence of a line; the digits of other lines are rejected. "
           "[default: 1/3 for a digit alone on its line, 0 for several]"),
    option("--check", type=click.Choice(["always", "doubtful", "never"]), default="doubtful", show_default=True,
           help="Which lines the line network rereads as a whole; doubtful: those that may be wrong, and pictures that "
           "are one line."),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """The sections that `read` and `serve` share."""

    report: ReportOptions
    look: LookOptions
    camera: CameraOptions
    mqtt: MqttOptions
    commands: CommandOptions
    network: NetworkOptions
    decision: DecisionOptions


def reading(command: Command) -> Command:
    """Give a command the sections of `ReadingOptions`, and call it with one record of them as `reading`."""
    decorated = section("", "reading", ReadingOptions)(command)
    for each in (decision, network, commands, mqtt, camera, look, report):
        decorated = each(decorated)
    return decorated


@dataclass(frozen=True, kw_only=True)
class TrustOptions:
    """The signature that a model needs."""

    trusted_key: tuple[Path, ...]
    require_signed: bool


trust = section(
    "", "trust", TrustOptions,
    option("--trusted-key", metavar="FILE", multiple=True, type=FILE, envvar="EDGE_DIGITS_MODEL_TRUSTED_KEY",
           help="Accept models signed with this key: Ed25519, in PEM format."),
    option("--require-signed", is_flag=True, envvar="EDGE_DIGITS_MODEL_REQUIRE_SIGNED",
           help="Accept only models signed with a trusted key."),
)  # fmt: skip


def _remember_debug(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    context.find_root().ensure_object(dict)["debug"] = wanted


debug = click.option("--debug", is_flag=True, callback=_remember_debug, expose_value=False,
                     help="Show the full traceback of an error.")  # fmt: skip


def is_debugging() -> bool:
    """Return whether the running command has --debug."""
    return bool(click.get_current_context().find_root().ensure_object(dict).get("debug"))
