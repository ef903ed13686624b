"""Measure what this project claims.

python -m benchmarks parity build/standard     is each small model as accurate as the full one?
python -m benchmarks latency                   how fast is a digit, and how soon the first one?
python -m benchmarks pages edge_runtime/samples   how well are pictures read whose digits are known?
"""

import io
import sys
from pathlib import Path

import click

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


@benchmarks.command(context_settings={"ignore_unknown_options": True})
@click.option("--fast", is_flag=True, help="Fewer processes and values: a first impression.")
def latency(fast: bool) -> None:
    """Time a digit against bare LiteRT, and the start of the command; prints ratios of one run."""
    from benchmarks import latency as measure

    print(measure.report(fast))


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
def pages(
    folder: Path, out: Path | None, tier: str | None, model: Path | None, labels: Path | None,
    min_confidence: float | None,
) -> None:  # fmt: skip
    """Read the pictures in DIR and compare with its truth.jsonl; exits with 1 where a picture could not be read."""
    from benchmarks import pages as measure

    measure.run(folder, out, tier, model=model, labels=labels, min_confidence=min_confidence)


def main() -> None:
    """Run the command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a picture's name may hold what cannot be encoded
    command.run(benchmarks)


if __name__ == "__main__":
    main()
