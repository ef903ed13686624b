"""Where results go: the sinks that the options of `edge-digits read` ask for."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.cli.read_options import OptionValues
from edge_runtime.errors import OptionError, OutputError
from edge_runtime.system.state_folder import state_folder

if TYPE_CHECKING:
    from edge_runtime.records import Frame, Uint8
    from edge_runtime.sinks.sink import Sink
    from edge_runtime.trace import Trace


def sinks(
    options: OptionValues, sources: Sequence[str], labels: Sequence[str], write: Callable[[str], None]
) -> "list[Sink]":
    """Return the sinks; `write` takes a line of results.

    Those that hold a file, a window or a connection open do so from now on. Raises OptionError where an option makes no
    sense, OutputError where one cannot be opened, DependencyMissing where a package is missing; none is open then.
    """
    return _opened(_sinks(options, sources, labels, write))


def standing(options: OptionValues) -> "list[Sink]":
    """Return the sinks of a service: a log, a broker, a line a minute. Raises what `sinks` raises."""
    return _opened(_standing(options))


def _opened(sinks: "Iterator[Sink]") -> "list[Sink]":
    made: list[Sink] = []
    with ExitStack() as opened:
        for sink in sinks:
            made.append(sink)
            opened.callback(_close, sink)
        opened.pop_all()
    return made


def _close(sink: "Sink") -> None:
    with suppress(OutputError):  # why the next one cannot be opened is what is to be told
        sink.close()


def _sinks(
    options: OptionValues, sources: Sequence[str], labels: Sequence[str], write: Callable[[str], None]
) -> "Iterator[Sink]":  # fmt: skip
    from edge_runtime.sinks.lines import JsonLines, Text
    from edge_runtime.sources.kinds import files

    def annotated(frame: "Frame", trace: "Trace") -> "Uint8":
        from edge_runtime.sinks import draw

        return draw.annotate(frame, trace.reading)

    several = len(sources) > 1 or os.path.isdir(sources[0]) or files(sources[0]) != [sources[0]]
    yield JsonLines(write) if options["json"] else Text(write, several)
    if options["annotate"] is not None:
        from edge_runtime.sinks.pictures import Pictures

        yield Pictures(options["annotate"], annotated, options["keep"])
    if options["explain"] is not None:
        from edge_runtime.sinks import explain
        from edge_runtime.sinks.pictures import Pictures

        yield Pictures(options["explain"], lambda frame, trace: explain.explain(trace, labels), options["keep"])
    yield from _standing(options)
    if options["video"] is not None:
        from edge_runtime.sinks.videos import Video

        yield Video(options["video"], None, annotated)
    if options["window"]:
        from edge_runtime.sinks.window import Window

        yield Window(annotated)


def _standing(options: OptionValues) -> "Iterator[Sink]":
    """Yield those that a service has too."""
    if options["log"] is not None:
        from edge_runtime.sinks.rotating import JsonFile

        yield JsonFile(options["log"], max(1, round(options["log_size"] * 1e6)), options["log_keep"])
    if options["mqtt"] is not None:
        yield _mqtt(options)
    if options["stats"]:
        from edge_runtime.sinks.stats import Stats

        yield Stats()


def _mqtt(options: OptionValues) -> "Sink":
    from edge_runtime.sinks.mqtt.broker import Broker
    from edge_runtime.sinks.mqtt.sink import Mqtt, device_name

    broker = Broker.parse(options["mqtt"], os.environ, options["mqtt_ca"])
    device = device_name(options["mqtt_device"])
    queue = options["mqtt_spool"] or state_folder() / f"mqtt-{device}.sqlite"
    return Mqtt(broker, queue, device=device, limit=options["mqtt_queue"], announce=options["mqtt_discovery"])


def check(options: OptionValues, sources: Sequence[str]) -> None:
    """Raise OptionError where a picture would be written over another one, or options do not go together."""
    from edge_runtime.sources.kinds import files, kind_of, public

    endless = [source for source in sources[:-1] if kind_of(source).live or options["watch"]]
    if endless and options["frames"] is None:
        first = public(endless[0])
        raise OptionError(f"{first} has no end: name it last, or say how many --frames of each source to read")
    for source in sources if options["watch"] else ():
        if kind_of(source).moving or not os.path.isdir(source):
            what = "not a folder" if kind_of(source).moving or os.path.exists(source) else "no such folder"
            raise OptionError(f"{public(source)}: {what}, and --watch goes with folders alone (as ./{public(source)})")
    named = [path for source in sources if source != "-" and not kind_of(source).live for path in files(source)]
    homes = {path if os.path.isdir(path) else os.path.dirname(path) for path in named}
    folders: dict[str, Path | None] = {"--annotate": options["annotate"], "--explain": options["explain"]}
    for option, folder in folders.items():
        if folder is not None and os.path.realpath(folder) in map(os.path.realpath, homes):
            raise OptionError(f"{option} {folder} would write over the pictures there: name another folder")
    annotate, explain = folders.values()
    if annotate is not None and explain is not None and os.path.realpath(annotate) == os.path.realpath(explain):
        raise OptionError(f"--annotate and --explain would write over each other in {explain}: name two folders")
    taken = {os.path.realpath(path): "what is read" for path in named}
    taken |= {os.path.realpath(options[key]): f"--{key.replace('_', '-')}"
              for key in ("model", "labels", "mqtt_ca") if options[key] is not None}  # fmt: skip
    for key in ("log", "video", "mqtt_spool"):
        if options[key] is None:
            continue
        option, path = f"--{key.replace('_', '-')}", os.path.realpath(options[key])
        if path in taken:
            raise OptionError(f"{option} {options[key]} would write over {taken[path]}: name another file")
        taken[path] = option
    alone = [key for key in ("mqtt_device", "mqtt_ca", "mqtt_spool", "mqtt_discovery") if options[key]]
    if alone and options["mqtt"] is None:
        raise OptionError(f"--{alone[0].replace('_', '-')} goes with --mqtt alone")
