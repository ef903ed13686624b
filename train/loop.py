"""Train a network by a recipe: the same seed on the same machine gives the same weights, also after an interruption."""

import csv
import math
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, NoReturn

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.system.atomic_files import write_whole
from train import augment, calibrate, crops, crowded, dataset, finetune, model
from train.checkpoint import Checkpoint, Row
from train.recipes import Mix, Recipe

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
MEASURED = 10_000  # digits to measure each unit's outputs before fine-tuning
RUN = "run-"  # prefix of the checkpoint folder of each run of `adapt`


class Fitted(NamedTuple):
    """A network with logits as outputs, a row of history for each epoch, and the result of calibrate.calibrate."""

    network: keras.Sequential
    history: list[Row]
    calibration: dict[str, float] | None


class Stage(NamedTuple):
    """Epochs `first` to before `last`, on all digits of `split`, from a learning rate of `peak` down to 0."""

    split: dataset.Split
    first: int
    last: int
    peak: float


def fit(recipe: Recipe, seed: int, folder: Path, resume: bool) -> Fitted:
    """Train by a recipe, and calibrate if the recipe has a mix.

    Refit epochs, if the recipe has any, follow the calibration and use the held-out digits too, so that the calibration
    is that of the network before them. After every epoch a checkpoint in `folder` holds everything that resuming needs:
    with `resume` the result is bit for bit the same as without the interruption.
    """
    keras.utils.set_random_seed(seed)
    cv2.setNumThreads(1)  # one core prepares the next epoch while both train; more threads slow it down
    beside = _beside(recipe.mix) if recipe.mix else []
    network = model.build(recipe)
    total = recipe.epochs + recipe.refit
    stages = [Stage("train", 0, recipe.epochs, recipe.learning_rate)]
    if recipe.refit:
        stages.append(Stage("all_train", recipe.epochs, total, recipe.refit_rate))
    state = Checkpoint(folder, recipe, seed, resume)
    bar = tqdm(total=total, initial=len(state.history), unit="epoch", disable=not sys.stderr.isatty())
    with bar:
        for stage in stages:
            if len(state.history) <= stage.last:
                _train(network, recipe, seed, stage, beside, state, bar)
            if recipe.mix is not None and state.calibration is None:
                state.calibration = calibrate.calibrate(network, recipe.mix)
    return Fitted(network, state.history, state.calibration)


def adapt(recipe: Recipe, seed: int, folder: Path, resume: bool, start: Path) -> Fitted:
    """Fine-tune the network of a model file, average its weights before and after, and calibrate the result.

    Each of the recipe's runs starts from the file's weights, the first with `seed`, the next with `seed` + 1, and so
    on. Each keeps its checkpoints in a separate folder in `folder`.
    """
    cv2.setNumThreads(1)
    beside = _beside(recipe.mix) if recipe.mix else []
    images = dataset.load("train").images[:MEASURED]
    networks, history = [], list[Row]()
    with tqdm(total=recipe.epochs * recipe.runs, unit="epoch", disable=not sys.stderr.isatty()) as bar:
        for run in range(recipe.runs):
            keras.utils.set_random_seed(seed + run)
            network = model.build(recipe)
            before = finetune.initialize(network, start, images)
            own = folder / f"{RUN}{run + 1}"
            own.mkdir(parents=True, exist_ok=True)
            state = Checkpoint(own, recipe, seed + run, resume, start)
            bar.update(len(state.history))
            _train(
                network, recipe, seed + run, Stage("train", 0, recipe.epochs, recipe.learning_rate), beside, state, bar
            )
            networks.append(network)
            history += [{**row, "epoch": row["epoch"] + run * recipe.epochs} for row in state.history]
    average = finetune.average(networks, before, recipe.kept)
    return Fitted(average, history, calibrate.calibrate(average, recipe.mix) if recipe.mix else None)


