"""Measure what this project claims.

python -m benchmarks parity build/standard     is each small model as accurate as the full one?
python -m benchmarks lines build/line          is the small line network?
python -m benchmarks latency                   how fast is a digit, and how soon the first one?
python -m benchmarks peers                     how fast and how right are other runtimes with the same weights?
python -m benchmarks readers [DIR...]          how fast and how right are other programs that read digits?
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
python -m benchmarks report                    one page of all that was measured
python -m benchmarks all                       all of it, and then the page
"""

import io
import sys
from pathlib import Path

import click

from benchmarks.commands import accuracy, running
from benchmarks.common.limits import LimitMissed
from edge_runtime.system.atomic_files import write_bytes
from train import command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def benchmarks() -> None:
    """Measure what this project claims."""


@benchmarks.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default="build/standard")
def parity(folder: Path) -> None:
    """Compare the model files in FOLDER with its full Keras network; exits with 5 if a limit is missed."""
    from benchmarks.accuracy import gate
    from benchmarks.accuracy import parity as measure
    from train.report import contact_sheet, png

    results, missed, flipped = gate.run(folder)
    for name, (images, captions) in flipped.items():
        path = folder / "report" / f"flipped-{name}.png"
        if captions:
            write_bytes(path, png(contact_sheet(255 - images.astype(float), captions, columns=8)))
        else:
            path.unlink(missing_ok=True)
    print(measure.table(results))
    if missed:
        raise LimitMissed(f"the parity gate is missed: {'; '.join(missed)}")
    print(f"every limit is met; {folder / 'parity.json'} holds the figures")


@benchmarks.command()
@click.argument("folder", metavar="[FOLDER]", type=click.Path(path_type=Path, exists=True, file_okay=False),
                default="build/line")  # fmt: skip
def lines(folder: Path) -> None:
    """Compare the int8 line network in FOLDER [default: build/line] with the full one, on drawn lines.

    Exits with 5 if a limit of thresholds.toml is missed.
    """
    from benchmarks.accuracy import lines as measure

    measures, missed, count, size = measure.run(folder)
    full, int8, agreement, drop = (measures[name].value for name in ("full", "int8", "agreement", "drop"))
    print(f"{count:,} drawn lines read exactly: {full:.2f} % by the full network, {int8:.2f} % in int8, drop "
          f"{drop:.2f} points; they agree on {agreement:.2f} %; int8 takes {size:,} bytes")  # fmt: skip
    if missed:
        raise LimitMissed(f"the line network misses {'; '.join(missed)}")


@benchmarks.command()
@click.argument("before", type=click.Path(path_type=Path, exists=True))
@click.argument("after", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--across", is_flag=True, help="Also compare results of different machines; times then have no limit.")
def compare(before: Path, after: Path | None, across: bool) -> None:
    """Compare two results, or two folders of results; exits with 5 if AFTER is worse than BEFORE beyond a limit.

    A single one is compared with the baseline of its machine, if benchmarks/baselines has one.
    """
    from benchmarks.common import compare as measure

    missed: list[str] = []
    for comparison in measure.run(before, after, across):
        print("\n".join(measure.table(comparison)))
        missed += comparison.missed
    if missed:
        raise LimitMissed(f"worse than it was: {', '.join(missed)}")


@benchmarks.command()
@click.argument("folder", metavar="[FOLDER]", type=click.Path(path_type=Path, exists=True, file_okay=False),
                default="build")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Where index.html and README.md go. [default: report/ in FOLDER]")  # fmt: skip
@click.option("--recipe", metavar="NAME", help="The recipe whose parity is shown. [default: the one measured last]")
@click.option(
    "--mixed", is_flag=True, help="Also show results of several machines; the page says which result is of which."
)
def report(folder: Path, out: Path | None, recipe: str | None, mixed: bool) -> None:
    """Make one page, and a table for a README, from the results in FOLDER [default: build].

    Exits with 1 if results are of several machines, or if one cannot be shown; in the latter case it still makes the
    page.
    """
    from benchmarks.report import build as make

    out = out or folder / "report"
    shown, damaged = make.run(folder, out, recipe, mixed=mixed)
    print(f"{out / 'index.html'} shows {shown} results; {out / 'README.md'} is a table for a README")
    if damaged:
        raise make.ResultsDamaged(f"cannot be shown: {'; '.join(damaged)}")


@benchmarks.command("all")
@click.option("--fast", is_flag=True, help="Quick settings: an estimate in under ten minutes.")
@click.option("--only", "names", metavar="NAME", multiple=True,
              help="Only this part; may be given again. [default: all]")  # fmt: skip
def every_benchmark(fast: bool, names: tuple[str, ...]) -> None:
    """Run every benchmark, each in a process of its own, and then make the page.

    Each writes its output to build/all/NAME.txt. One that fails does not stop the others; exits with 1 then, and with 5
    if a limit is missed.
    """
    from benchmarks import every

    parts = every.chosen(every.QUICK if fast else every.WHOLE, names)
    outcomes: list[every.Outcome] = []
    try:
        for outcome in every.run(parts, Path("build/all")):
            outcomes.append(outcome)  # one by one: an interrupt leaves those that are done
    finally:
        print("\n".join(every.summary(outcomes)), flush=True)
    every.check(outcomes)


for each in (*accuracy.COMMANDS, *running.COMMANDS):
    benchmarks.add_command(each)


def main() -> None:
    """Run the command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may not be encodable
    command.run(benchmarks)


if __name__ == "__main__":
    main()
