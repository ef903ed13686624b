"""DigitReader: the whole line from a frame to a reading."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import monotonic, perf_counter_ns
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime import reject
from edge_runtime.choose import choose, looks, surest
from edge_runtime.classifier import Classifier
from edge_runtime.errors import OptionError
from edge_runtime.ink import ink_plane
from edge_runtime.locate import MIN_SIDE, Located, cut_further, locate
from edge_runtime.normalize import normalize_all
from edge_runtime.overlooked import with_overlooked
from edge_runtime.reading import order
from edge_runtime.records import Box, Candidate, Digit, Frame, Reading, Rejection, Timings, Uint8

# Larger pictures are reduced to this long side first: digits are found from 12 pixels up, and the time is bounded.
LONG_SIDE = 1600
DOUBTFUL = 0.8  # marks that look less like any digit are cut, if they can be, and their pieces classified too
TOP = 3
MIN_CONFIDENCE = 0.5  # for a model whose card names no threshold


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What every stage made of a frame, in the pixels of the picture that was read (at most LONG_SIDE).

    `pixels` uint8 (H, W) or (H, W, 3); `ink` uint8 (H, W), bright on 0; `located` with N candidates; `images` uint8
    (N, 28, 28); `confidences` float64 (N, digits); `chosen` the indices of the candidates that were kept, `reasons`
    why each of these was rejected, or None; `reading` in the pixels of the frame itself.
    """

    pixels: Uint8
    ink: Uint8
    located: Located
    images: Uint8
    confidences: NDArray[np.float64]
    chosen: tuple[int, ...]
    reasons: tuple[str | None, ...]
    reading: Reading


class Reader(Protocol):
    """What reads frames: a DigitReader, or `device.swap.Swapping`, whose model may become another one."""

    @property
    def classifier(self) -> Classifier:
        """The model that reads now."""

    @property
    def min_confidence(self) -> float:
        """The least confidence that a digit needs, 0 to 1."""

    def trace(self, frame: Frame | Uint8) -> Trace:
        """Read one frame, and return what every stage made of it."""


