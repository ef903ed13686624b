"""Replays golden vectors: does the network give the same output on this machine as where its file was made?"""

from contextlib import closing
from typing import NamedTuple

import numpy as np

from edge_runtime.errors import CheckFailed, ModelError
from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.interpreter import Scores
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.inference.model_file import ModelFile

# The largest allowed difference of a score, in units in the last place of the largest score. Some processors round int8
# products differently. Floats are summed in another order, and where activations are quantized in between, a sum
# between two quantization steps may round to the other one.
UNITS, UNITS_FLOAT = 2, 2**14
NO_VECTORS = "this model has none, so its output on this machine cannot be verified"  # no golden vectors


class Replay(NamedTuple):
    """The result: of `vectors` golden vectors, `same` have the expected label; no score is off by more than `furthest`.

    `furthest` and `allowed` are in units in the last place.
    """

    vectors: int
    same: int
    furthest: float
    allowed: int

    def __str__(self) -> str:
        return (
            f"{self.same} of {self.vectors} have the expected label; scores differ by up to {self.furthest:g} units in "
            f"the last place (allowed: {self.allowed})"
        )

    @property
    def passed(self) -> bool:
        """Whether the network's output is as expected."""
        return self.same == self.vectors and self.furthest <= self.allowed


def replay(classifier: Classifier) -> Replay | None:
    """Run the model on its golden vectors, one by one; return None for a model without a card, which has none.

    A label also counts as the same where the file's own scores are too close to decide. Strips of a line network are
    vectors too; their labels are those of all their steps. Raises CheckFailed where the vectors cannot be read, or
    belong to another model.
    """
    model = classifier.model
    if not model.verified:
        return None
    try:
        golden = model.golden()
        scores = np.stack([classifier.scores(image[None]) for image in golden["inputs"]])
        parts = [_compared(model, scores, golden["outputs"][:, None])]
        if model.line is not None:
            with closing(LineNetwork(model.path, model.line, 1)) as network:
                scores = np.stack([network.scores(strip) for strip in golden["line_inputs"]])
            parts.append(_compared(model, scores, golden["line_outputs"]))
    except (ModelError, ValueError, IndexError) as error:
        raise CheckFailed(f"{model.path}: its golden vectors are damaged; copy the file again") from error
    return Replay(
        sum(each.vectors for each in parts), sum(each.same for each in parts), max(each.furthest for each in parts),
        max(each.allowed for each in parts),
    )  # fmt: skip


def _compared(model: ModelFile, scores: Scores, expected: Scores) -> Replay:
    """Compare `scores`, (vectors, steps, classes), with `expected`."""
    if scores.shape != expected.shape or scores.dtype != expected.dtype:
        raise CheckFailed(
            f"{model.path}: its golden vectors belong to another network: expected output {expected.dtype} "
            f"{expected.shape}, found {scores.dtype} {scores.shape}; copy the file again"
        )
    whole = np.issubdtype(expected.dtype, np.integer)
    allowed = UNITS if whole else UNITS_FLOAT
    unit = 1.0 if whole else float(np.spacing(np.abs(expected).max()))
    wanted = expected.astype(np.float64)
    off = np.abs(scores - wanted) / unit
    off[np.isnan(off)] = np.inf
    chosen = np.take_along_axis(wanted, scores.argmax(axis=2)[..., None], axis=2)[..., 0]
    leading = (wanted.max(axis=2) - chosen <= 2 * allowed * unit).all(axis=1)
    return Replay(len(expected), int(leading.sum()), float(off.max()), allowed)


def check(classifier: Classifier) -> Replay | None:
    """Replay the golden vectors, as `replay` does. Raises CheckFailed where the output is not as expected."""
    result = replay(classifier)
    if result is not None and not result.passed:
        raise failure(classifier, result)
    return result


def failure(classifier: Classifier, result: Replay) -> CheckFailed:
    """Return the error of a replay that has not passed."""
    return CheckFailed(
        f"{classifier.model.path} gives wrong results on this machine: of its golden vectors, {result}; copy the file "
        "again, or install another version of the interpreter"
    )
