"""How well are single characters read, and letters told apart from them? MNIST's test digits, and other people's."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import full, reliability_chart
from edge_runtime.classifier import Classifier
from edge_runtime.errors import OptionError
from edge_runtime.model_file import DIGITS
from edge_runtime.normalize import normalize_all
from edge_runtime.records import Uint8
from train import dataset
from train.files import write_bytes, write_text
from train.report import png

# Letters that some people write as others write a digit; told apart from digits they cannot be, and so counted apart.
LOOK_ALIKE = frozenset("OoIliZzSsBbgqD")
BINS = 15
Float64 = NDArray[np.float64]
# Pictures in the contract, uint8 (N, 28, 28), to probabilities, float64 (N, classes); the first ten are the digits'.
Model = Callable[[Uint8], Float64]


class Scaling(NamedTuple):
    """What a model's logits were divided by, and what was then added to the one for no digit."""

    temperature: float = 1.0
    offset: float = 0.0


class Characters(NamedTuple):
    """Single characters in the 28x28 contract, uint8 (N, 28, 28), and what each is, as text (N,)."""

    images: Uint8
    labels: NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Digits:
    """How one set of digits is read; shares are percent."""

    name: str
    count: int
    read: float  # the likeliest of the ten digits is the right one
    accepted: float  # at the model's own threshold
    read_accepted: float  # both: a rejected digit counts as an error
    nll: float  # of the true label, nats
    nll_uncalibrated: float
    brier: float
    brier_uncalibrated: float
    ece: float  # expected calibration error, BINS bins of equal mass
    reliability: list[tuple[float, float, int]]  # of each bin: mean confidence, share read right, how many
    reliability_uncalibrated: list[tuple[float, float, int]]


@dataclass(frozen=True, kw_only=True)
class Letters:
    """How many letters are rejected, in percent, at a threshold on the confidence of the likeliest digit."""

    where: str
    threshold: float
    clear: float
    look_alike: float


