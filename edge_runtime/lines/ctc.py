"""Decodes the line network's outputs into digits: connectionist temporal classification (CTC).

Each step of a strip has ten outputs for the digits and one for the blank, which stands for no digit. Equal outputs in a
row are one digit (Graves et al. 2006, "Connectionist Temporal Classification").
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.inference.contract import BLANK
from edge_runtime.lines.constraint import Constraint
from edge_runtime.vision.glyphs import PROBABILITY_FLOOR

Float64 = NDArray[np.float64]
Run = tuple[int, int, int]  # a digit, its first step, and the step after its last


class Move(NamedTuple):
    """A transition of a constraint: from state `came`, with digit `label`, to state `goes`."""

    came: int
    label: int
    goes: int


class LineText(NamedTuple):
    """The text of a strip: `labels` of its digits, 0-9, left to right, and the probability of exactly these, 0-1.

    `columns` are the first and the last column of each digit on the strip; `confidences`, float64 (N, 10), are the
    probabilities of the ten digits at the step where the digit's output is highest. `accepted` is the total probability
    of the texts that the constraint accepts, 1 without a constraint; `likely` is relative to it.
    """

    labels: tuple[int, ...]
    likely: float
    columns: tuple[tuple[float, float], ...]
    confidences: Float64
    accepted: float


def decode(probabilities: Float64, step: float, constraint: Constraint | None = None) -> LineText:
    """Return the likeliest digits for `probabilities`, float64 (steps, 11), one row that sums to 1 per `step` columns.

    With a constraint, return the likeliest that it accepts, or none where the steps are too few for any of these.
    """
    if constraint is None:
        runs, accepted = greedy(probabilities), 1.0
    else:
        runs, accepted = constrained(probabilities, constraint)
    labels = [label for label, _, _ in runs]
    surest = [first + int(probabilities[first:end, label].argmax()) for label, first, end in runs]
    columns = tuple((first * step, end * step) for _, first, end in runs)
    likely = min(1.0, float(likelihoods([probabilities], [labels])[0, 0]) / accepted) if accepted else 0.0
    return LineText(tuple(labels), likely, columns, probabilities[surest, :BLANK], accepted)


def greedy(scores: NDArray[Any]) -> list[Run]:
    """Return the digits of `scores`, (steps, 11), taking the likeliest output of each step."""
    return _runs(scores.argmax(axis=1).tolist())


def _runs(outputs: Sequence[int]) -> list[Run]:
    runs, first = [], 0
    for label, same in groupby(outputs):
        end = first + len(list(same))
        if label != BLANK:
            runs.append((label, first, end))
        first = end
    return runs


def likelihoods(views: Sequence[Float64], texts: Sequence[Sequence[int]]) -> Float64:
    """Return the probability of each text in each view of a line, float64 (views, texts), 0-1.

    A view is like `probabilities` in `decode`; a text is the labels of its digits. The probability of a text is the sum
    over all paths that produce it (Graves et al. 2006, section 4.1).
    """
    kept = [view[_informative(view)] for view in views]
    emitted = np.zeros((max(map(len, kept)), len(kept), BLANK + 1))
    emitted[:, :, BLANK] = 1.0  # padding after the last step of a view is blank
    for number, view in enumerate(kept):
        emitted[: len(view), number] = view
    states = np.full((len(texts), 2 * max(map(len, texts), default=0) + 1), BLANK)
    for own, text in zip(states, texts, strict=True):
        own[1 : 2 * len(text) : 2] = text
    # At each step, a path stays in its state or moves to the next one. It may also skip the blank between two digits
    # that differ.
    count = states.shape[1]
    moves = np.tile(np.eye(count) + np.eye(count, k=1), (len(texts), 1, 1))
    moves[:, range(count - 2), range(2, count)] = (states[:, 2:] != BLANK) & (states[:, 2:] != states[:, :-2])
    emissions = emitted[:, :, states].transpose(0, 2, 1, 3)  # (steps, texts, views, states)
    reached = emissions[0] * (np.arange(count) < 2)
    for now in emissions[1:]:
        reached = reached @ moves * now
    ends = [own[:, max(0, 2 * len(text) - 1) : 2 * len(text) + 1] for own, text in zip(reached, texts, strict=True)]
    return np.array([end.sum(axis=1) for end in ends]).reshape(len(texts), len(views)).T


def constrained(probabilities: Float64, constraint: Constraint) -> tuple[list[Run], float]:
    """Return the likeliest digits that a constraint accepts, and the total probability of all that it accepts, 0-1.

    A path is in a state of the constraint, and its last output is a digit or the blank. The likeliest path gives the
    digits (Viterbi), the sum over all paths the total probability.
    """
    steps = np.flatnonzero(_informative(probabilities))
    logs = np.log(np.maximum(probabilities[steps], np.finfo(np.float64).tiny))
    moves = [Move(a, label, b) for a, own in enumerate(constraint.moves) for label, b in own.items()]
    begun = np.full((len(constraint.moves), BLANK + 1), -np.inf)
    begun[constraint.START, BLANK] = 0.0
    best, total = [begun], begun
    for now in logs:
        best.append(np.maximum(best[-1], _changed(best[-1], moves, np.maximum)) + now)
        total = np.logaddexp(total, _changed(total, moves, np.logaddexp)) + now
    accepting = sorted(constraint.accepting)
    ends = best[-1][accepting]
    if not np.isfinite(ends).any():
        return [], 0.0
    state, last = np.unravel_index(int(ends.argmax()), ends.shape)
    outputs = _traced(best, moves, accepting[int(state)], int(last))
    bounds = np.append(steps, len(probabilities)).tolist()
    runs = [(label, bounds[first], bounds[end]) for label, first, end in _runs(outputs)]
    return runs, min(1.0, float(np.exp(np.logaddexp.reduce(total[accepting], axis=None))))


def _changed(paths: Float64, moves: Sequence[Move], combine: np.ufunc) -> Float64:
    """Return the log probabilities of paths, (states, 11), one step later, for paths whose output changes."""
    came, label, goes = np.array(moves, np.intp).reshape(-1, 3).T
    others = paths[came]
    others[np.arange(len(came)), label] = -np.inf  # an equal output continues the same digit
    changed = np.full_like(paths, -np.inf)
    combine.at(changed, (goes, label), combine.reduce(others, axis=1))
    changed[:, BLANK] = combine.reduce(paths[:, :BLANK], axis=1)
    return changed


def _traced(best: Sequence[Float64], moves: Sequence[Move], state: int, last: int) -> list[int]:
    """Return the outputs of the likeliest path that ends in state `state` with output `last`."""
    outputs = []
    for before in best[-2::-1]:
        outputs.append(last)
        came = [state] if last == BLANK else [move.came for move in moves if (move.label, move.goes) == (last, state)]
        ways = [(state, last), *((a, k) for a in came for k in range(BLANK + 1) if k != last)]
        state, last = max(ways, key=lambda way: before[way])
    return outputs[::-1]


def _informative(probabilities: Float64) -> NDArray[np.bool_]:
    """Return which steps to keep: all but repeated blanks, of which the first is kept."""
    blank = probabilities[:, BLANK] > 1 - PROBABILITY_FLOOR
    return np.asarray(~(blank & np.r_[False, blank[:-1]]))
