"""Measure what this project claims.

python -m benchmarks parity build/standard     is each small model as accurate as the full one?
python -m benchmarks lines build/line          is the small line network?
python -m benchmarks latency                   how fast is a digit, and how soon the first one?
python -m benchmarks peers                     how fast and how right are other runtimes with the same weights?
python -m benchmarks pages edge_runtime/samples   how well are pictures read whose digits are known?
python -m benchmarks strings DIR               how well is a picture of one line read, and what is lost?
python -m benchmarks digits DIR...             how good is the model: characters, letters, pictures, size
python -m benchmarks robustness                how well are digits read under hard conditions?
python -m benchmarks sensitivity               what does each number chosen by hand in the reader bring?
python -m benchmarks videos                    how steady are readings of moving pictures?
python -m benchmarks soak                      does reading a camera stay quick and small for long?
python -m benchmarks updates                   is there a gap when the model changes?
python -m benchmarks serve                     what does the web server take, and do viewers slow the pipeline?
python -m benchmarks compare A B               is B worse than A?
python -m benchmarks cost                      what would a frame cost on a Raspberry Pi?
python -m benchmarks report                    one page of all that was measured
python -m benchmarks all                       all of it, and then the page
"""

import io
import sys
from pathlib import Path

import click

from edge_runtime.conditions import CONDITIONS
from train import command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def benchmarks() -> None:
    """Measure what this project claims."""


@benchmarks.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default="build/standard")
def parity(folder: Path) -> None:
    """Compare the model files in FOLDER with its full Keras network; exits with 5 where a limit is missed."""
    from benchmarks import gate

    gate.run(folder)
    print(f"every limit is met; {folder / 'parity.json'} holds the figures")


@benchmarks.command()
@click.argument("folder", metavar="[FOLDER]", required=False,
                type=click.Path(path_type=Path, exists=True, file_okay=False))  # fmt: skip
@click.option("--fast", is_flag=True, help="Fewer processes and turns: a first impression, in under two minutes.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/latency",
              show_default=True, help="Where latency.json goes, and pyperf.json.")  # fmt: skip
def latency(folder: Path | None, fast: bool, out: Path) -> None:
    """Time digits, frames and starts, with the models in FOLDER [default: build/standard] and the full Keras network.

    Where there is no such folder, the model that ships is measured alone. Exits with 5 where a limit is missed.
    """
    from benchmarks import latency as measure

    measure.run(folder, out, fast=fast)


@benchmarks.command()
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
    from benchmarks import peers as measure

    measure.run(folder, out, fast=fast, measure_footprint=footprint)


@benchmarks.command()
@click.argument("folder", metavar="[FOLDER]", type=click.Path(path_type=Path, exists=True, file_okay=False),
                default="build/line")  # fmt: skip
def lines(folder: Path) -> None:
    """Compare the int8 line network in FOLDER [default: build/line] with the full one, on drawn lines.

    Exits with 5 where a limit of thresholds.toml is missed.
    """
    from benchmarks import lines as measure

    measure.run(folder)


@benchmarks.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Where index.html and pages.json go. [default: build/pages/ and the folder's name]")  # fmt: skip
@click.option(
    "--tier", metavar="NAME", help="Only the pages of this tier, or of this category of those without digits."
)
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="A .tflite model of your own.")
@click.option("--labels", metavar="FILE", type=click.Path(path_type=Path), help="Its labels, one a line.")
@click.option("--min-confidence", metavar="0-1", type=click.FloatRange(0, 1), help="The least that a digit needs.")
@click.option("--check", type=click.Choice(("always", "doubtful", "never")), default="doubtful", show_default=True,
              help="Which lines the line network reads again.")  # fmt: skip
@click.option("--turned", metavar="DEGREES", type=click.FloatRange(0, 360, max_open=True), default=0,
              help="Turn each picture clockwise first, to see how the reader copes.")  # fmt: skip
def pages(
    folder: Path, out: Path | None, tier: str | None, model: Path | None, labels: Path | None,
    min_confidence: float | None, check: str, turned: float,
) -> None:  # fmt: skip
    """Read the pictures in DIR and compare with its truth.jsonl; exits with 1 where a picture could not be read."""
    from benchmarks import pages as measure

    measure.run(folder, out, tier, turned, model=model, labels=labels, min_confidence=min_confidence, check=check)


