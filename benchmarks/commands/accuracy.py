"""The commands that say how well digits are read."""

from pathlib import Path

import click
import cv2

from benchmarks.accuracy.truth import printable
from edge_runtime.errors import PictureError
from edge_runtime.system.atomic_files import write_bytes, write_text
from train.conditions import CONDITIONS


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Where index.html and pages.json go. [default: build/pages/ and the folder's name]")  # fmt: skip
@click.option(
    "--tier", metavar="NAME", help="Only the pages of this tier, or of this category of those without digits."
)
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="A .tflite model of your own.")
@click.option("--labels", metavar="FILE", type=click.Path(path_type=Path), help="Its labels, one a line.")
@click.option("--min-confidence", metavar="0-1", type=click.FloatRange(0, 1), help="Minimum confidence of a digit.")
@click.option("--check", type=click.Choice(("always", "doubtful", "never")), default="doubtful", show_default=True,
              help="Which lines the line network rereads.")  # fmt: skip
@click.option("--turned", metavar="DEGREES", type=click.FloatRange(0, 360, max_open=True), default=0,
              help="Rotate each picture clockwise first, to measure how the reader copes.")  # fmt: skip
def pages(
    folder: Path, out: Path | None, tier: str | None, model: Path | None, labels: Path | None,
    min_confidence: float | None, check: str, turned: float,
) -> None:  # fmt: skip
    """Read the pictures in DIR and compare with its truth.jsonl; exits with 1 if a picture could not be read."""
    from benchmarks.accuracy import coverage, gallery
    from benchmarks.accuracy import pages as measure
    from benchmarks.charts.coverage import draw
    from train.report import png

    out = out or Path("build", "pages", folder.resolve().name)
    results = measure.run(
        folder, out, tier, turned, model=model, labels=labels, min_confidence=min_confidence, check=check
    )
    lines = measure.lines_of(results)
    chart = gallery.Chart(coverage.describe(lines), png(draw(lines))) if lines else None
    write_text(out / "index.html", measure.show(results, chart))
    print(f"{measure.report(results)}\n\n{printable(str(out / 'index.html'))} shows every page")
    if results.unreadable:
        count = len(results.unreadable)
        raise PictureError(f"{count} of {count + len(results.pages)} pictures could not be read")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--losses", is_flag=True, help="Count the losses by cause, and draw a contact sheet of the worst.")
@click.option("--known-length", is_flag=True, help="Also give the reader the number of digits.")
@click.option("--check", type=click.Choice(("always", "doubtful", "never")), default="doubtful", show_default=True,
              help="Which lines the line network rereads.")  # fmt: skip
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="[default: the model that ships]")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="Where strings.json and losses.png go. [default: build/strings/ and the folder's name]")  # fmt: skip
def strings(
    folder: Path, losses: bool, known_length: bool, check: str, model: Path | None, out: Path | None
) -> None:  # fmt: skip
    """Read the pictures in DIR, each of one line of digits, and compare with its truth.jsonl."""
    from benchmarks.accuracy import strings as measure
    from benchmarks.charts import losses as losses_chart

    out = out or Path("build", "strings", folder.resolve().name)
    read = measure.run(folder, out, known_length=known_length, check=check, model=model)
    print(measure.report(read))
    if losses:
        print(measure.table(read))
        write_bytes(out / "losses.png", cv2.imencode(".png", losses_chart.draw(folder, read))[1].tobytes())
        print(f"{printable(str(out / 'losses.png'))} shows the worst of each")


@click.command()
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="[default: the model that ships]")
@click.option("--keras", metavar="FILE", type=click.Path(path_type=Path, exists=True),
              help="Also measure this full network.")  # fmt: skip
@click.option("--beside", metavar="FILE", type=click.Path(path_type=Path, exists=True),
              help="Another model file, to compare the time of one digit.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/digits",
              show_default=True, help="Where digits.json goes.")  # fmt: skip
def digits(folders: tuple[Path, ...], model: Path | None, keras: Path | None, beside: Path | None, out: Path) -> None:
    """Read MNIST's test digits, and each DIR: single characters in .npz files, or pictures and truth.jsonl.

    Prints one table: how well digits are read and how sure the model is, which letters it rejects, what it reads wrong
    in pictures, and how large the file is.
    """
    from benchmarks.accuracy import digits as measure
    from benchmarks.charts import reliability
    from train.report import png

    results = measure.run(folders, model, keras, beside, out)
    chart = reliability.draw({name: own["digits"] for name, own in results.models.items()})
    write_bytes(out / "reliability.png", png(chart))
    print(measure.table(results.models))
    size, temperature = results.about["bytes"], results.about["temperature"]
    print(f"{size:,} bytes, temperature {temperature:.3f}; {out / 'digits.json'} holds the figures")
    if beside is not None:
        print(f"one digit takes {results.about['latency_ratio']:.2f} times as long as with {beside}, in the same run")
    if results.unreadable:
        count, (_, first) = len(results.unreadable), results.unreadable[0]
        raise PictureError(f"{count} pictures could not be read, the first: {first}")