def _train(
    network: keras.Sequential, recipe: Recipe, seed: int, stage: Stage,
    beside: Sequence[tuple[dataset.Digits, int]], state: Checkpoint, bar: "tqdm[NoReturn]",
) -> None:  # fmt: skip
    """Train one stage, or the rest of it."""
    digits, held_out = dataset.load(stage.split), dataset.load("held_out")
    if recipe.mix is not None:
        digits = dataset.Digits(*(np.concatenate([part] * recipe.mix.mnist) for part in digits))
    steps = (len(digits.images) + sum(count for _, count in beside)) // recipe.batch_size
    network.compile(
        optimizer=_optimizer(recipe, stage.peak, steps * (stage.last - stage.first)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=8,
    )
    network.optimizer.build(network.trainable_variables)
    state.restore(network)
    for epoch, (x, y) in _epochs(recipe, seed, digits, beside, len(state.history), stage.last):
        started = time.monotonic()
        fitted = network.fit(x, y, batch_size=recipe.batch_size, shuffle=False, verbose=0)
        held = (math.nan, math.nan)  # no validation on digits in the training set
        if stage.split == "train":
            held = network.evaluate(*held_out, batch_size=1000, verbose=0)
        values = (epoch + 1, fitted.history["loss"][0], fitted.history["accuracy"][0], *held,
                  float(network.optimizer.learning_rate), time.monotonic() - started)  # fmt: skip
        state.history.append(dict(zip(HISTORY_COLUMNS, values, strict=True)))
        state.save(network)
        said = f"loss {values[1]:.4f}" + (f", val_accuracy {held[1]:.2%}" if stage.split == "train" else "")
        bar.set_postfix_str(said)
        bar.update()
        if bar.disable and (epoch + 1 == stage.last or (epoch + 1) % 10 == 0):
            print(f"epoch {epoch + 1}/{bar.total}: {said}", file=sys.stderr, flush=True)


def fit_article(recipe: Recipe, seed: int, folder: Path, resume: bool) -> tuple[keras.Sequential, list[Row]]:
    """Train as the tutorial does: pixels in [0, 1], one-hot labels, Keras' own validation split and progress bar.

    With `resume` training continues after the last finished epoch, but with the digits in another order.
    """
    keras.utils.set_random_seed(seed)
    digits = dataset.load("all_train")
    x = digits.images.reshape(len(digits.images), -1).astype("float32") / 255
    y = model.one_hot(digits.labels)
    network = model.build_article(recipe)
    optimizer = keras.optimizers.Adam(recipe.learning_rate)
    network.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    network.optimizer.build(network.trainable_variables)
    state = Checkpoint(folder, recipe, seed, resume)
    state.restore(network)

    def end_of_epoch(epoch: int, logs: dict[str, float]) -> None:
        state.history.append({"epoch": epoch + 1, **{name: float(value) for name, value in logs.items()}})
        state.save(network)

    network.fit(
        x, y, batch_size=recipe.batch_size, epochs=recipe.epochs, validation_split=0.2,
        initial_epoch=len(state.history),
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=end_of_epoch)],
    )  # fmt: skip
    return network, state.history


def write_history(path: Path, history: list[Row]) -> None:
    """Write a row of history for each epoch as CSV."""

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(history[0]))
            writer.writeheader()
            writer.writerows(history)

    write_whole(path, write)


def _optimizer(recipe: Recipe, peak: float, steps: int) -> keras.optimizers.Optimizer:
    warm_up = max(1, round(recipe.warm_up * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0, warmup_target=peak, warmup_steps=warm_up, decay_steps=max(1, steps - warm_up)
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _beside(mix: Mix) -> list[tuple[dataset.Digits, int]]:
    """Return the sources of an epoch besides MNIST, and the number of pictures from each."""
    made = crops.load("train", mix.pages, mix.without)
    counts = (mix.camera_digits, mix.camera_others, mix.written_digits, mix.written_others, mix.crowded_digits)
    sources = (*crops.parts(made.camera), *crops.parts(made.written), crowded.load("train", mix.pages))
    return list(zip(sources, counts, strict=True))


def _epochs(
    recipe: Recipe, seed: int, digits: dataset.Digits, beside: Sequence[tuple[dataset.Digits, int]],
    first: int, last: int,
) -> Iterator[tuple[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]]]:  # fmt: skip
    """Yield each epoch's shuffled, distorted pictures, whole batches only; prepare the next epoch meanwhile.

    An epoch holds all of `digits`, and from each source in `beside` the given number. Its pictures depend only on the
    seed and its number, so that a resumed run uses the same pictures.
    """
    settings = recipe.augmentation
    fields = augment.displacement_fields(settings, np.random.default_rng(seed)) if settings else None
    total = len(digits.images) + sum(count for _, count in beside)
    whole = total // recipe.batch_size * recipe.batch_size

    def make(epoch: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        rng = np.random.default_rng((seed, epoch))
        order = rng.permutation(total)[:whole]
        x, y = digits
        if beside:
            drawn = [rng.integers(len(more.images), size=count) for more, count in beside]
            x = np.concatenate([x, *(more.images[i] for (more, _), i in zip(beside, drawn, strict=True))])
            y = np.concatenate([y, *(more.labels[i] for (more, _), i in zip(beside, drawn, strict=True))])
        x = x[order]
        if settings is not None and fields is not None:
            x = augment.augment(x, settings, fields, rng)
        return x, y[order]

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(make, first)
        for epoch in range(first, last):
            ready = ahead.result()
            ahead = pool.submit(make, min(epoch + 1, last - 1))
            yield epoch, ready
