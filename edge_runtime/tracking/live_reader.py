"""LiveReader: reads moving pictures, and searches each frame first where the previous one had digits."""

import numpy as np
from numpy.typing import NDArray

from edge_runtime.reader import Reader
from edge_runtime.records import Frame
from edge_runtime.trace import Hint, Trace
from edge_runtime.tracking.events import LATELY
from edge_runtime.vision.boxes import overlap
from edge_runtime.vision.planes import Key
from edge_runtime.vision.rejection import SAME, UNSURE_LINE

FULLY = LATELY // 2  # frames from one full search to the next: half a second of a camera


class LiveReader:
    """Reads the frames of one moving picture, in order, with `reader`.

    Digits are most likely on the planes (polarity and scale) that had digits in the previous frame, with the page
    turned as before: searching only there is about a third of the work. Where fewer digits than before or none are
    found, and every FULLY frames, for new digits, a full search covers all planes and estimates the turn again.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._planes: frozenset[Key] = frozenset()
        self._turn = 0.0
        self._digits = 0
        self._frames = 0  # since the last full search

    def trace(self, frame: Frame) -> Trace:
        """Read the next frame, and return the results of all stages."""
        trace: Trace | None = None
        self._frames += 1
        if self._planes and self._frames < FULLY:
            trace = self._reader.trace(frame, Hint(self._planes, self._turn))
        if trace is None or int(_are_digits(trace).sum()) < self._digits:
            trace = self._reader.trace(frame)
            self._frames = 0
            self._planes, self._turn = read_planes(trace), trace.turn
        self._digits = int(_are_digits(trace).sum())
        return trace


def _are_digits(trace: Trace) -> NDArray[np.bool_]:
    """Return which glyphs are digits, including those of unsure lines."""
    return np.array([reason in (None, UNSURE_LINE) for reason in trace.reasons], np.bool_)


def read_planes(trace: Trace) -> frozenset[Key]:
    """Return a small set of planes that together show every digit that was read (greedy set cover)."""
    glyphs = trace.glyphs
    digits = _are_digits(trace)
    shown = overlap(glyphs.boxes[digits], glyphs.boxes, np.maximum) > SAME
    shown &= glyphs.digit >= 1 / 2
    chosen: list[int] = []
    left = np.ones(np.count_nonzero(digits), np.bool_)
    while left.any():
        counts = [
            np.count_nonzero(shown[left][:, glyphs.plane == plane].any(axis=1)) for plane in range(len(trace.planes))
        ]
        chosen.append(int(np.argmax(counts)))
        left &= ~shown[:, glyphs.plane == chosen[-1]].any(axis=1)
    return frozenset(trace.planes[number].key for number in chosen)
