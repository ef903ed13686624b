"""Measure each ingredient of the release recipe: train with all, then without one at a time, on a short schedule.

python -m train.ablation                    12 epochs, two seeds, into build/ablation
python -m train.ablation --epochs 3 --seeds 1 --only everything
"""

import dataclasses
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from edge_runtime.system.atomic_files import write_text
from edge_runtime.system.native_logs import stderr_silenced
from train import command
from train.recipes import RECIPES, Augmentation, Mix, Recipe

FULL = RECIPES["release"]
MIX = FULL.mix or Mix()


def mixed(**others: Any) -> Recipe:
    """Return the release recipe with other values in its mix, or without one kind of scene."""
    return dataclasses.replace(FULL, mix=dataclasses.replace(MIX, **others))


VARIANTS = {
    "everything": FULL,
    "MNIST once an epoch": mixed(mnist=1),
    "no digits cut out of pages": mixed(camera_digits=0),
    "nothing else cut out of pages": mixed(camera_others=0),
    "no written digits": mixed(written_digits=0),
    "no crowded digits": mixed(crowded_digits=0),
    "no letters": mixed(written_others=0),
    "no desks": mixed(without="desk"),
    "no tables and sudokus": mixed(without="table"),
    "no sums and columns": mixed(without="sum"),
    "no very large digits": mixed(without="large"),
    "MNIST alone": mixed(camera_digits=0, camera_others=0, written_digits=0, written_others=0, crowded_digits=0),
    "no elastic distortion": dataclasses.replace(FULL, augmentation=Augmentation(elastic_alpha=0)),
    "no distortion": dataclasses.replace(FULL, augmentation=None),
    "two layers": dataclasses.replace(FULL, hidden=FULL.hidden[:2]),
}  # fmt: skip
COLUMNS = {"mnist_read": "held out", "camera_digits_read": "cut out", "written_digits_read": "written",
           "crowded_digits_read": "crowded",
           "camera_others_rejected": "others rejected", "written_others_rejected": "letters rejected"}  # fmt: skip


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--epochs", type=click.IntRange(1), default=12, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=2, show_default=True, help="Number of seeds: 1, 2 and so on.")
@click.option("--only", type=click.Choice(list(VARIANTS)), metavar="NAME", multiple=True, help="[default: all]")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default="build/ablation", show_default=True)
def ablation(epochs: int, seeds: int, only: tuple[str, ...], out: Path) -> None:
    """Train the release recipe and each variant of it, and print their results on held-out pictures."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with stderr_silenced():  # TensorFlow logs on import
        from train import loop
    print(f"|  | {' | '.join(COLUMNS.values())} | time |\n|---{'|---' * (len(COLUMNS) + 1)}|", flush=True)
    results: dict[str, list[dict[str, float]]] = {}
    for name in only or VARIANTS:
        recipe = dataclasses.replace(VARIANTS[name], epochs=epochs, refit=0)
        for seed in range(1, seeds + 1):
            started = time.process_time()
            with tempfile.TemporaryDirectory() as scratch:
                fitted = loop.fit(recipe, seed, Path(scratch), resume=False)
            seconds = time.process_time() - started  # CPU time of all cores, without other processes
            results.setdefault(name, []).append({"seconds": seconds, **(fitted.calibration or {})})
        write_text(out / "ablation.json", json.dumps({"epochs": epochs, "found": results}, indent=1) + "\n")
        print(row(name, results[name]), flush=True)


def row(name: str, runs: list[dict[str, float]]) -> str:
    """Return a row of a Markdown table: the mean over the seeds, with minimum and maximum for several seeds."""
    cells = [span([100 * run[key] for run in runs]) if key in runs[0] else "" for key in COLUMNS]
    return f"| {name} | {' | '.join(cells)} | {statistics.mean(run['seconds'] for run in runs):.0f} s |"


def span(values: list[float]) -> str:
    """Return a mean with its range: "99.31 (99.28-99.34)"."""
    spread = "" if len(values) == 1 else f" ({min(values):.2f}-{max(values):.2f})"
    return f"{statistics.mean(values):.2f}{spread}"


def main() -> None:
    """Run the command."""
    command.run(ablation)


if __name__ == "__main__":
    main()