def measure(model: Model, sets: dict[str, Characters], threshold: float, scaling: Scaling) -> dict[str, Any]:
    """Return {"digits": [Digits], "letters": [Letters]} for one model.

    `threshold` is what the model accepts a digit at; `scaling` is what its logits were calibrated by when it was made,
    so that what it said before can be told.
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
    found = []
    for name in letters:
        alike = np.array([label in LOOK_ALIKE for label in sets[name].labels])
        for where, least in _thresholds(best, threshold).items():
            rejected = best[name] < least
            found.append(Letters(where=f"{name}: {where}", threshold=least, clear=100 * float(rejected[~alike].mean()),
                                 look_alike=100 * float(rejected[alike].mean())))  # fmt: skip
    return {"digits": rows, "letters": found}


def _thresholds(best: dict[str, Float64], shipped: float) -> dict[str, float]:
    found = {"accepts 99 % of MNIST test": float(np.quantile(best["MNIST test"], 0.01))}
    if "choice_digits" in best:
        found["accepts 95 % of choice_digits"] = float(np.quantile(best["choice_digits"], 0.05))
    return found | {"the model's own": shipped}


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
        nll=_nll(confidences, labels), nll_uncalibrated=_nll(before, labels),
        brier=_brier(confidences, labels), brier_uncalibrated=_brier(before, labels),
        ece=100 * sum(count * abs(mean - share) for mean, share, count in bins) / len(labels),
        reliability=bins, reliability_uncalibrated=reliability(before[:, : len(DIGITS)].max(axis=1), right),
    )  # fmt: skip


def reliability(best: Float64, right: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """Return, of BINS bins of equal mass by confidence, the mean confidence, the share read right, and the count."""
    order = np.argsort(best, kind="stable")
    return [
        (float(best[part].mean()), float(right[part].mean()), len(part))
        for part in np.array_split(order, BINS)
        if len(part)
    ]


def _nll(confidences: Float64, labels: NDArray[np.int64]) -> float:
    return float(-np.log(np.maximum(confidences[np.arange(len(labels)), labels], 1e-12)).mean())


def _brier(confidences: Float64, labels: NDArray[np.int64]) -> float:
    truth = np.eye(confidences.shape[1])[labels]
    return float(((confidences - truth) ** 2).sum(axis=1).mean())


def characters(path: Path) -> Characters:
    """Read an .npz of `images`, uint8 (N, H, W), of one character each, ink bright or dark, and `labels` (N,).

    They are brought into the contract as the runtime does it. Raises OptionError where the file is another.
    """
    try:
        with np.load(path, allow_pickle=False) as saved:
            images, labels = saved["images"], saved["labels"]
    except (OSError, ValueError, KeyError) as error:
        raise OptionError(f"{path} is no file of characters: {error}") from error
    if images.ndim != 3 or images.dtype != np.uint8 or labels.shape != images.shape[:1] or not len(images):
        raise OptionError(f"{path} must hold images, uint8 (N, H, W), and as many labels, not {images.shape}")
    dark = np.median(images) > 127  # most of a picture is paper
    inks = [image.max() - image if dark else image for image in images]
    return Characters(normalize_all(inks), labels.astype(str))


def run(folder: Path | None, model: Path | None, keras: Path | None, out: Path) -> None:
    """Measure the model, and the full network beside it where it is given; print the tables and write digits.json."""
    test = dataset.load("test")
    sets = {"MNIST test": Characters(test.images, test.labels.astype(str))}
    for path in sorted(folder.glob("*.npz")) if folder else ():
        sets[path.stem] = characters(path)
    results = {}
    with Classifier(model) as classifier:
        card = classifier.model.card or {}
        threshold = float(card.get("thresholds", {}).get("min_confidence", 0.5))
        fitted = (card.get("training") or {}).get("calibration") or {}
        scaling = Scaling(float(fitted.get("temperature", 1.0)), float(fitted.get("offset", 0.0)))
        results["int8"] = measure(classifier.confidences, sets, threshold, scaling)
        size = classifier.model.path.stat().st_size
    if keras is not None:
        results["full"] = measure(lambda images: full.probabilities(keras, images), sets, threshold, scaling)
    plain = {
        name: {kind: [asdict(row) for row in rows] for kind, rows in found.items()} for name, found in results.items()
    }
    about = {"format": 1, "bytes": size, "threshold": threshold, **scaling._asdict()}
    write_text(out / "digits.json", json.dumps(about | {"models": plain}, indent=1) + "\n")
    write_bytes(out / "reliability.png", png(reliability_chart.draw({k: v["digits"] for k, v in results.items()})))
    print(table(results))
    print(f"{size:,} bytes, temperature {scaling.temperature:.3f}; {out / 'digits.json'} holds the figures")


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the results as lines of text: for each model its sets of digits, then how it rejects letters."""
    lines = []
    for name, found in results.items():
        lines.append(f"{name:<16}{'count':>7}{'read':>10}{'accepted':>11}{'both':>10}{'NLL (before)':>17}"
                     f"{'Brier (before)':>18}{'ECE':>8}")  # fmt: skip
        row: Digits
        for row in found["digits"]:
            nll, brier = (
                f"{row.nll:.4f} ({row.nll_uncalibrated:.4f})",
                f"{row.brier:.4f} ({row.brier_uncalibrated:.4f})",
            )
            lines.append(f"  {row.name:<14}{row.count:>7,}{row.read:>8.2f} %{row.accepted:>9.2f} %"
                         f"{row.read_accepted:>8.2f} %{nll:>17}{brier:>18}{row.ece:>6.2f} %")  # fmt: skip
        lines += _rejected(found["letters"])
    return "\n".join(lines)


def _rejected(letters: Sequence[Letters]) -> list[str]:
    if not letters:
        return []
    head = f"{'  letters rejected at the threshold that':<52}{'threshold':>10}{'clear':>10}{'look-alike':>13}"
    return [head, *(
        f"  {row.where:<50}{row.threshold:>10.3f}{row.clear:>8.1f} %{row.look_alike:>11.1f} %" for row in letters
    )]  # fmt: skip
