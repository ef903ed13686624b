"""The commands that say how fast and how steadily it runs."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from benchmarks.common import limits
from benchmarks.common.limits import LimitMissed
from edge_runtime.system.atomic_files import write_bytes


@click.command()
@click.argument("folder", metavar="[FOLDER]", required=False,
                type=click.Path(path_type=Path, exists=True, file_okay=False))  # fmt: skip
@click.option("--fast", is_flag=True, help="Fewer processes and repetitions: an estimate in under two minutes.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/latency",
              show_default=True, help="Where latency.json goes, and pyperf.json.")  # fmt: skip
def latency(folder: Path | None, fast: bool, out: Path) -> None:
    """Time digits, frames and starts, with the models in FOLDER [default: build/standard] and the full Keras network.

    Without such a folder, only the model that ships is measured. Exits with 5 if a limit is missed.
    """
    from benchmarks.speed import latency as measure
    from benchmarks.speed import latency_table

    files = measure.find(folder)
    for line in files.lacking:
        print(line, flush=True)
    measures, energy = measure.run(files, out, fast=fast)
    least, ratios = limits.read_limits()["latency"], latency_table.ratios(measures)
    print("\n".join(latency_table.table(measures, energy, least, ratios)))
    if warning := latency_table.warning(measures):
        print(warning)
    missed = [name for name, ratio in ratios.items() if ratio.value < least[name]]
    if missed:
        raise LimitMissed(f"below its limit: {', '.join(missed)}; {out / 'latency.json'} holds the figures")
    print(f"{'every limit is met' if ratios else 'no limit applies'}; {out / 'latency.json'} holds every value")


@click.command()
@click.argument("folder", metavar="[FOLDER]", type=click.Path(path_type=Path, exists=True, file_okay=False),
                default="build/standard")  # fmt: skip
@click.option("--fast", is_flag=True, help="Fewer processes and repetitions: an estimate in a minute or two.")
@click.option("--footprint", is_flag=True,
              help="Also measure each runtime in its own environment: downloads 1 GB, once.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/peers",
              show_default=True, help="Where peers.json goes, and the networks for other runtimes.")  # fmt: skip
def peers(folder: Path, fast: bool, footprint: bool, out: Path) -> None:
    """Time one digit in other runtimes, beside the models in FOLDER [default: build/standard], one thread, in turns.

    ONNX Runtime, OpenCV, numpy and Keras get the same weights. The table shows accuracy and time of each,
    and its distance from the limit of this core. Exits with 5 if a limit is missed. Needs the extra `bench`.
    """
    from benchmarks.peers import engines as measure
    from benchmarks.peers import footprint as of_footprint
    from benchmarks.peers import limits as peer_limits

    measures, footprints, verdicts = measure.run(folder, out, fast=fast, measure_footprint=footprint)
    parts = (footprints.left_out, measure.table(measures), measure.of_limit(measures),
             of_footprint.table(footprints.figures), peer_limits.table(verdicts))  # fmt: skip
    print("\n".join(line for part in parts for line in part))
    missed = [verdict.missed for verdict in verdicts.values() if not verdict.met]
    if missed:
        raise LimitMissed(f"beyond its limit: {'; '.join(missed)}; {out / 'peers.json'} holds the figures")
    print(f"every limit is met; {out / 'peers.json'} holds the figures")


@click.command()
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--at-most", metavar="N", type=click.IntRange(1),
              help="Pictures of each DIR, a fixed random choice. [default: all]")  # fmt: skip
@click.option("--pages", type=click.IntRange(1), default=1, show_default=True,
              help="Without DIR: pages of each condition and severity.")  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0), default=5_270_611, show_default=True, help="Another seed draws other pages."
)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/readers",
              show_default=True, help="Where readers.json and readers.png go.")  # fmt: skip
def readers(folders: tuple[Path, ...], at_most: int | None, pages: int, seed: int, out: Path) -> None:
    """Compare edge-digits with other readers, in turns, on the pictures in each DIR, which has a truth.jsonl.

    Without DIR, pages are drawn. RapidOCR and Tesseract are measured if they are installed. If all pictures of a DIR
    have one line each, the readers may use that.
    """
    from benchmarks.charts import readers as readers_chart
    from benchmarks.peers.readers import compare as measure
    from benchmarks.peers.readers import size
    from benchmarks.peers.readers.catalog import READERS
    from train.report import png

    without = measure.missing()
    for name, reason in without.items():
        print(f"{name}: {reason}")
    sizes = {name: size.of_reader(name) for name in READERS if name not in without}
    rows: list[measure.Row] = []
    for of_set in measure.run(folders, out, pages=pages, seed=seed, at_most=at_most, without=without, sizes=sizes):
        print("\n".join(measure.table(of_set)), end="\n\n", flush=True)
        rows += of_set
    print("\n".join(measure.table_of_sizes(sizes)))
    sets = readers_chart.points(rows)
    if sets:
        write_bytes(out / "readers.png", png(readers_chart.draw(sets, wide=True)))
    print(f"{out / 'readers.json'} contains all readings")


@click.command()
@click.option("--minutes", type=click.FloatRange(0.05, 100_000), default=10.0, show_default=True)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/soak",
              show_default=True, help="Where soak.json and soak.png go.")  # fmt: skip
def soak(minutes: float, out: Path) -> None:
    """Read a generated camera for a long time, and measure age of frames, memory, threads, files and processor time.

    Linux only; exits with 5 if a limit is missed.
    """
    from benchmarks.charts import soak as soak_chart
    from benchmarks.service import soak as measure
    from train.report import png

    seconds = measure.run(minutes, out)
    most = limits.read_limits()["soak"]
    write_bytes(out / "soak.png", png(soak_chart.draw(seconds, most)))
    _judge(measure.summary(seconds), most, out / "soak.png")


@click.command()
@click.option(
    "--changes", default=12, show_default=True, type=click.IntRange(min=1), help="Number of models to install."
)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/updates",
              show_default=True, help="Where updates.json and updates.png go.")  # fmt: skip
def updates(changes: int, out: Path) -> None:
    """Install models while a camera is read, and look for gaps between readings and for readings by another model.

    Exits with 5 if a limit is missed.
    """
    from benchmarks.charts import updates as updates_chart
    from benchmarks.service import updates as measure
    from train.report import png

    lines, changed = measure.run(changes, out)
    most = limits.read_limits()["updates"]
    write_bytes(out / "updates.png", png(updates_chart.draw(lines, changed, most["gap_ms"])))
    _judge(measure.summary(lines, changed), most, out / "updates.png")


@click.command()
@click.option("--part", "parts", multiple=True, type=click.Choice(("read", "viewers", "long")),
              help="Only this part; may be given again. [default: all]")  # fmt: skip
@click.option("--seconds", type=click.IntRange(1), default=6, show_default=True,
              help="Duration of the load for each picture and number of connections.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True,
              help="How often viewers come and go, for each number of viewers.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(0.05, 100_000), default=1.0, show_default=True,
              help="Duration of the load over 64 connections.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/serve",
              show_default=True, help="Where serve.json and serve.png go.")  # fmt: skip
def serve(parts: tuple[str, ...], seconds: int, rounds: int, minutes: float, out: Path) -> None:
    """Put load on `edge-digits serve`, over loopback, with wrk.

    \b
    read     POST /api/read over 1, 8 and 64 connections, in turns with the same server's empty answer
    viewers  how old are live frames when read, with 0, 4 and 16 viewers of whom half are stuck?
    long     64 connections for a while: is every answer 200 or 429, and does memory stay the same?

    Linux only, needs wrk; takes six minutes on an idle machine; exits with 5 if a limit is missed.
    """
    from benchmarks.charts import serve as serve_chart
    from benchmarks.service import serve as measure
    from benchmarks.service import serve_table
    from train.report import png

    about = {**measure.tools(), "load_average_before": os.getloadavg()[0]}
    asked = parts or measure.PARTS
    results = measure.measure(asked, seconds, rounds, minutes)
    settings = {"parts": list(asked), "seconds": seconds, "rounds": rounds, "minutes": minutes}
    serve_table.write(results, about, settings, out)
    write_bytes(out / "serve.png", png(serve_chart.draw(results)))
    figures, most = serve_table.figures(results), limits.read_limits()["serve"]
    print("\n".join(serve_table.table(results, figures, most)))
    measured = {name: limit for name, limit in most.items() if name in figures}  # a part may be left out
    if missed := limits.beyond(figures, measured):
        raise LimitMissed(f"beyond its limit: {', '.join(missed)}; {out / 'serve.json'} holds the figures")
    print(f"every limit is met; {out / 'serve.json'} contains the figures, {out / 'serve.png'} shows them")


def _judge(figures: Mapping[str, Any], most: Mapping[str, float], chart: Path) -> None:
    """Print figures beside their limits. Raises LimitMissed, naming the chart, if one is above its limit."""
    print("\n".join(limits.table(figures, most)))
    if missed := limits.beyond(figures, most):
        raise LimitMissed(f"beyond its limit: {', '.join(missed)}; {chart} shows when")
    print(f"every limit is met; {chart} shows how it went")


COMMANDS = (latency, peers, readers, soak, updates, serve)
