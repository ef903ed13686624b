"""Is each small model as accurate as the full one? Compared digit by digit on MNIST's 10,000 test digits."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from benchmarks.accuracy.score import negative_log_likelihood, of_percent
from edge_runtime.bench.result import Measure, figure

Probabilities = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """One small model against the full one. Accuracies, agreement and drops are in percent or percentage points."""

    accuracy: float
    full_accuracy: float
    drop: float  # full minus small: negative if the small model is better
    relative_error_increase: float | None  # 0.1 is a tenth more errors; None if the full model has none
    agreement: float  # of the likeliest label, digit by digit
    only_full_right: int
    only_small_right: int
    mcnemar_p: float  # exact, two-sided: probability of such a difference if both are equally good
    largest_difference: float  # of any probability
    mean_difference: float
    drop_per_class: list[float]
    flipped: list[int]  # the digits whose label differs, as indices into the test split
    flipped_read: list[list[int]]  # label by the full model and by the small one, of each
    nll_rise: (
        float  # mean negative log likelihood of the true labels, small minus full, in nats: is it as well calibrated?
    )
    # Percent of digits and non-digits that both accept or both reject. None without an eleventh output.
    rejection_agreement: float | None
    bytes: int
    digits: int  # number of digits compared
    others: int  # number of non-digits compared


def compare(
    full: Probabilities,
    small: Probabilities,
    labels: NDArray[np.uint8],
    size: int,
    others: tuple[Probabilities, Probabilities] | None = None,
    threshold: float = 0.5,
) -> Parity:
    """Compare two models' probabilities, float64 (N, classes), for the same N digits with the true `labels`.

    The first ten columns are the digits. `others` holds both models' probabilities for non-digits. A model accepts a
    digit if its likeliest label reaches `threshold`.
    """
    read_full, read_small = full[:, :10].argmax(axis=1), small[:, :10].argmax(axis=1)
    right_full, right_small = read_full == labels, read_small == labels
    only_full, only_small = int((right_full & ~right_small).sum()), int((right_small & ~right_full).sum())
    errors_full, errors_small = int((~right_full).sum()), int((~right_small).sum())
    differences = np.abs(full - small)
    return Parity(
        accuracy=100 * float(right_small.mean()),
        full_accuracy=100 * float(right_full.mean()),
        drop=100 * (errors_small - errors_full) / len(labels),
        relative_error_increase=errors_small / errors_full - 1 if errors_full else None,
        agreement=100 * float((read_full == read_small).mean()),
        only_full_right=only_full,
        only_small_right=only_small,
        mcnemar_p=binomtest(only_full, only_full + only_small).pvalue if only_full + only_small else 1.0,
        largest_difference=float(differences.max()),
        mean_difference=float(differences.mean()),
        drop_per_class=[
            100 * float(right_full[labels == digit].mean() - right_small[labels == digit].mean())
            if (labels == digit).any() else 0.0
            for digit in range(10)
        ],
        flipped=(flipped := np.flatnonzero(read_full != read_small)).tolist(),
        flipped_read=np.stack([read_full, read_small], axis=1)[flipped].tolist(),
        nll_rise=negative_log_likelihood(small, labels) - negative_log_likelihood(full, labels),
        rejection_agreement=None if others is None else 100 * float(np.mean(
            _accepted(np.concatenate([full, others[0]]), threshold)
            == _accepted(np.concatenate([small, others[1]]), threshold)
        )),
        bytes=size, digits=len(labels), others=0 if others is None else len(others[0]),
    )  # fmt: skip


def _accepted(probabilities: Probabilities, threshold: float) -> NDArray[np.bool_]:
    return np.asarray(probabilities[:, :10].max(axis=1) >= threshold)


def misses(results: dict[str, Parity], training_recipe: str | None, limits: dict[str, Any]) -> list[str]:
    """Return a line for every missed limit, with its name and the margin; a build needs an empty list.

    `limits` is the content of thresholds.toml, in which a training recipe may have its own limits. Raises KeyError if a
    model has no limits, so nothing passes unmeasured.
    """
    missed = []
    for name, parity in results.items():
        bounds = limits["parity"][name]
        bounds = {**bounds, **bounds.get(training_recipe, {})}
        drop, agreement = bounds["max_drop"], bounds["min_agreement"]
        if not parity.drop <= drop + 1e-9:
            missed.append(
                f"{name}: drop {parity.drop:.2f} points, {parity.drop - drop:.2f} above the limit of {drop:.2f}"
            )
        if not parity.agreement >= agreement - 1e-9:
            missed.append(
                f"{name}: agreement {parity.agreement:.2f} %, {agreement - parity.agreement:.2f} below the limit of "
                f"{agreement:.2f} %"
            )
        rise = bounds["max_nll_rise"]
        if not parity.nll_rise <= rise + 1e-12:
            missed.append(f"{name}: calibration {parity.nll_rise:.4f} nats worse (allowed: {rise:.4f})")
        if parity.rejection_agreement is not None and training_recipe is not None:
            together, rejected_alike = limits["rejection"][training_recipe], parity.rejection_agreement
            if not rejected_alike >= together - 1e-9:
                missed.append(
                    f"{name}: rejects alike {rejected_alike:.2f} %, {together - rejected_alike:.2f} below the limit of "
                    f"{together:.2f} %"
                )
        if not math.isfinite(parity.largest_difference):
            missed.append(f"{name}: its outputs are not finite numbers")
        largest = bounds.get("max_bytes")
        if largest is not None and parity.bytes > largest:
            missed.append(f"{name}: {parity.bytes:,} bytes, {parity.bytes - largest:,} above the limit of {largest:,}")
    if "int8" in results and training_recipe is not None:
        least, reached = limits["accuracy"][training_recipe], results["int8"].accuracy
        if not reached >= least - 1e-9:
            missed.append(f"int8: accuracy {reached:.2f} %, {least - reached:.2f} below the limit of {least:.2f} %")
    return missed


def table(results: dict[str, Parity]) -> str:
    """Return the results as lines of text, one for each model."""
    head = f"{'model':<9}{'bytes':>11}{'accuracy':>10}{'drop':>7}{'errors':>9}{'agreement':>11}"
    head += f"{'McNemar p':>11}{'worst diff':>12}{'NLL rise':>11}{'worst class':>13}{'rejects alike':>15}"
    lines = [head]
    first = next(iter(results.values()))
    lines.append(f"{'full':<9}{'':>11}{first.full_accuracy:>8.2f} %")
    for name, parity in results.items():
        increase = parity.relative_error_increase
        lines.append(
            f"{name:<9}{parity.bytes:>11,}{parity.accuracy:>8.2f} %{parity.drop:>7.2f}"
            f"{'' if increase is None else f'{increase:+.1%}':>9}{parity.agreement:>9.2f} %{parity.mcnemar_p:>11.3f}"
            f"{parity.largest_difference:>12.4f}{parity.nll_rise:>+11.5f}{max(parity.drop_per_class):>+13.2f}"
            f"{'' if parity.rejection_agreement is None else f'{parity.rejection_agreement:.2f} %':>15}"
        )
    return "\n".join(lines)


def measures(results: dict[str, Parity]) -> list[Measure]:
    """Return the measures that compare with another build.

    Differences have no better direction: drops and rises lie about 0, where a ratio has no meaning.
    """
    first = next(iter(results.values()))
    measured = [of_percent("full/accuracy", first.full_accuracy, first.digits)]
    for name, parity in results.items():
        measured += [
            of_percent(f"{name}/accuracy", parity.accuracy, parity.digits),
            of_percent(f"{name}/agreement", parity.agreement, parity.digits),
            figure(f"{name}/drop", parity.drop, "%"),
            figure(f"{name}/McNemar p", parity.mcnemar_p, "1"),
            figure(f"{name}/file", parity.bytes, "B", better="lower"),
        ]
        if math.isfinite(parity.nll_rise):
            measured.append(figure(f"{name}/NLL rise", parity.nll_rise, "1"))
        if parity.rejection_agreement is not None:
            together = parity.digits + parity.others
            measured.append(of_percent(f"{name}/rejects alike", parity.rejection_agreement, together))
    return measured


def details(results: dict[str, Parity], missed: list[str]) -> dict[str, Any]:
    """Return the details of parity.json."""
    return {"passed": not missed, "missed": missed,
            "models": {name: {key: _known(value) for key, value in asdict(parity).items()}
                       for name, parity in results.items()}}  # fmt: skip


def _known(value: Any) -> Any:
    """Return a JSON-compatible value: None for a non-finite number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
