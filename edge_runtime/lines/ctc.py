"""What the line network says of each step of a strip -> digits (connectionist temporal classification, CTC).

Each step has ten outputs for the digits and one for the blank: no digit is told here. Equal outputs in a row are one
digit (Graves et al. 2006, "Connectionist Temporal Classification").
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.inference.contract import BLANK
from edge_runtime.lines.constraint import Constraint
from edge_runtime.vision.glyphs import SURER

Float64 = NDArray[np.float64]
Run = tuple[int, int, int]  # a digit, its first step, and the one behind its last


class Move(NamedTuple):
    """A move of a constraint: the state it came from, the digit that is told, and the state it goes to."""

    came: int
    label: int
    goes: int


class LineText(NamedTuple):
    """What a strip says: `labels` of its digits, 0-9, left to right, and how likely exactly these are all, 0-1.

    `columns` are the first and the last column of the strip where each is told; `confidences`, float64 (N, 10), are how
    likely each digit is where it is told most surely. `accepted` is how likely any digits are that the constraint
    accepts, 1 where there is none: `likely` is of these alone.
    """

    labels: tuple[int, ...]
    likely: float
    columns: tuple[tuple[float, float], ...]
    confidences: Float64
    accepted: float


def decode(probabilities: Float64, step: float, constraint: Constraint | None = None) -> LineText:
    """Return the likeliest digits, given those of every `step` columns: float64 (steps, 11), rows that sum to 1.

    Under a constraint they are the likeliest that it accepts; none, where there is no room for any of these.
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
    """Return the digits that scores, (steps, 11), tell: of every step the likeliest output is taken."""
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
    """Return how likely each text is by each view of a line, float64 (views, texts), 0-1.

    A view is as in `decode`, a text the labels of its digits. The probability of a text is the sum over all the ways to
    tell it (Graves et al. 2006, section 4.1).
    """
    kept = [view[_informative(view)] for view in views]
    emitted = np.zeros((max(map(len, kept)), len(kept), BLANK + 1))
    emitted[:, :, BLANK] = 1.0  # behind the last step of a view, it tells nothing
    for number, view in enumerate(kept):
        emitted[: len(view), number] = view
    states = np.full((len(texts), 2 * max(map(len, texts), default=0) + 1), BLANK)
    for own, text in zip(states, texts, strict=True):
        own[1 : 2 * len(text) : 2] = text
    # From one step to the next, a text stays in its state or goes on to the next one. A digit may also follow the one
    # before without a blank between them, unless it is the same.
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
    """Return the likeliest digits that a constraint accepts, and how likely any that it accepts are, 0-1.

    A path through the steps is in a state of the constraint, and has last told a digit or the blank: the likeliest
    path gives the digits (Viterbi), the sum over all paths how likely any are.
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
    """Return the logarithms of paths, (states, 11), one step on, of those that tell another output than before."""
    came, label, goes = np.array(moves, np.intp).reshape(-1, 3).T
    others = paths[came]
    others[np.arange(len(came)), label] = -np.inf  # it would be the same digit still
    changed = np.full_like(paths, -np.inf)
    combine.at(changed, (goes, label), combine.reduce(others, axis=1))
    changed[:, BLANK] = combine.reduce(paths[:, :BLANK], axis=1)
    return changed


def _traced(best: Sequence[Float64], moves: Sequence[Move], state: int, last: int) -> list[int]:
    """Return the outputs of the likeliest path that ends in this state, with this last output."""
    outputs = []
    for before in best[-2::-1]:
        outputs.append(last)
        came = [state] if last == BLANK else [move.came for move in moves if (move.label, move.goes) == (last, state)]
        ways = [(state, last), *((a, k) for a in came for k in range(BLANK + 1) if k != last)]
        state, last = max(ways, key=lambda way: before[way])
    return outputs[::-1]


def _informative(probabilities: Float64) -> NDArray[np.bool_]:
    """Return which steps tell something: of blanks in a row, the first stands for all."""
    blank = probabilities[:, BLANK] > 1 - SURER
    return np.asarray(~(blank & np.r_[False, blank[:-1]]))
