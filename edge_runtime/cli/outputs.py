"""Outputs: the sinks that the options of `edge-digits read` select."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from edge_runtime.cli.options import LookOptions, ReadingOptions, ResultOptions
from edge_runtime.errors import OptionError, OutputError
from edge_runtime.system.state_folder import state_folder

if TYPE_CHECKING:
    from edge_runtime.reader import Reader
    from edge_runtime.records import Frame, Uint8
    from edge_runtime.sinks.sink import Sink
    from edge_runtime.trace import Trace


def sinks(
    results: ResultOptions,
    reading: ReadingOptions,
    sources: Sequence[str],
    reader: "Reader",
    write: Callable[[str], None],
) -> "list[Sink]":
    """Return the open sinks; `write` takes a line of results.

    Sinks with a file, a window or a connection hold it open from now on. Raises OptionError where an option is invalid,
    OutputError where a sink cannot be opened, DependencyMissing where a package is missing; then no sink stays open.
    """
    return _opened(_sinks(results, reading, sources, reader, write))


def standing(reading: ReadingOptions, reader: "Reader") -> "list[Sink]":
    """Return the sinks of a service: a log, a broker, a line a minute. Raises what `sinks` raises."""
    return _opened(_standing(reading, reader))


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
    reader: "Reader",
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

        labels = reader.classifier.labels
        yield Pictures(results.explain, lambda frame, trace: explain.explain(trace, labels), results.keep)
    yield from _standing(reading, reader)
    if results.video is not None:
        from edge_runtime.sinks.videos import Video

        yield Video(results.video, annotated)
    if results.window:
        from edge_runtime.sinks.window import Window

        yield Window(annotated)


def _standing(reading: ReadingOptions, reader: "Reader") -> "Iterator[Sink]":
    """Yield the sinks that a service has too."""
    report = reading.report
    if report.log is not None:
        from edge_runtime.sinks.rotating import JsonFile

        yield JsonFile(report.log, max(1, round(report.log_size * 1e6)), report.log_keep)
    if reading.mqtt.mqtt is not None:
        yield _mqtt(reading.mqtt.mqtt, reading, reader)
    if report.stats:
        from edge_runtime.sinks.stats import Stats

        yield Stats()


def _mqtt(address: str, reading: ReadingOptions, reader: "Reader") -> "Sink":
    from edge_runtime.cli.actions import actions
    from edge_runtime.sinks.mqtt.broker import Broker
    from edge_runtime.sinks.mqtt.sink import Mqtt
    from edge_runtime.system.device_name import device_name

    mqtt = reading.mqtt
    broker = Broker.parse(address, os.environ, mqtt.mqtt_ca)
    device = device_name(mqtt.mqtt_device)
    queue = mqtt.mqtt_spool or state_folder() / f"mqtt-{device}.sqlite"
    done = actions(reading, reader) if reading.commands.mqtt_commands else None
    return Mqtt(broker, queue, device=device, limit=mqtt.mqtt_queue, announce=mqtt.mqtt_discovery, actions=done)


def check(sources: Sequence[str], reading: ReadingOptions, results: ResultOptions | None = None) -> None:
    """Raise OptionError where one file would overwrite another, or where options conflict."""
    from edge_runtime.sources.kinds import files, kind_of

    report, mqtt, network, commands = reading.report, reading.mqtt, reading.network, reading.commands
    _check_ends(sources, reading.look)
    named = [path for source in sources if source != "-" and not kind_of(source).live for path in files(source)]
    if results is not None:
        _check_folders(named, results)
    taken = {os.path.realpath(path): "what is read" for path in named}
    read = {"--model": network.model, "--labels": network.labels, "--mqtt-ca": mqtt.mqtt_ca}
    read |= {"--mqtt-model": commands.mqtt_model}
    taken |= {os.path.realpath(path): option for option, path in read.items() if path is not None}
    taken |= {os.path.realpath(path): "--trusted-key" for path in commands.trusted_key}
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
    _check_commands(sources, reading)


def _check_commands(sources: Sequence[str], reading: ReadingOptions) -> None:
    """Raise OptionError where commands have no broker, no source that lasts, or no model that they may install."""
    from edge_runtime.sources.kinds import kind_of

    commands = reading.commands
    if not commands.mqtt_commands:
        if commands.mqtt_model is not None:
            raise OptionError("--mqtt-model requires --mqtt-commands")
        return
    if reading.mqtt.mqtt is None:
        raise OptionError("--mqtt-commands requires --mqtt")
    if sources and not reading.look.watch and not any(kind_of(source).live for source in sources):
        raise OptionError("--mqtt-commands requires a camera, a stream or --watch: nothing else reads for long")
    if commands.mqtt_model is not None and not commands.trusted_key:
        raise OptionError("--mqtt-model requires --trusted-key FILE: commands install only signed models")
    if commands.mqtt_model is not None and reading.network.model is not None:
        raise OptionError("--mqtt-model installs into the model store, which --model replaces: leave out one of them")


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
