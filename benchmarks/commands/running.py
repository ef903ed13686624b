"""The commands that say how fast and how steadily it runs."""

import os
from pathlib import Path

import click

from edge_runtime.system.atomic_files import write_bytes


@click.command()
@click.argument("folder", metavar="[FOLDER]", required=False,
                type=click.Path(path_type=Path, exists=True, file_okay=False))  # fmt: skip
@click.option("--fast", is_flag=True, help="Fewer processes and turns: a first impression, in under two minutes.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/latency",
              show_default=True, help="Where latency.json goes, and pyperf.json.")  # fmt: skip
def latency(folder: Path | None, fast: bool, out: Path) -> None:
    """Time digits, frames and starts, with the models in FOLDER [default: build/standard] and the full Keras network.

    Where there is no such folder, the model that ships is measured alone. Exits with 5 where a limit is missed.
    """
    from benchmarks.speed import latency as measure

    measure.run(folder, out, fast=fast)


@click.command()
@click.argument("folder", metavar="[FOLDER]", type=click.Path(path_type=Path, exists=True, file_okay=False),
                default="build/standard")  # fmt: skip
@click.option("--fast", is_flag=True, help="Fewer processes and turns: a first impression, in a minute or two.")
@click.option("--footprint", is_flag=True,
              help="Also each runtime alone in an environment: fetches 1 GB, once.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/peers",
              show_default=True, help="Where peers.json goes, and the networks for other runtimes.")  # fmt: skip
def peers(folder: Path, fast: bool, footprint: bool, out: Path) -> None:
    """Time one digit in other runtimes, beside the models in FOLDER [default: build/standard], one thread, in turns.

    ONNX Runtime, OpenCV, numpy and Keras get the same weights; how right each reads stands beside how long it takes,
    and how far each is from what this core could do. Exits with 5 where a limit is missed. Needs the extra `bench`.
    """
    from benchmarks.peers import engines as measure

    measure.run(folder, out, fast=fast, measure_footprint=footprint)


@click.command()
@click.option("--minutes", type=click.FloatRange(0.05, 100_000), default=10.0, show_default=True)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/soak",
              show_default=True, help="Where soak.json and soak.png go.")  # fmt: skip
def soak(minutes: float, out: Path) -> None:
    """Read a generated camera for long, and watch ages of frames, memory, threads, files and processor time.

    Linux only; exits with 5 where a limit is missed.
    """
    from benchmarks.charts import soak as soak_chart
    from benchmarks.common import limits
    from benchmarks.service import soak as measure
    from train.report import png

    seconds = measure.run(minutes, out)
    most = limits.read_limits()["soak"]
    write_bytes(out / "soak.png", png(soak_chart.draw(seconds, most)))
    limits.judge(measure.summary(seconds), most, out / "soak.png")


@click.command()
@click.option("--changes", default=12, show_default=True, type=click.IntRange(min=1), help="So many models.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/updates",
              show_default=True, help="Where updates.json and updates.png go.")  # fmt: skip
def updates(changes: int, out: Path) -> None:
    """Install models while a camera is read, and look for gaps between readings, and for readings by anything else.

    Exits with 5 where a limit is missed.
    """
    from benchmarks.charts import updates as updates_chart
    from benchmarks.common import limits
    from benchmarks.service import updates as measure
    from train.report import png

    lines, changed = measure.run(changes, out)
    most = limits.read_limits()["updates"]
    write_bytes(out / "updates.png", png(updates_chart.draw(lines, changed, most["gap_ms"])))
    limits.judge(measure.summary(lines, changed), most, out / "updates.png")


@click.command()
@click.option("--part", "parts", multiple=True, type=click.Choice(("read", "viewers", "long")),
              help="Only this part; may be given again. [default: all]")  # fmt: skip
@click.option("--seconds", type=click.IntRange(1), default=6, show_default=True,
              help="How long each picture is sent over each number of connections.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True,
              help="How often viewers come and go, in each number.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(0.05, 100_000), default=1.0, show_default=True,
              help="How long 64 connections ask.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/serve",
              show_default=True, help="Where serve.json and serve.png go.")  # fmt: skip
def serve(parts: tuple[str, ...], seconds: int, rounds: int, minutes: float, out: Path) -> None:
    """Put load on `edge-digits serve`, over loopback, with wrk.

    \b
    read     POST /api/read over 1, 8 and 64 connections, in turns with the same server's empty answer
    viewers  how old are live frames when read, with 0, 4 and 16 viewers of whom half are stuck?
    long     64 connections for a while: is every answer 200 or 429, and does memory stay the same?

    Linux only, needs wrk; takes six minutes on an idle machine, and exits with 5 where a limit is missed.
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
    serve_table.judge(results, out)


COMMANDS = (latency, peers, soak, updates, serve)
