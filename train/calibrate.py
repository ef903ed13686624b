"""Calibrate confidences: scale logits to fit pictures that training does not use.

Temperature scaling (Guo, Pleiss, Sun, Weinberger 2017, "On calibration of modern neural networks"), with an offset for
the output "no digit": training has far more of these than a page does (Saerens et al. 2002).
"""

from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from train import crops, crowded, dataset
from train.recipes import Mix

DIGITS = 10
PRIOR = 0.98  # share of digits in the calibration set
ACCEPTED = 0.99  # share of the held-out digits that reach the threshold at which rejection is measured
Logits = NDArray[np.float32]


class Scaling(NamedTuple):
    """The divisor of the logits, and the offset added afterwards to the last of eleven."""

    temperature: float
    offset: float

    def __call__(self, logits: Logits) -> NDArray[np.float64]:
        """Return the logits, (N, classes), scaled."""
        scaled = logits.astype(np.float64) / self.temperature
        scaled[:, DIGITS:] += self.offset
        return scaled


def calibrate(network: keras.Sequential, mix: Mix) -> dict[str, float]:
    """Return the scaling of a network's logits that best fits held-out pictures, and its accuracy and rejection rates.

    The pictures are MNIST's held-out digits, digits that the runtime cuts out of pages drawn with them, written digits,
    crowded digits, and non-digits from pages and from typefaces. All sets of digits have the same weight, and so do
    those of non-digits; all digits together weigh PRIOR.
    """
    seen = {"mnist": dataset.load("held_out")}
    for name, drawn in zip(("camera", "written"), crops.load("held_out", mix.pages), strict=True):
        seen[f"{name}_digits"], seen[f"{name}_others"] = crops.parts(drawn)
    seen["crowded_digits"] = crowded.load("held_out", mix.pages)
    logits = {name: network.predict(part.images, batch_size=1000, verbose=0) for name, part in seen.items()}
    knows_others = network.output_shape[1] > DIGITS
    shares = {name: (1 - PRIOR) / 2 if name.endswith("others") else PRIOR / 4 for name in seen}
    fitted_on = [name for name in seen if knows_others or not name.endswith("others")]
    fitted = fit(
        np.concatenate([logits[name] for name in fitted_on]),
        np.concatenate([seen[name].labels for name in fitted_on]),
        np.concatenate([np.full(len(seen[name].labels), shares[name] / len(seen[name].labels)) for name in fitted_on]),
    )

    best = {name: softmax(fitted(part), axis=1)[:, :DIGITS].max(axis=1) for name, part in logits.items()}
    least = float(np.quantile(best["mnist"], 1 - ACCEPTED))
    report = {**fitted._asdict(), "threshold_99": least}
    for name, part in logits.items():
        if name.endswith("others"):
            report[f"{name}_rejected"] = float((best[name] < least).mean())
        else:
            report[f"{name}_read"] = float((part[:, :DIGITS].argmax(axis=1) == seen[name].labels).mean())
            report[f"{name}_accepted"] = float((best[name] >= least).mean())
    return {name: round(value, 5) for name, value in report.items()}


def fit(logits: Logits, labels: NDArray[np.uint8], weights: NDArray[np.float64]) -> Scaling:
    """Return the scaling of `logits`, (N, classes), that maximizes the weighted likelihood of `labels`, (N,)."""

    def cost(values: NDArray[np.float64]) -> float:
        logs = log_softmax(Scaling(float(np.exp(values[0])), float(values[1]))(logits), axis=1)
        return float(-np.average(logs[np.arange(len(labels)), labels], weights=weights))

    log_temperature, offset = minimize(cost, (0.0, 0.0), method="Nelder-Mead").x
    return Scaling(float(np.exp(log_temperature)), float(offset))


def fold(network: keras.Sequential, calibration: dict[str, float]) -> None:
    """Fold the scaling that `calibrate` returns into the weights of a network's last dense layer, in place."""
    scaling = Scaling(calibration["temperature"], calibration["offset"])
    last = network.layers[-1]
    kernel, bias = (weights / np.float32(scaling.temperature) for weights in last.get_weights())
    bias[DIGITS:] += np.float32(scaling.offset)
    last.set_weights([kernel, bias])
