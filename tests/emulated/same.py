"""What an emulated computer reads, held against what this one does."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime import Classifier
from edge_runtime.device.golden import UNITS
from edge_runtime.device.scenes import SAMPLES
from tests.builds import python
from tests.commands import Done
from tests.emulated.roots import Root
from train import dataset

DIGITS = 1000
PIXELS, CONFIDENCE = 1, 0.1  # how far they may be off


def same_digits(root: Root, interpreter: str) -> None:
    """The first test digits get the very labels that they get here, and scores within what the selftest allows."""
    images = dataset.load("test").images[:DIGITS]
    folder = root.fresh("digits")
    np.save(folder / "images.npy", images)
    shutil.copy(Path(__file__).with_name("there.py"), folder)
    done = root.run(interpreter, *(f"/srv/digits/{name}" for name in ("there.py", "images.npy", "scores.npy")))
    assert done.code == 0, done.err
    found = np.load(folder / "scores.npy")
    with Classifier() as classifier:
        expected = classifier.scores(images)
    assert (found.shape, found.dtype) == ((DIGITS, 11), np.int8)
    off = np.abs(found.astype(int) - expected)
    differ = np.flatnonzero(found.argmax(axis=1) != expected.argmax(axis=1))
    print(f"{root.system.name}: {len(differ)} of {DIGITS} labels differ, {np.mean(off > 0):.2%} of the scores do, by "
          f"{off.max()} units at most")  # fmt: skip
    assert not len(differ)
    assert off.max() <= UNITS


def same_pages(root: Root, command: str, samples: str) -> None:
    """The sample pages are read as they are here: the same digits at the same places, as sure."""
    there = _readings(root.run(command, "read", samples, "--json"))
    here = _readings(python("-m", "edge_runtime", "read", SAMPLES, "--json"))
    assert len(there) == len(here) == 3
    for found, expected in zip(there, here, strict=True):
        assert Path(found["source"]).name == Path(expected["source"]).name
        assert found["text"] == expected["text"]
        for digit, other in zip(found["digits"], expected["digits"], strict=True):
            assert np.abs(np.subtract(digit["box"], other["box"])).max() <= PIXELS
            assert abs(digit["confidence"] - other["confidence"]) < CONFIDENCE


def _readings(done: Done) -> list[dict[str, Any]]:
    assert (done.code, done.err) == (0, "")
    return [json.loads(line) for line in done.out.splitlines()]
