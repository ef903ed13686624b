"""A strip of a line -> its digits, by the network that reads a line as a whole."""

import threading
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.graph import Float64, Scores, interpreter
from edge_runtime.records import Uint8
from edge_runtime.vision.glyphs import SURER
from edge_runtime.vision.strips import COLUMNS, ROWS

BLANK = 10  # the network's last output: no digit is told here


class LineText(NamedTuple):
    """What a strip says: `labels` of its digits, 0-9, left to right, and how likely exactly these are all, 0-1.

    `columns` are the first and the last column of the strip where each is told; `confidences`, float64 (N, 10), are how
    likely each digit is where it is told most surely.
    """

    labels: tuple[int, ...]
    likely: float
    columns: tuple[tuple[float, float], ...]
    confidences: Float64


class LineNetwork:
    """A LiteRT interpreter around the flatbuffer of a line network, from the file `path`.

    Calls may come from several threads at once: they take turns. Raises ModelError where it cannot be used.
    """

    def __init__(self, path: Path, flatbuffer: bytes, threads: int) -> None:
        self._lock = threading.Lock()
        self._graph = interpreter(path, flatbuffer, threads)
        inputs, outputs = self._graph.get_input_details()[0], self._graph.get_output_details()[0]
        shape = tuple(inputs["shape"])
        if shape != (1, ROWS, COLUMNS, 1) or inputs["dtype"] != np.uint8 or outputs["shape"][-1] != BLANK + 1:
            raise ModelError(f"{path} holds a line network that takes {inputs['dtype'].__name__} {shape}")
        self._in, self._out = inputs["index"], outputs["index"]
        self._scale = float(outputs["quantization"][0])
        self.step = COLUMNS / int(outputs["shape"][1])

    def scores(self, strip: Uint8) -> Scores:
        """Return what the graph answers, int8 (steps, 11), for a strip, uint8 (32, 256).

        Raises ValueError once closed.
        """
        with self._lock:
            if self._graph is None:
                raise ValueError("the line network is closed")
            self._graph.set_tensor(self._in, strip[None, :, :, None])
            self._graph.invoke()
            return self._graph.get_tensor(self._out)[0]  # type: ignore[no-any-return]

    def probabilities(self, strip: Uint8) -> Float64:
        """Return what each output says of every `step` columns: float64 (steps, 11), rows that sum to 1."""
        values = self.scores(strip).astype(np.float64) * self._scale
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def close(self) -> None:
        """Free the interpreter; safe to call again."""
        with self._lock:
            self._graph = None


def decode(probabilities: Float64, step: float) -> LineText:
    """Return the likeliest digits, given those of every `step` columns: float64 (steps, 11), rows that sum to 1.

    Of every step the likeliest output is taken; equal ones in a row are one digit (greedy decoding).
    """
    runs = greedy(probabilities)
    labels = [label for label, _, _ in runs]
    surest = [first + int(probabilities[first:end, label].argmax()) for label, first, end in runs]
    columns = tuple((first * step, end * step) for _, first, end in runs)
    return LineText(tuple(labels), likelihood(probabilities, labels), columns, probabilities[surest, :BLANK])


def greedy(scores: NDArray[Any]) -> list[tuple[int, int, int]]:
    """Return each digit that scores, (steps, 11), tell, with its first step and the one behind its last."""
    runs, first = [], 0
    for label, same in groupby(scores.argmax(axis=1).tolist()):
        end = first + len(list(same))
        if label != BLANK:
            runs.append((int(label), first, end))
        first = end
    return runs


def likelihood(probabilities: Float64, labels: Sequence[int]) -> float:
    """Return how likely these digits are, 0-1: over all the ways to tell them (Graves et al. 2006, section 4.1)."""
    states = [BLANK]
    for label in labels:
        states += [label, BLANK]
    # Of blanks in a row, the first stands for all.
    blank = probabilities[:, BLANK] > 1 - SURER
    probabilities = probabilities[~(blank & np.r_[False, blank[:-1]])]
    # A digit may follow the one before without a blank between them, unless it is the same.
    skip = np.array([i > 1 and states[i] not in (BLANK, states[i - 2]) for i in range(len(states))])
    emitted = probabilities[:, states]
    reached = np.zeros(len(states))
    reached[:2] = emitted[0, :2]
    for now in emitted[1:]:
        one, two = np.r_[0.0, reached[:-1]], np.r_[0.0, 0.0, reached[:-2]] if len(states) > 2 else 0.0
        reached = (reached + one + two * skip) * now
    return float(reached[-2:].sum())
