"""The parity gate over a build folder: measure, write the results, and accept the build or say what it misses."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import parity
from benchmarks.accuracy.characters import reliability
from benchmarks.common import full
from benchmarks.common.limits import read_limits
from convert.recipes import CONVERSIONS
from edge_runtime.bench import result
from edge_runtime.inference import model_file
from edge_runtime.inference.classifier import Classifier
from train import crops, dataset

MOST_SHOWN = 200  # flipped digits of a model


class Flipped(NamedTuple):
    """The first MOST_SHOWN digits whose label flipped: uint8 (N, 28, 28), and both models' answers in words."""

    images: NDArray[np.uint8]
    captions: list[str]


class Judged(NamedTuple):
    """The results of each model, a line for each missed limit, and each model's flipped digits."""

    results: dict[str, parity.Parity]
    missed: list[str]
    flipped: dict[str, Flipped]


def run(folder: Path) -> Judged:
    """Compare every model file in `folder` with its digits.keras on the test digits.

    Writes parity.json, and if every limit is met, also the measurements into each model's card. Raises ModelError for
    an unusable model file.
    """
    files = {name: folder / conversion.file_name for name, conversion in CONVERSIONS.items()}
    digits = dataset.load("test")
    network = full.load(folder / "digits.keras")
    reference = full.probabilities(network, digits.images)
    no_digits = _no_digits(folder) if reference.shape[1] > len(model_file.DIGITS) else None
    reference_others = None if no_digits is None else full.probabilities(network, no_digits)
    results, bins, flipped, training = {}, {}, {}, None
    for name, path in files.items():
        with Classifier(path) as classifier:
            small = classifier.confidences(digits.images)
            card = classifier.model.card or {}
            others = None
            if no_digits is not None and reference_others is not None:
                others = reference_others, classifier.confidences(no_digits)
        results[name] = parity.compare(
            reference, small, digits.labels, path.stat().st_size, others, card["thresholds"]["min_confidence"]
        )
        bins[name] = reliability(small[:, :10].max(axis=1), small[:, :10].argmax(axis=1) == digits.labels)
        flipped[name] = _flipped(digits, reference, small, results[name].flipped[:MOST_SHOWN])
        training = (card.get("training") or {}).get("recipe")
    missed = parity.misses(results, training["name"] if training else None, read_limits())
    settings = {"split": "MNIST test", "recipe": training and training["name"]}
    result.write(
        folder / "parity.json", "parity", parity.measures(results), settings=settings,
        details=parity.details(results, missed), model=files["int8"],
    )  # fmt: skip
    if not missed:
        for name, path in files.items():
            model_file.add_to_card(path, measured=_for_card(results[name], bins[name]))
    return Judged(results, missed, flipped)


def _no_digits(folder: Path) -> NDArray[np.uint8]:
    """Return unseen non-digits from pages and letters held out of training, as many as there are test digits."""
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    made = crops.load("held_out", run["recipe"]["mix"]["pages"])
    images = [list(crops.parts(part))[1].images for part in made]
    return np.asarray(np.concatenate(images)[:: max(1, sum(map(len, images)) // 10_000)], np.uint8)


def _for_card(result: parity.Parity, bins: list[tuple[float, float, int]]) -> dict[str, Any]:
    """Return the parity part of a model's card: the figures, and the accuracy by confidence."""
    names = ("accuracy", "full_accuracy", "drop", "agreement", "mcnemar_p", "largest_difference", "mean_difference",
             "nll_rise", "rejection_agreement")  # fmt: skip
    values = {name: getattr(result, name) for name in names}
    drawn = [[round(confidence, 4), round(share, 4), count] for confidence, share, count in bins]
    return {"split": "MNIST test, 10,000 digits",
            **{name: value if value is None else round(value, 6) for name, value in values.items()},
            "reliability": {"data": "MNIST test", "bins": drawn}}  # fmt: skip


def _flipped(
    digits: dataset.Digits, reference: NDArray[np.float64], small: NDArray[np.float64], indices: list[int]
) -> Flipped:
    captions = [
        f"{digits.labels[i]}: {full_row.argmax()} {full_row.max():.0%} → {small_row.argmax()} {small_row.max():.0%}"
        for i, full_row, small_row in zip(indices, reference[indices], small[indices], strict=True)
    ]
    return Flipped(digits.images[indices], captions)
