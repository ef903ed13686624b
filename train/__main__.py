"""Train a network on MNIST.

python -m train                              the standard recipe, into build/standard
python -m train --recipe release             sees what the camera sees: about 45 minutes on two cores
python -m train --recipe adapted             fine-tunes the model that ships: about 20 minutes
python -m train --recipe article             the tutorial's own workflow
python -m train --recipe standard --resume   go on after an interruption
"""

import dataclasses
import json
import logging
import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from edge_runtime.bench import environment
from edge_runtime.inference import model_file
from edge_runtime.system.atomic_files import write_text, write_whole
from edge_runtime.system.native_logs import stderr_silenced
from train import command, dataset, provenance
from train.recipes import RECIPES, Recipe


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--recipe", "name", type=click.Choice(list(RECIPES)), default="standard", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True,
              help="The same seed on the same machine gives the same weights, bit for bit.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), help="Instead of the recipe's own number.")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="[default: build/RECIPE]")
@click.option("--start", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="The model file that the recipe adapted fine-tunes.  [default: the one that ships]")  # fmt: skip
@click.option("--resume", is_flag=True, help="Resume an interrupted run after its last finished epoch.")
def train(name: str, seed: int, epochs: int | None, output: Path | None, start: Path | None, resume: bool) -> None:
    """Train a network on MNIST and write digits.keras, history.csv, run.json and report/."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns about predictions on sets of several sizes
    recipe = RECIPES[name]
    if epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=epochs)
    if recipe.kept:
        start = start or model_file.SHIPPED
    elif start is not None:
        raise click.BadParameter(f"the recipe {name} does not fine-tune a model file", param_hint="--start")
    folder = output or Path("build") / name
    folder.mkdir(parents=True, exist_ok=True)
    _run(recipe, seed, folder, resume, start)


def _run(recipe: Recipe, seed: int, folder: Path, resume: bool, start: Path | None) -> None:
    with stderr_silenced():  # TensorFlow logs on import
        from train import calibrate, loop, model, report

    started = time.monotonic()
    calibration: dict[str, float] | None = None
    if recipe.tutorial:
        bare, history = loop.fit_article(recipe, seed, folder, resume)
        network = model.with_pixels(bare)
    else:
        fit = partial(loop.adapt, start=start) if start else loop.fit
        logits, history, calibration = fit(recipe, seed, folder, resume)
        if calibration is not None:
            calibrate.fold(logits, calibration)
        network = model.with_probabilities(logits)
    seconds = time.monotonic() - started

    test = dataset.load("test")  # scored once, here; no choice depends on it
    probabilities = network.predict(test.images, batch_size=1000, verbose=0)[:, :10]
    accuracy = float((probabilities.argmax(axis=1) == test.labels).mean())
    if recipe.tutorial:
        x, y = test.images.reshape(-1, 784).astype("float32") / 255, model.one_hot(test.labels)
        loss, evaluated = bare.evaluate(x, y, verbose=0)
        print(f"evaluate: loss {loss:.4f}, accuracy {evaluated:.4f}")
        _print_first(probabilities[0], test.labels[0], folder)

    run = {
        "recipe": dataclasses.asdict(recipe), "seed": seed, "start": start and model_file.read(start).sha256,
        "command": f"python -m train {shlex.join(sys.argv[1:])}".strip(),
        "commit": environment.commit(), "versions": provenance.versions(), "machine": provenance.machine(),
        "data": {"sha256": dataset.SHA256},
        "seconds": round(seconds, 1), "epochs": len(history), "parameters": network.count_params(),
        "val_accuracy": history[recipe.epochs - 1]["val_accuracy"],  # before a refit trains on these digits
        "test_accuracy": accuracy, "calibration": calibration,
    }  # fmt: skip
    kernel = next(layer.get_weights()[0] for layer in network.layers if hasattr(layer, "kernel"))
    outcome = report.Outcome(
        title=f"Recipe {recipe.name}", summary=_summary(recipe, run), history=history, test=test,
        probabilities=probabilities, first_layer=kernel,
        trained_on="trained on, distorted" if recipe.augmentation else "trained on",
    )  # fmt: skip
    report.write_report(folder / "report", outcome)
    loop.write_history(folder / "history.csv", history)
    write_text(folder / "run.json", json.dumps(run, indent=1) + "\n")
    # Written last: where this file exists, the others do too.
    write_whole(folder / "digits.keras", network.save)
    (folder / "checkpoint.npz").unlink(missing_ok=True)
    for scratch in folder.glob(f"{loop.RUN}*"):
        shutil.rmtree(scratch)
    print(f"{accuracy:.2%} of the test digits read right; {folder / 'report' / 'index.html'} shows the rest")


def _print_first(probabilities: NDArray[np.float32], label: int, folder: Path) -> None:
    print("predict: the ten probabilities of the first test digit are")
    print("  " + "  ".join(f"{digit}: {share:.4f}" for digit, share in enumerate(probabilities)))
    print(f"argmax: {probabilities.argmax()}, label: {label}")
    print(f"its picture: {folder / 'report' / 'first-digit.png'}")


def _summary(recipe: Recipe, run: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts at the head of the report; `run` is the content of run.json."""
    held_out = f"{run['val_accuracy']:.2%}"
    if recipe.refit:
        held_out += f" before the last {recipe.refit} epochs, which train on them too"
    if run["start"]:
        held_out += " by the first run, before averaging; the model that it fine-tunes may have seen them"
    return {
        "Test digits read right": f"{run['test_accuracy']:.2%} of 10,000 (not seen in training, scored once)",
        "Held-out digits read right": held_out,
        "Network": f"{recipe.layers}, {run['parameters']:,} parameters",
        "Made by": f"{run['command']} (seed {run['seed']}), {run['seconds']:.0f} s, commit {run['commit']}",
    }


def main() -> None:
    """Run the command."""
    command.run(train, hint="interrupted; the same command with --resume continues after the last finished epoch")


if __name__ == "__main__":
    try:
        main()
    except SystemExit as end:
        if end.code == 130:  # TensorFlow may still be running, and crash when the interpreter shuts down
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(130)
        raise