@click.command()
@click.option("--condition", "conditions", multiple=True, type=click.Choice(tuple(CONDITIONS)), metavar="NAME",
              help="Only this condition; may be given again. [default: all]")  # fmt: skip
@click.option("--severity", "severities", multiple=True, type=click.IntRange(1, 5), metavar="1-5",
              help="Only this severity; may be given again. [default: all]")  # fmt: skip
@click.option(
    "--pages", type=click.IntRange(1), default=30, show_default=True, help="Pages of each condition and severity."
)
@click.option(
    "--seed", type=click.IntRange(0), default=5_270_611, show_default=True, help="Another seed draws other pages."
)
@click.option("--split", type=click.Choice(("test", "held-out")), default="test", show_default=True,
              help="MNIST's test digits, or the held-out ones, which choices may use.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/robustness",
              show_default=True, help="Where robustness.json and robustness.png go.")  # fmt: skip
@click.option("--check", is_flag=True, help="Exit with 5 if a limit of thresholds.toml is missed.")
def robustness(
    conditions: tuple[str, ...], severities: tuple[int, ...], pages: int, seed: int, split: str, out: Path, check: bool
) -> None:
    """Draw pages under each condition, from easy to hard, read them, and compare."""
    from benchmarks.accuracy import robustness as measure
    from benchmarks.charts import robustness as robustness_chart
    from benchmarks.common.limits import LimitMissed, read_limits
    from train.report import png

    cells = measure.run(out, conditions, severities, pages=pages, seed=seed, split=split)
    limits = read_limits()["robustness"]
    missed = measure.misses(cells, limits)
    write_bytes(out / "robustness.png", png(robustness_chart.draw(cells, limits)))
    print(f"{measure.table(cells)}\n\n{measure.summary(cells, missed, limits)}\n{out / 'robustness.png'} shows it")
    if check and missed:
        raise LimitMissed(f"{len(missed)} robustness limits are missed; the first: {missed[0]}")


@click.command()
@click.option("--pages", type=click.IntRange(1), default=2, show_default=True, help="Pages of each condition.")
@click.option("--photos", multiple=True, metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Also the pictures of this folder with a truth.jsonl; may be given again.")  # fmt: skip
@click.option("--only", multiple=True, metavar="NAME",
              help="Only this number, such as planes.VGA; may be given again. [default: all]")  # fmt: skip
@click.option("--markdown", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              help="Where the table goes as a page of documentation.")  # fmt: skip
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/sensitivity",
              show_default=True, help="Where sensitivity.json goes.")  # fmt: skip
def sensitivity(pages: int, photos: tuple[Path, ...], only: tuple[str, ...], markdown: Path | None, out: Path) -> None:
    """Move each number chosen by hand in edge_runtime/vision 20 % up and down, one at a time, and read pages.

    Prints by how much the errors rise on generated pages and on the pictures of each DIR; uses two processes.
    """
    from benchmarks.accuracy import sensitivity as measure
    from benchmarks.accuracy import sensitivity_table as table

    if markdown:
        markdown.parent.mkdir(parents=True, exist_ok=True)  # fails early if the folder is not writable
    measured = measure.run(out, pages, photos, only)
    baseline, rows, read, seconds = measured
    if markdown:
        write_text(markdown, table.page(baseline, rows, read))
    print("\n".join([table.table(baseline, rows), "", read, *measured.failed]))
    print(f"{len(rows)} numbers took {seconds / 60:.1f} minutes; {out / 'sensitivity.json'} contains all counts")


@click.command()
@click.option("--videos", "count", type=click.IntRange(1), default=20, show_default=True, help="Number of videos.")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Another seed draws other videos.")
@click.option("--hands", metavar="0-1", type=click.FloatRange(0, 1), default=0.0, show_default=True,
              help="Share of the pages over which a hand passes.")  # fmt: skip
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="[default: the model that ships]")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), default="build/videos",
              show_default=True, help="Where videos.json goes.")  # fmt: skip
def videos(count: int, seed: int, hands: float, model: Path | None, out: Path) -> None:
    """Draw videos of pages that are shown, hidden, swapped and shaken, and compare what is reported with them."""
    from benchmarks.accuracy import videos as measure

    print(measure.summary(measure.run(count, seed, hands, model, out)))


COMMANDS = (pages, strings, digits, robustness, sensitivity, videos)
