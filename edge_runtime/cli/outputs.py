"""Outputs: the sinks that the options of `edge-digits read` select."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from edge_runtime.cli.options import LookOptions, MqttOptions, ReadingOptions, ResultOptions
from edge_runtime.errors import OptionError, OutputError
from edge_runtime.system.state_folder import state_folder

if TYPE_CHECKING:
    from edge_runtime.records import Frame, Uint8
    from edge_runtime.sinks.sink import Sink
    from edge_runtime.trace import Trace


def sinks(
    results: ResultOptions,
    reading: ReadingOptions,
    sources: Sequence[str],
    labels: Sequence[str],
    write: Callable[[str], None],
) -> "list[Sink]":
    """Return the open sinks; `write` takes a line of results.

    Sinks with a file, a window or a connection hold it open from now on. Raises OptionError where an option is invalid,
    OutputError where a sink cannot be opened, DependencyMissing where a package is missing; then no sink stays open.
    """
    return _opened(_sinks(results, reading, sources, labels, write))


def standing(reading: ReadingOptions) -> "list[Sink]":
    """Return the sinks of a service: a log, a broker, a line a minute. Raises what `sinks` raises."""
    return _opened(_standing(reading))


def _opened(sinks: "Iterator[Sink]") -> "list[Sink]":
    made: list[Sink] = []
    with ExitStack() as opened:
        for sink in sinks:
            made.append(sink)
            opened.callback(_close, sink)
        opened.pop_all()
    return made


def _close(sink: "Sink") -> None:
    with suppress(OutputError):  # the error to report is why the next sink failed to open
        sink.close()


def _sinks(
    results: ResultOptions,
    reading: ReadingOptions,
    sources: Sequence[str],
    labels: Sequence[str],
    write: Callable[[str], None],
) -> "Iterator[Sink]":
    from edge_runtime.sinks.lines import JsonLines, Text
    from edge_runtime.sources.kinds import files

    def annotated(frame: "Frame", trace: "Trace") -> "Uint8":
        from edge_runtime.sinks import draw

        return draw.annotate(frame, trace.reading)

    several = len(sources) > 1 or os.path.isdir(sources[0]) or files(sources[0]) != [sources[0]]
    yield JsonLines(write) if results.json else Text(write, several)
    if results.annotate is not None:
        from edge_runtime.sinks.pictures import Pictures

        yield Pictures(results.annotate, annotated, results.keep)
    if results.explain is not None:
        from edge_runtime.sinks import explain
        from edge_runtime.sinks.pictures import Pictures

        yield Pictures(results.explain, lambda frame, trace: explain.explain(trace, labels), results.keep)
    yield from _standing(reading)
    if results.video is not None:
        from edge_runtime.sinks.videos import Video

        yield Video(results.video, None, annotated)
    if results.window:
        from edge_runtime.sinks.window import Window

        yield Window(annotated)


def _standing(reading: ReadingOptions) -> "Iterator[Sink]":
    """Yield the sinks that a service has too."""
    report, mqtt = reading.report, reading.mqtt
    if report.log is not None:
        from edge_runtime.sinks.rotating import JsonFile

        yield JsonFile(report.log, max(1, round(report.log_size * 1e6)), report.log_keep)
    if mqtt.mqtt is not None:
        yield _mqtt(mqtt.mqtt, mqtt)
    if report.stats:
        from edge_runtime.sinks.stats import Stats

        yield Stats()


def _mqtt(address: str, mqtt: MqttOptions) -> "Sink":
    from edge_runtime.sinks.mqtt.broker import Broker
    from edge_runtime.sinks.mqtt.sink import Mqtt, device_name

    broker = Broker.parse(address, os.environ, mqtt.mqtt_ca)
    device = device_name(mqtt.mqtt_device)
    queue = mqtt.mqtt_spool or state_folder() / f"mqtt-{device}.sqlite"
    return Mqtt(broker, queue, device=device, limit=mqtt.mqtt_queue, announce=mqtt.mqtt_discovery)


def check(sources: Sequence[str], reading: ReadingOptions, results: ResultOptions | None = None) -> None:
    """Raise OptionError where one file would overwrite another, or where options conflict."""
    from edge_runtime.sources.kinds import files, kind_of

    report, mqtt, network = reading.report, reading.mqtt, reading.network
    _check_ends(sources, reading.look)
    named = [path for source in sources if source != "-" and not kind_of(source).live for path in files(source)]
    if results is not None:
        _check_folders(named, results)
    taken = {os.path.realpath(path): "what is read" for path in named}
    read = {"--model": network.model, "--labels": network.labels, "--mqtt-ca": mqtt.mqtt_ca}
    taken |= {os.path.realpath(path): option for option, path in read.items() if path is not None}
    written = {"--log": report.log, "--video": results.video if results else None, "--mqtt-spool": mqtt.mqtt_spool}
    for option, path in written.items():
        if path is None:
            continue
        real = os.path.realpath(path)
        if real in taken:
            raise OptionError(f"{option} {path} would overwrite {taken[real]}: choose another file")
        taken[real] = option
    alone = ("mqtt_device", "mqtt_ca", "mqtt_spool", "mqtt_discovery")
    useless = [name for name in alone if getattr(mqtt, name)]
    if useless and mqtt.mqtt is None:
        raise OptionError(f"--{useless[0].replace('_', '-')} requires --mqtt")


def _check_ends(sources: Sequence[str], look: LookOptions) -> None:
    """Raise OptionError where an endless source is not the last one, or where a watched source is no folder."""
    from edge_runtime.sources.kinds import kind_of, public

    endless = [source for source in sources[:-1] if kind_of(source).live or look.watch]
    if endless and look.frames is None:
        first = public(endless[0])
        raise OptionError(f"{first} never ends: name it last, or limit the frames of each source with --frames")
    for source in sources if look.watch else ():
        if kind_of(source).moving or not os.path.isdir(source):
            what = "not a folder" if kind_of(source).moving or os.path.exists(source) else "no such folder"
            raise OptionError(f"{public(source)}: {what}, but --watch requires a folder (such as ./{public(source)})")


def _check_folders(named: Sequence[str], results: ResultOptions) -> None:
    """Raise OptionError where output pictures would overwrite the input pictures or each other."""
    homes = {path if os.path.isdir(path) else os.path.dirname(path) for path in named}
    for option, folder in (("--annotate", results.annotate), ("--explain", results.explain)):
        if folder is not None and os.path.realpath(folder) in map(os.path.realpath, homes):
            raise OptionError(f"{option} {folder} would overwrite the pictures there: choose another folder")
    annotate, explain = results.annotate, results.explain
    if annotate is not None and explain is not None and os.path.realpath(annotate) == os.path.realpath(explain):
        raise OptionError(f"--annotate and --explain would overwrite each other in {explain}: choose two folders")
