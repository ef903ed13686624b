"""How well does a model read single characters and reject letters? On MNIST's test digits and other sets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.score import negative_log_likelihood, of_percent
from edge_runtime.bench.result import Measure, figure
from edge_runtime.errors import OptionError
from edge_runtime.inference.model_file import DIGITS
from edge_runtime.records import Uint8
from edge_runtime.vision.normalize import normalize_all
from train import fonts

# These look like digits and cannot be distinguished from them, so they are counted separately.
LOOK_ALIKE = frozenset(fonts.LOOK_ALIKE)
BINS = 15
Float64 = NDArray[np.float64]
# From pictures in the contract, uint8 (N, 28, 28), to float64 (N, classes); the first ten are the digits.
Model = Callable[[Uint8], Float64]


class Scaling(NamedTuple):
    """The temperature that divided a model's logits, and the offset then added to the no-digit logit."""

    temperature: float = 1.0
    offset: float = 0.0


class Characters(NamedTuple):
    """Single characters in the 28x28 contract, uint8 (N, 28, 28), and their labels, text (N,)."""

    images: Uint8
    labels: NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Digits:
    """The accuracy on one set of digits; shares are percent."""

    name: str
    count: int
    read: float  # the likeliest of the ten digits is right
    accepted: float  # at the model's own threshold
    read_accepted: float  # both: a rejected digit counts as an error
    nll: float  # of the true label, nats
    nll_uncalibrated: float
    brier: float
    brier_uncalibrated: float
    ece: float  # expected calibration error, BINS bins of equal mass
    reliability: list[tuple[float, float, int]]  # of each bin: mean confidence, share read right, count
    reliability_uncalibrated: list[tuple[float, float, int]]


@dataclass(frozen=True, kw_only=True)
class Letters:
    """The percentage of letters rejected at a threshold on the confidence of the likeliest digit.

    None if there is no letter of that kind.
    """

    where: str
    threshold: float
    clear: float | None
    clear_count: int
    look_alike: float | None
    look_alike_count: int


def measure(model: Model, sets: dict[str, Characters], threshold: float, scaling: Scaling) -> dict[str, Any]:
    """Return {"digits": [Digits], "letters": [Letters]} for one model.

    The model accepts a digit from `threshold` on. `scaling` is the calibration of its logits; inverting it gives the
    uncalibrated probabilities.
    """
    best: dict[str, Float64] = {}
    rows, letters = [], []
    for name, (images, labels) in sets.items():
        confidences = model(images)
        best[name] = confidences[:, : len(DIGITS)].max(axis=1)
        numbered = np.isin(labels, DIGITS)
        if numbered.all():
            rows.append(_digits(name, confidences, labels.astype(np.int64), threshold, scaling))
        else:
            letters.append(name)
    rejections = []
    for name in letters:
        alike = np.array([label in LOOK_ALIKE for label in sets[name].labels])
        for where, least in _thresholds(best, threshold).items():
            rejected = best[name] < least
            rejections.append(
                Letters(
                    where=f"{name}: {where}",
                    threshold=least,
                    clear=_percent(rejected[~alike]),
                    clear_count=int((~alike).sum()),
                    look_alike=_percent(rejected[alike]),
                    look_alike_count=int(alike.sum()),
                )
            )
    return {"digits": rows, "letters": rejections}


def measures(model: str, results: dict[str, Any]) -> list[Measure]:
    """Return the comparable results of `measure`, each named after `model`."""
    measured: list[Measure] = []
    for row in results["digits"]:
        name = f"{model} {row.name}"
        measured += [
            of_percent(f"{name}/read", row.read, row.count),
            of_percent(f"{name}/accepted", row.accepted, row.count),
            of_percent(f"{name}/read and accepted", row.read_accepted, row.count),
            figure(f"{name}/NLL", row.nll, "1", better="lower"),
            figure(f"{name}/Brier", row.brier, "1", better="lower"),
            figure(f"{name}/ECE", row.ece, "%", better="lower"),
        ]
    for row in results["letters"]:
        if row.clear is not None:
            measured.append(of_percent(f"{model} {row.where}/letters rejected", row.clear, row.clear_count))
        if row.look_alike is not None:
            measured.append(
                of_percent(f"{model} {row.where}/look-alikes rejected", row.look_alike, row.look_alike_count)
            )
    return measured


def _percent(some: NDArray[np.bool_]) -> float | None:
    return 100 * float(some.mean()) if len(some) else None


def _thresholds(best: dict[str, Float64], shipped: float) -> dict[str, float]:
    thresholds = {"accepts 99 % of MNIST test": float(np.quantile(best["MNIST test"], 0.01))}
    if "choice_digits" in best:
        thresholds["accepts 95 % of choice_digits"] = float(np.quantile(best["choice_digits"], 0.05))
    return thresholds | {"the model's own": shipped}


def _digits(name: str, confidences: Float64, labels: NDArray[np.int64], threshold: float, scaling: Scaling) -> Digits:
    ten = confidences[:, : len(DIGITS)]
    right, accepted = ten.argmax(axis=1) == labels, ten.max(axis=1) >= threshold
    logs = np.log(np.maximum(confidences, 1e-300))
    logs[:, len(DIGITS) :] -= scaling.offset
    logs *= scaling.temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    before = powers / powers.sum(axis=1, keepdims=True)
    bins = reliability(ten.max(axis=1), right)
    return Digits(
        name=name, count=len(labels),
        read=100 * float(right.mean()),
        accepted=100 * float(accepted.mean()),
        read_accepted=100 * float((right & accepted).mean()),
        nll=negative_log_likelihood(confidences, labels), nll_uncalibrated=negative_log_likelihood(before, labels),
        brier=_brier(confidences, labels), brier_uncalibrated=_brier(before, labels),
        ece=100 * sum(count * abs(mean - share) for mean, share, count in bins) / len(labels),
        reliability=bins, reliability_uncalibrated=reliability(before[:, : len(DIGITS)].max(axis=1), right),
    )  # fmt: skip


def reliability(best: Float64, right: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """Return mean confidence, share read right and count of each of BINS equal-mass bins by confidence."""
    order = np.argsort(best, kind="stable")
    return [
        (float(best[part].mean()), float(right[part].mean()), len(part))
        for part in np.array_split(order, BINS)
        if len(part)
    ]


def _brier(confidences: Float64, labels: NDArray[np.int64]) -> float:
    truth = np.eye(confidences.shape[1])[labels]
    return float(((confidences - truth) ** 2).sum(axis=1).mean())


def load(path: Path) -> Characters:
    """Read an .npz of `images`, uint8 (N, H, W), of one character each, ink bright or dark, and `labels` (N,).

    The images are converted to the contract as in the runtime. Raises OptionError for any other file.
    """
    try:
        with np.load(path, allow_pickle=False) as saved:
            images, labels = saved["images"], saved["labels"]
    except (OSError, ValueError, KeyError) as error:
        raise OptionError(f"{path} is not a file of characters: {error}") from error
    if images.ndim != 3 or images.dtype != np.uint8 or labels.shape != images.shape[:1] or not len(images):
        raise OptionError(
            f"{path} must contain images, uint8 (N, H, W), and as many labels; its images are {images.shape}"
        )
    dark = np.median(images) > 127  # most pixels are background
    inks = [image.max() - image if dark else image for image in images]
    return Characters(normalize_all(inks), labels.astype(str))