class DigitReader:
    """Reads the digits in pictures.

        with DigitReader() as reader:                    # the shipped model
            print(reader.read(pixels).text)              # uint8 (H, W) gray or (H, W, 3) blue-green-red

    `model`, `labels` and `threads` are Classifier's; `min_confidence`, 0 to 1, is the least that a digit needs, and
    comes from the model's card where it is None. Raises what Classifier raises, and OptionError.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        labels: str | Path | None = None,
        threads: int = 1,
        min_confidence: float | None = None,
    ) -> None:
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise OptionError(f"the least confidence must lie between 0 and 1, not at {min_confidence}")
        self.classifier = Classifier(model, labels=labels, threads=threads)
        # A network that was never shown anything else takes everything for a digit: its doubt which one has to do.
        self._knows_others = self.classifier.digits < len(self.classifier.labels)
        card = self.classifier.model.card or {}
        default = float(card.get("thresholds", {}).get("min_confidence", MIN_CONFIDENCE))
        self.min_confidence = default if min_confidence is None else min_confidence

    def read(self, frame: Frame | Uint8) -> Reading:
        """Read one frame, or the bare pixels of one. Raises ValueError where they are of another shape or type."""
        return self.trace(frame).reading

    def trace(self, frame: Frame | Uint8) -> Trace:
        """Read one frame as `read` does, and return what every stage made of it as well."""
        frame = frame if isinstance(frame, Frame) else Frame(np.asarray(frame))
        _check(frame.pixels)
        clock = [perf_counter_ns()]
        pixels, scale = _reduced(frame.pixels)
        ink = ink_plane(pixels)
        clock.append(perf_counter_ns())
        located = with_overlooked(locate(ink), ink)
        clock.append(perf_counter_ns())
        images = normalize_all([candidate.ink for candidate in located.candidates])
        clock.append(perf_counter_ns())
        confidences = self._confidences(images)
        located = cut_further(located, np.flatnonzero(surest(confidences) < DOUBTFUL).tolist())
        if len(located.candidates) > len(images):
            more = normalize_all([candidate.ink for candidate in located.candidates[len(images) :]])
            images = np.concatenate([images, more])
            confidences = np.concatenate([confidences, self._confidences(more)])
        clock.append(perf_counter_ns())

        asked = chosen = choose(located.candidates, confidences)
        kept = [located.candidates[i] for i in chosen]
        best = surest(confidences[chosen]).tolist()
        sure = confidences[chosen].sum(axis=1).tolist() if self._knows_others else best
        lines = order([candidate.box for candidate in kept])
        sure = looks(located.candidates, chosen, sure)
        reasons = reject.reasons(kept, best, sure, lines, self.min_confidence)
        rejected = [*located.rejections, *_leftovers(located.marks, kept)]
        if any(reasons):
            rejected += [Rejection(c.box, why, sure) for c, why, sure in zip(kept, reasons, best, strict=True) if why]
            chosen = [i for i, why in zip(chosen, reasons, strict=True) if why is None]
            lines = order([located.candidates[i].box for i in chosen])
        boxes = [_enlarged(located.candidates[i].box, scale, frame.size) for i in chosen]
        digits = self._digits(lines, boxes, confidences[chosen])
        clock.append(perf_counter_ns())
        reading = Reading(
            source=frame.source,
            frame=frame.index,
            captured_at=frame.captured_at,
            width=frame.size[0],
            height=frame.size[1],
            text=_text(digits, lines),
            digits=tuple(digits),
            rejected=tuple(Rejection(_enlarged(r.box, scale, frame.size), r.reason, r.confidence) for r in rejected),
            ms=_timings(clock),
            model=self.classifier.model.sha256[:12],
            age_ms=None if frame.taken is None else 1000 * max(0.0, monotonic() - frame.taken),
            dropped=frame.dropped,
        )
        return Trace(pixels, ink, located, images, confidences, tuple(asked), tuple(reasons), reading)

    def close(self) -> None:
        """Free the model; safe to call again."""
        self.classifier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _confidences(self, images: Uint8) -> NDArray[np.float64]:
        """Return how surely each image is each digit; what is missing from 1 says how surely it is none."""
        return self.classifier.confidences(images)[:, : self.classifier.digits]

    def _digits(self, lines: list[list[list[int]]], boxes: list[Box], confidences: NDArray[np.float64]) -> list[Digit]:
        """Return the digits in reading order; row i of `confidences` belongs to `boxes[i]`."""
        likeliest = np.argsort(-confidences, axis=1, kind="stable")[:, :TOP].tolist()
        values, labels = confidences.tolist(), self.classifier.labels
        digits = []
        for number, line in enumerate(lines):
            for i in (i for word in line for i in word):
                top = tuple((labels[k], values[i][k]) for k in likeliest[i])
                digits.append(Digit(*top[0], boxes[i], number, top))
        return digits


def _text(digits: list[Digit], lines: list[list[list[int]]]) -> tuple[str, ...]:
    """Return the labels of digits, which are in reading order, as lines of words."""
    labels = iter(digit.label for digit in digits)
    return tuple(" ".join("".join(next(labels) for _ in word) for word in line) for line in lines)


def _check(pixels: np.ndarray) -> None:
    fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if pixels.dtype != np.uint8 or not fits or pixels.size == 0:
        raise ValueError(f"a frame must be uint8 (H, W) or (H, W, 3), not {pixels.dtype} {pixels.shape}")


def _reduced(pixels: Uint8) -> tuple[Uint8, float]:
    """Return the picture at LONG_SIDE or less, and how many pixels of the original one of its pixels covers.

    It is halved as often as that goes, which averages, and then interpolated: ten times faster than averaging at once.
    """
    height, width = pixels.shape[:2]
    long = max(height, width)
    if long <= LONG_SIDE:
        return pixels, 1.0
    small = pixels
    while max(small.shape[:2]) >= 2 * LONG_SIDE and min(small.shape[:2]) > 1:
        small = np.asarray(cv2.resize(small, (small.shape[1] // 2, small.shape[0] // 2), interpolation=cv2.INTER_AREA))
    size = tuple(max(1, round(side * LONG_SIDE / long)) for side in (width, height))
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8), long / LONG_SIDE


def _enlarged(box: Box, scale: float, size: tuple[int, int]) -> Box:
    if scale == 1.0:
        return box
    x, y = (min(int(start * scale), side - 1) for start, side in zip(box[:2], size, strict=True))
    right, bottom = (min(round(end * scale), side) for end, side in zip((box.right, box.bottom), size, strict=True))
    return Box(x, y, max(1, right - x), max(1, bottom - y))


def _leftovers(marks: list[Box], kept: list[Candidate]) -> list[Rejection]:
    """Return a rejection for each mark that is part of no candidate that was kept: specks, and ink among much other."""
    used = frozenset[int]().union(*(candidate.marks for candidate in kept))
    return [
        Rejection(box, reject.TOO_SMALL if max(box.width, box.height) < MIN_SIDE else reject.CLUTTER)
        for i, box in enumerate(marks)
        if i not in used
    ]


def _timings(clock: list[int]) -> Timings:
    ink, located, normalized, classified = ((end - start) / 1e6 for start, end in pairwise(clock[:5]))
    return Timings(ink, located, normalized, classified, (clock[-1] - clock[0]) / 1e6)