@benchmarks.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--losses", is_flag=True, help="Say what is lost to what, and draw a contact sheet of the worst.")
@click.option("--known-length", is_flag=True, help="Also tell the reader how many digits there are.")
@click.option("--check", type=click.Choice(("always", "doubtful", "never")), default="doubtful", show_default=True,
              help="Which lines the line network reads again.")  # fmt: skip
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="[default: the model that ships]")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Where strings.json and losses.png go. [default: build/strings/ and the folder's name]")  # fmt: skip
def strings(
    folder: Path, losses: bool, known_length: bool, check: str, model: Path | None, out: Path | None
) -> None:  # fmt: skip
    """Read the pictures in DIR, each of one line of digits, and compare with its truth.jsonl."""
    from benchmarks import strings as measure

    measure.run(folder, out, known_length=known_length, losses=losses, check=check, model=model)


@benchmarks.command()
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="[default: the model that ships]")
@click.option("--keras", metavar="FILE", type=click.Path(path_type=Path, exists=True),
              help="The full network, to be measured beside it.")  # fmt: skip
@click.option("--beside", metavar="FILE", type=click.Path(path_type=Path, exists=True),
              help="Another model file: how long does one digit take, against that?")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/digits",
              show_default=True, help="Where digits.json goes.")  # fmt: skip
def digits(folders: tuple[Path, ...], model: Path | None, keras: Path | None, beside: Path | None, out: Path) -> None:
    """Read MNIST's test digits, and what is in each DIR: single characters in .npz files, or pictures and truth.jsonl.

    Prints one table: how well digits are read and how sure the model is, which letters it rejects, what it reads wrong
    in pictures, and how large the file is.
    """
    from benchmarks import digits as measure

    measure.run(folders, model, keras, beside, out)


@benchmarks.command()
@click.option("--condition", "conditions", multiple=True, type=click.Choice(tuple(CONDITIONS)), metavar="NAME",
              help="Only this condition; may be given again. [default: all]")  # fmt: skip
@click.option("--severity", "severities", multiple=True, type=click.IntRange(1, 5), metavar="1-5",
              help="Only this severity; may be given again. [default: all]")  # fmt: skip
@click.option("--pages", type=click.IntRange(1), default=30, show_default=True, help="Of each condition and severity.")
@click.option("--seed", type=click.IntRange(0), default=5_270_611, show_default=True, help="Another draws other pages.")
@click.option("--split", type=click.Choice(("test", "held-out")), default="test", show_default=True,
              help="Whose digits: MNIST's test digits, or the held-out ones, to choose with.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/robustness",
              show_default=True, help="Where robustness.json and robustness.png go.")  # fmt: skip
@click.option("--check", is_flag=True, help="Exit with 5 where a limit of thresholds.toml is missed.")
def robustness(
    conditions: tuple[str, ...], severities: tuple[int, ...], pages: int, seed: int, split: str, out: Path, check: bool
) -> None:
    """Draw pages under each condition, from easy to hard, read them, and compare."""
    from benchmarks import robustness as measure

    measure.run(out, conditions, severities, pages=pages, seed=seed, split=split, check=check)


@benchmarks.command()
@click.option("--pages", type=click.IntRange(1), default=2, show_default=True, help="Of each condition.")
@click.option("--photos", multiple=True, metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Also the pictures of this folder with a truth.jsonl; may be given again.")  # fmt: skip
@click.option("--only", multiple=True, metavar="NAME",
              help="Only this number, as planes.VGA; may be given again. [default: all]")  # fmt: skip
@click.option("--markdown", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Where the table goes as a page of documentation.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/sensitivity",
              show_default=True, help="Where sensitivity.json goes.")  # fmt: skip
def sensitivity(pages: int, photos: tuple[Path, ...], only: tuple[str, ...], markdown: Path | None, out: Path) -> None:
    """Move each number chosen by hand in edge_runtime/vision 20 % up and down, one at a time, and read pages.

    Says by how much the errors rise on generated pages and on the pictures of each DIR; takes two processes.
    """
    from benchmarks import sensitivity as measure

    measure.run(out, pages, photos, only, markdown)


@benchmarks.command()
@click.option("--videos", "count", type=click.IntRange(1), default=20, show_default=True, help="How many to draw.")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Another draws others.")
@click.option("--hands", metavar="0-1", type=click.FloatRange(0, 1), default=0.0, show_default=True,
              help="Over so many of the pages a hand passes.")  # fmt: skip
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="[default: the model that ships]")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/videos",
              show_default=True, help="Where videos.json goes.")  # fmt: skip
