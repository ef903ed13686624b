"""Digits through bare LiteRT and the Classifier, in turns; `benchmarks.speed.latency` starts this several times.

python -m benchmarks.speed.single_digit WHAT TURNS NAME=FILE ...

    one       a digit, one thread: set_tensor, invoke and get_tensor of LiteRT, and the two calls of the Classifier
    bare      the same, LiteRT alone
    batches   Classifier.scores of 1 to 256 digits at once
    threads   Classifier.scores of 1 and 256 digits with 1, 2 and 4 threads
    loads     a new Classifier each time, and its first digit

Prints a JSON object: the Turns of each, by name.
"""

import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import perf_counter_ns

import numpy as np

from benchmarks.common.turns import Call, Turns, take
from edge_runtime.bench import process
from edge_runtime.inference.classifier import Classifier
from edge_runtime.pages import timing
from edge_runtime.records import Uint8

BARE, SCORES, CONFIDENCES = "bare LiteRT", "Classifier.scores", "Classifier.confidences"
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
FEW, MANY = BATCHES[0], BATCHES[-1]
THREADS = (1, 2, 4)
SHORT = 10e6  # nanoseconds of a turn with many participants
FIRST_LOADS = 2  # of each model: they include loading the libraries


def main() -> None:
    """Measure and print."""
    what, turns, *named = sys.argv[1:]
    models = {name: Path(path) for name, _, path in (each.partition("=") for each in named)}
    if what == "loads":
        results = loads(models, int(turns))
    else:
        calls, least = {"one": (one, 2 * SHORT), "bare": (bare, 2 * SHORT), "batches": (batches, SHORT),
                        "threads": (threads, SHORT)}[what]  # fmt: skip
        results = take(calls(models), int(turns), least=least)
    print(json.dumps(results))


def pictures(count: int) -> Uint8:
    """Return this many shipped digits, uint8 (count, 28, 28); they repeat after 200."""
    images = timing.samples()[0]
    return images[np.arange(count) % len(images)]


def beside_keras(count: int) -> str:
    """Return the group of measures in which digits also go through the full network."""
    return "one digit beside Keras" if count == 1 else f"{count} digits beside Keras"


def one(models: Mapping[str, Path]) -> dict[str, Call]:
    """Return the three calls on one digit for each model."""
    calls: dict[str, Call] = {}
    for name, path in models.items():
        classifier = Classifier(path)
        calls |= {
            f"one digit/{name} {BARE}": process.bare(classifier, pictures(1), 1),
            f"one digit/{name} {SCORES}": partial(classifier.scores, pictures(1)),
            f"one digit/{name} {CONFIDENCES}": partial(classifier.confidences, pictures(1)),
        }
    return calls


def bare(models: Mapping[str, Path]) -> dict[str, Call]:
    """Return LiteRT alone for each model."""
    return {name: process.bare(Classifier(path), pictures(1), 1) for name, path in models.items()}


def batches(models: Mapping[str, Path]) -> dict[str, Call]:
    """Return the scores of batches of all sizes for each model."""
    classifiers = {name: Classifier(path) for name, path in models.items()}
    return {
        f"batches/{name} {size}": partial(classifier.scores, pictures(size))
        for name, classifier in classifiers.items()
        for size in BATCHES
    }


def threads(models: Mapping[str, Path]) -> dict[str, Call]:
    """Return the scores of few and of many digits with every number of threads for each model."""
    return {
        f"threads/{name} {size} with {count}": partial(classifier.scores, pictures(size))
        for name, path in models.items()
        for count in THREADS
        for classifier in (Classifier(path, threads=count),)
        for size in (FEW, MANY)
    }


def loads(models: Mapping[str, Path], turns: int) -> dict[str, Turns]:
    """Time the creation of Classifiers of each model, in turn, and the first digit of each."""
    results: dict[str, Turns] = {}
    image = pictures(1)
    for turn in range(-FIRST_LOADS, turns):
        for name, path in models.items():
            started = perf_counter_ns()
            classifier = Classifier(path)
            loaded = perf_counter_ns()
            classifier.scores(image)
            read = perf_counter_ns()
            classifier.close()
            for key, spent in ((f"load/{name}", loaded - started), (f"first inference/{name}", read - loaded)):
                results.setdefault(key, Turns(1, [], [])).add(turn, spent)
    return results


if __name__ == "__main__":
    main()
