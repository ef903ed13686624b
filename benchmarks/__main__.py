"""Measure what this project claims.

python -m benchmarks parity build/standard     is each small model as accurate as the full one?
python -m benchmarks latency                   how fast is a digit, and how soon the first one?
"""

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


def main() -> None:
    """Run the command."""
    command.run(benchmarks)


if __name__ == "__main__":
    main()