def videos(count: int, seed: int, hands: float, model: Path | None, out: Path) -> None:
    """Draw videos of pages that are shown, hidden, swapped and shaken, and compare what is reported with them."""
    from benchmarks import videos as measure

    measure.run(count, seed, hands, model, out)


@benchmarks.command()
@click.option("--minutes", type=click.FloatRange(0.05, 100_000), default=10.0, show_default=True)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/soak",
              show_default=True, help="Where soak.json and soak.png go.")  # fmt: skip
def soak(minutes: float, out: Path) -> None:
    """Read a generated camera for long, and watch ages of frames, memory, threads, files and processor time.

    Linux only; exits with 5 where a limit is missed.
    """
    from benchmarks import soak as measure

    measure.run(minutes, out)


@benchmarks.command()
@click.option("--changes", default=12, show_default=True, type=click.IntRange(min=1), help="So many models.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/updates",
              show_default=True, help="Where updates.json and updates.png go.")  # fmt: skip
def updates(changes: int, out: Path) -> None:
    """Install models while a camera is read, and look for gaps between readings, and for readings by anything else.

    Exits with 5 where a limit is missed.
    """
    from benchmarks import updates as measure

    measure.run(changes, out)


@benchmarks.command()
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
    from benchmarks import serve as measure

    measure.run(parts, seconds, rounds, minutes, out)


@benchmarks.command()
@click.argument("before", type=click.Path(path_type=Path, exists=True))
@click.argument("after", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--across", is_flag=True, help="Also results of different machines; times have no limit then.")
def compare(before: Path, after: Path | None, across: bool) -> None:
    """Compare two results, or two folders of results; exits with 5 where AFTER is worse than BEFORE beyond a limit.

    With one of them, it is compared with the baseline of its machine, if benchmarks/baselines has one.
    """
    from benchmarks import compare as measure

    measure.run(before, after, across)


@benchmarks.command()
@click.option("--bench", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="What `edge-digits bench --out FILE` wrote. [default: the committed one]")  # fmt: skip
@click.option("--update", is_flag=True, help="Also put the tables into docs/cost-model.md.")
def cost(bench: Path | None, update: bool) -> None:
    """Estimate what a frame takes on Raspberry Pis, from counted work, a measured machine and published figures.

    Where FILE is of a Raspberry Pi, what it measured is shown beside what was estimated of it.
    """
    from benchmarks import cost as estimate

    estimate.run(bench, update)


@benchmarks.command()
@click.argument("folder", metavar="[FOLDER]", type=click.Path(path_type=Path, exists=True, file_okay=False),
                default="build")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Where index.html and README.md go. [default: report/ in FOLDER]")  # fmt: skip
@click.option("--recipe", metavar="NAME", help="Whose parity is shown. [default: the one measured last]")
@click.option("--mixed", is_flag=True, help="Also results of several machines; the page says which are of which.")
def report(folder: Path, out: Path | None, recipe: str | None, mixed: bool) -> None:
    """Make one page, and a table for a README, from whatever results are in FOLDER [default: build].

    Exits with 1 where results are of several machines, and where one cannot be shown, though the page is made then.
    """
    from benchmarks import report as make

    make.run(folder, out, recipe, mixed=mixed)


@benchmarks.command("all")
@click.option("--fast", is_flag=True, help="Quick settings: a first impression, in under ten minutes.")
@click.option("--only", "names", metavar="NAME", multiple=True,
              help="Only this part; may be given again. [default: all]")  # fmt: skip
def every_benchmark(fast: bool, names: tuple[str, ...]) -> None:
    """Run every benchmark, each in a process of its own, and then make the page.

    What each prints goes to build/all/NAME.txt. One that fails stops none of the others; exits with 1 then, and with 5
    where a limit is missed.
    """
    from benchmarks import every

    every.run(every.chosen(every.QUICK if fast else every.WHOLE, names), Path("build/all"))


def main() -> None:
    """Run the command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a picture's name may hold what cannot be encoded
    command.run(benchmarks)


if __name__ == "__main__":
    main()
