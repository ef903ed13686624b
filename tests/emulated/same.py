"""What an emulated computer reads, held against what this one does."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edge_runtime import Classifier
from edge_runtime.pages.timing import SAMPLES
from tests.builds import python
from tests.commands import Done
from tests.emulated.roots import Root
from train import dataset

DIGITS = 1000
PIXELS, CONFIDENCE = 1, 0.1  # how far they may be off
Record = dict[str, Any]


class Compared(NamedTuple):
    """Of the first test digits: how many were read, how many got other labels, and how far scores are off, in units."""

    digits: int
    other_labels: int
    furthest: int


def digits(root: Root, interpreter: str) -> Compared:
    """Read the first test digits there and here."""
    images = dataset.load("test").images[:DIGITS]
    folder = root.fresh("digits")
    np.save(folder / "images.npy", images)
    shutil.copy(Path(__file__).with_name("there.py"), folder)
    done = root.run(interpreter, *(f"/srv/digits/{name}" for name in ("there.py", "images.npy", "scores.npy")))
    assert done.code == 0, done.err
    scores = np.load(folder / "scores.npy")
    with Classifier() as classifier:
        expected = classifier.scores(images)
    assert (scores.shape, scores.dtype) == (expected.shape, expected.dtype)
    off = np.abs(scores.astype(int) - expected)
    others = int((scores.argmax(axis=1) != expected.argmax(axis=1)).sum())
    compared = Compared(len(scores), others, int(off.max()))
    print(f"{root.system.name}: {compared}; {np.mean(off > 0):.2%} of the scores differ")
    return compared


def pages(root: Root, command: str, samples: str) -> tuple[list[Record], list[Record]]:
    """Return what is read of the sample pages there, and here."""
    return (
        _readings(root.run(command, "read", samples, "--json")),
        _readings(python("-m", "edge_runtime", "read", SAMPLES, "--json")),
    )


def agree(reading: Record, expected: Record) -> bool:
    """Tell whether two readings are of one picture, with the same digits at the same places, as sure."""
    pairs = list(zip(reading["digits"], expected["digits"], strict=True))
    return (
        Path(reading["source"]).name == Path(expected["source"]).name
        and reading["text"] == expected["text"]
        and all(np.abs(np.subtract(one["box"], other["box"])).max() <= PIXELS for one, other in pairs)
        and all(abs(one["confidence"] - other["confidence"]) < CONFIDENCE for one, other in pairs)
    )


def _readings(done: Done) -> list[Record]:
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]
