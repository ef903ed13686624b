"""Flatbuffer -> model file: add the card, the labels and the golden vectors. docs/model-file.md."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.calibration import Calibration
from convert.recipes import Conversion
from edge_runtime.bench import environment
from edge_runtime.inference import model_file
from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.contract import CONTRACT_VERSION, SIDE
from train import dataset, provenance

GOLDEN_SEED = 7
GOLDEN_EACH = 2  # of every class
MIN_CONFIDENCE = 0.5


def card(
    conversion: Conversion, calibration: Calibration, run: dict[str, Any], labels: Sequence[str] = model_file.DIGITS
) -> dict[str, Any]:
    """Return the card of a model with the training record `run` (run.json); measurements follow later."""
    return {
        "format": 1,
        "contract": CONTRACT_VERSION,
        "labels": list(labels),
        "input": {"shape": [None, SIDE, SIDE], "pixels": "0-255, ink bright on 0"},
        "output": "logits",
        "quantization": asdict(conversion),
        "calibration": calibration.record() if conversion.activations == "int8" else None,
        "training": run,
        "versions": provenance.versions(),
        "commit": environment.commit(),
        "thresholds": {"min_confidence": MIN_CONFIDENCE},
        "golden": {"split": "train", "seed": GOLDEN_SEED, "each": GOLDEN_EACH},
        "measured": None,
    }


def golden_inputs() -> NDArray[np.uint8]:
    """Return seeded digits of every class, then non-digits: uint8 (N, 28, 28), in the contract."""
    rng = np.random.default_rng(GOLDEN_SEED)
    digits = dataset.load("train")
    chosen = [rng.choice(np.flatnonzero(digits.labels == label), GOLDEN_EACH, replace=False) for label in range(10)]
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    no_digits = [
        np.zeros((SIDE, SIDE)),
        np.full((SIDE, SIDE), 255),
        rng.integers(0, 256, (SIDE, SIDE)),
        255 * (abs(y - 14) < 2),
        255 * (abs(x - y) < 2),
        9 * x,
    ]
    return np.concatenate([digits.images[np.concatenate(chosen)], np.array(no_digits, np.uint8)])


def package(path: Path, flatbuffer: bytes, about: dict[str, Any]) -> None:
    """Write the model file, with this machine's interpreter outputs for the golden inputs."""
    inputs = golden_inputs()
    scratch = path.with_name(f".golden-{path.name}")
    try:
        model_file.write(scratch, flatbuffer, about, {})
        with Classifier(scratch) as classifier:
            outputs = np.concatenate([classifier.scores(image[None]) for image in inputs])
    finally:
        scratch.unlink(missing_ok=True)
    model_file.write(path, flatbuffer, about, {"inputs": inputs, "outputs": outputs})
