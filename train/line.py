"""Train the line network on drawn lines of digits, with each line used once.

python -m train.line                         an hour on two cores: build/line/line.keras
python -m train.line --resume                go on where it was interrupted
python -m train.line --start FILE --rate 0.001 --epochs 44     go on from another network, on other lines
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime.errors import ModelError
from edge_runtime.inference.contract import ROWS
from edge_runtime.system.atomic_files import write_text, write_whole
from train import command, fonts, strings

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

BATCH, WIDTH = 64, 32  # lines, and columns: a batch's width is a multiple of WIDTH
# The part of all steps in which the learning rate rises, before a cosine decay to 0; AdamW's weight decay.
WARM_UP, DECAY = 0.05, 0.02
CLIP = 5.0  # limit of the global gradient norm: early CTC gradients are sometimes a hundred times as large
CHUNK = 512  # lines that a process draws in one call
HELD_OUT = 2048  # lines of held-out digits and typefaces, to measure accuracy
REPORTED = 5  # epochs between two such measurements, and between checkpoints
WORKERS = 2


class Lines(NamedTuple):
    """Strips, uint8 (N, 32, 256), and their digits, int8 (N, LONGEST), -1 after the last."""

    strips: NDArray[np.uint8]
    digits: NDArray[np.int8]


def chunk(split: strings.Split, seed: int, number: int) -> Lines:
    """Draw CHUNK lines; the same arguments give the same lines."""
    rng = np.random.default_rng([seed, number])
    drawn = [strings.draw(strings.hands(split), rng) for _ in range(CHUNK)]
    digits = np.full((CHUNK, strings.LONGEST), -1, np.int8)
    for row, line in zip(digits, drawn, strict=True):
        row[: len(line.digits)] = line.digits
    return Lines(np.array([line.strip for line in drawn], np.uint8), digits)


def joined(parts: list[Lines]) -> Lines:
    """Return several samples as one."""
    return Lines(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def batches(lines: Lines, seed: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int8]]]:
    """Yield strips, uint8 (BATCH, 32, W, 1), and their digits, in random order; a batch holds lines of similar width.

    W is a multiple of WIDTH. More than half of a strip lies behind its last ink and needs no computation.
    """
    inked = lines.strips.max(axis=1) > 0
    widths = np.where(inked.any(axis=1), inked.shape[1] - inked[:, ::-1].argmax(axis=1), 0)
    order = np.argsort(widths, kind="stable")
    for number in np.random.default_rng(seed).permutation(len(order) // BATCH):
        own = order[number * BATCH : (number + 1) * BATCH]
        wide = WIDTH * max(1, -(-int(widths[own].max()) // WIDTH))
        yield lines.strips[own, :, :wide, None], lines.digits[own]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default="build/line", show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=75, show_default=True)
@click.option(
    "--lines", type=click.IntRange(BATCH), default=8192, show_default=True, help="Lines drawn for each epoch."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=2e-3, show_default=True,
              help="The highest learning rate.")  # fmt: skip
@click.option("--start", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Start with this trained network: a line.keras, or the line network of a model file.")  # fmt: skip
@click.option("--average", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="At the end, average the weights with those of this model file's line network.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Resume from the checkpoint in the output folder.")
def line(
    output: Path, epochs: int, lines: int, seed: int, rate: float, start: Path | None, average: Path | None,
    resume: bool,
) -> None:  # fmt: skip
    """Train the line network, and write line.keras and line.json, the record of the run."""
    if average is not None and start is None:
        raise click.UsageError(
            "--average requires --start: only a network trained from that one can be averaged with it"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from train import line_start

    output.mkdir(parents=True, exist_ok=True)
    fonts.stamp(fonts.names(False)[0], "0")  # fetches the typefaces once, before several processes start
    settings = {
        "recipe": "line", "epochs": epochs, "lines": lines, "seed": seed, "rate": rate,
        "start": _digest(start), "averaged_with": _digest(average),
    }  # fmt: skip
    done, network = _begin(output, settings, start, resume)
    before = line_start.read(network, average) if average is not None else None
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
        held = [pool.submit(chunk, "held_out", seed, i) for i in range(-(-HELD_OUT // CHUNK))]
        bar = tqdm(total=epochs, initial=done, unit="epoch", disable=not sys.stderr.isatty())
        with bar:
            for epoch, drawn in _epochs(pool, seed, lines, done, epochs):
                started = time.monotonic()
                fitted = network.fit(
                    _dataset(drawn, epoch), steps_per_epoch=len(drawn.digits) // BATCH, shuffle=False, verbose=0
                )
                said = f"loss {fitted.history['loss'][0]:.3f}"
                if epoch == epochs and before is not None:
                    line_start.average(network, before, drawn.strips[:CHUNK])
                if epoch % REPORTED == 0 or epoch == epochs:
                    right = _exact(network, joined([future.result() for future in held]))
                    _save(output, network, {**settings, "done": epoch, "held_out_exact": right})
                    said += f", held-out lines exact {right:.2%}"
                    if bar.disable:
                        seconds = (time.monotonic() - started) * (epochs - epoch)
                        said += f", {seconds / 60:.0f} min left"
                        print(f"epoch {epoch}/{epochs}: {said}", file=sys.stderr, flush=True)
                bar.set_postfix_str(said)
                bar.update()
    print(output / "line.keras")


def _digest(path: Path | None) -> str | None:
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()


def _begin(
    output: Path, settings: dict[str, Any], start: Path | None, resume: bool
) -> tuple[int, "keras.Model"]:  # fmt: skip
    """Return the number of finished epochs, and the network after them.

    Raises ModelError where the record has other settings, or `start` is not a line network.
    """
    import keras

    from train import line_network, line_start

    record = output / "line.json"
    if resume and record.exists():
        before = json.loads(record.read_text(encoding="utf-8"))
        if {name: before.get(name) for name in settings} != settings:
            raise ModelError(f"{record} has other settings: omit --resume, or choose another --output")
        return before["done"], keras.models.load_model(output / "line.keras")
    keras.utils.set_random_seed(settings["seed"])
    network = line_network.build()
    if start is not None and start.suffix == ".tflite":
        line_start.initialize(network, line_start.read(network, start), chunk("train", settings["seed"], 0).strips)
    elif start is not None:
        try:
            network.set_weights(keras.models.load_model(start, compile=False).get_weights())
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise ModelError(f"cannot start from {start}: {str(error).splitlines()[0]}") from error
    steps = settings["epochs"] * (settings["lines"] // BATCH)
    warm_up = max(1, int(WARM_UP * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=settings["rate"], warmup_steps=warm_up
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=DECAY, global_clipnorm=CLIP)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    network.compile(optimizer, line_network.ctc_loss, jit_compile=False, steps_per_execution=8)
    return 0, network


def _epochs(pool: ProcessPoolExecutor, seed: int, lines: int, first: int, last: int) -> Iterator[tuple[int, Lines]]:
    """Yield the number of each epoch, from 1, and its lines, whole batches only; draw the next epoch meanwhile."""
    each = -(-lines // CHUNK)

    def drawing(epoch: int) -> list[Future[Lines]]:
        return [pool.submit(chunk, "train", seed, epoch * each + i) for i in range(each if epoch < last else 0)]

    ahead = drawing(first)
    for epoch in range(first, last):
        drawn = joined([future.result() for future in ahead])
        ahead = drawing(epoch + 1)
        whole = lines // BATCH * BATCH
        yield epoch + 1, Lines(drawn.strips[:whole], drawn.digits[:whole])


def _dataset(lines: Lines, seed: int) -> "tf.data.Dataset":
    import tensorflow as tf

    kinds = tf.TensorSpec((BATCH, ROWS, None, 1), tf.uint8), tf.TensorSpec((BATCH, strings.LONGEST), tf.int8)
    return tf.data.Dataset.from_generator(lambda: batches(lines, seed), output_signature=kinds).prefetch(8)


def _exact(network: "keras.Model", held: Lines) -> float:
    from train.line_network import exact

    return exact(network.predict(held.strips[..., None], batch_size=256, verbose=0), held.digits)


def _save(output: Path, network: "keras.Model", record: dict[str, object]) -> None:
    write_whole(output / "line.keras", network.save)
    write_text(output / "line.json", json.dumps(record, indent=1) + "\n")


def main() -> None:
    """Run the command."""
    command.run(line)


if __name__ == "__main__":
    main()
