"""DigitReader: the complete pipeline from a frame to a reading."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ModelCorrupt, OptionError
from edge_runtime.inference import model_file
from edge_runtime.inference.classifier import Classifier
from edge_runtime.lines import numbers
from edge_runtime.lines.constraint import Constraint
from edge_runtime.lines.recheck import CHECKS, LEAST_LIKELY, checker_of
from edge_runtime.lines.transcript import lines_of, numbered, rejections_of, words_of
from edge_runtime.lines.written import Written, digits_of
from edge_runtime.orientation import quarter_turn, turned_back
from edge_runtime.records import Box, Frame, Reading, Rejection, Uint8
from edge_runtime.stopwatch import Stopwatch
from edge_runtime.survey import Survey, Surveyor
from edge_runtime.system.closing import Closing
from edge_runtime.trace import Hint, Trace
from edge_runtime.vision import line_confidence, page_model, rejection, weights
from edge_runtime.vision.candidates import are_pieces, propose
from edge_runtime.vision.regions import work_budget
from edge_runtime.vision.selection import choose

T = TypeVar("T")
MIN_CONFIDENCE = 0.5  # for a model whose card names no threshold
Float64 = NDArray[np.float64]


class Reader(Protocol):
    """An object that reads frames: a DigitReader, or `store.hot_swap.HotSwapReader`, which can replace its model."""

    @property
    def classifier(self) -> Classifier:
        """The current model."""

    @property
    def min_confidence(self) -> float:
        """The confidence threshold for a digit, 0 to 1."""

    def trace(self, frame: Frame | Uint8, hint: Hint | None = None) -> Trace:
        """Read one frame, and return the results of every stage; a hint limits where to search."""


class DigitReader(Closing):
    """Reads the digits in pictures.

        with DigitReader() as reader:                    # the shipped model
            print(reader.read(pixels).text)              # uint8 (H, W) gray or (H, W, 3) blue-green-red

    `model`, `labels` and `threads` are Classifier's. `min_confidence`, 0 to 1, is the threshold for a digit; None takes
    it from the model's card. `min_line_confidence`, 0 to 1, is the threshold for a line; None means a third for a digit
    alone on its line, and 0 for several. `turn` is the clockwise rotation in degrees that makes a page upright: 0, 90,
    180 or 270; None estimates it from the digits. `check` selects the lines that the model's line network, if it has
    one, reads again: `always` all of them, `doubtful` those that may be wrong and pictures that are one line, `never`
    none. Raises what Classifier raises, and OptionError.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        labels: str | Path | None = None,
        threads: int = 1,
        min_confidence: float | None = None,
        min_line_confidence: float | None = None,
        turn: int | None = None,
        check: str = "doubtful",
    ) -> None:
        if turn not in (None, 0, 90, 180, 270):
            raise OptionError(f"turn must be 0, 90, 180 or 270 degrees, not {turn}")
        for least in (min_confidence or 0.0, min_line_confidence or 0.0):
            if not 0 <= least <= 1:
                raise OptionError(f"a minimum confidence must be between 0 and 1, not {least}")
        if check not in CHECKS:
            raise OptionError(f"check must be one of {', '.join(CHECKS)}, not {check}")
        self.classifier = Classifier(model, labels=labels, threads=threads)
        self.weights = _of_card(self.classifier.model, weights.from_card)
        self.line_weights = _of_card(self.classifier.model, line_confidence.from_card)
        self.number_weights = numbers.from_card(self.classifier.model.card)
        self._surveyor = Surveyor(self.classifier, self.weights)
        card = self.classifier.model.card or {}
        default = float(card.get("thresholds", {}).get("min_confidence", MIN_CONFIDENCE))
        self.min_confidence = default if min_confidence is None else min_confidence
        self.min_line_confidence = min_line_confidence
        self.turn = turn
        self._checker = checker_of(self.classifier, self.min_confidence, check, threads)

    def read(self, frame: Frame | Uint8, *, constraint: Constraint | None = None) -> Reading:
        """Read one frame, or the bare pixels of one.

        A constraint states what is known about the lines: a number of digits, or a pattern (`lines.constraint`). If a
        line does not fit, it is read again as the likeliest text that fits; without such a text, it keeps its own, with
        a confidence of 0. Raises ValueError for pixels of another shape or type, and OptionError for a constraint
        without a line network.
        """
        return self.trace(frame, constraint=constraint).reading

    def trace(self, frame: Frame | Uint8, hint: Hint | None = None, constraint: Constraint | None = None) -> Trace:
        """Read one frame as `read` does, and also return the results of every stage.

        A hint limits the search to its planes and rotation: see `LiveReader`.
        """
        if constraint is not None and self._checker is None:
            raise OptionError("a constraint requires a model with a line network, and a check other than never")
        frame = frame if isinstance(frame, Frame) else Frame(np.asarray(frame))
        _check(frame.pixels)
        watch = Stopwatch()
        survey = self._surveyor.survey(frame.pixels, hint, self.turn, watch)
        planes, regions, standing, size = survey.planes, survey.regions, survey.standing, survey.size
        page = page_model.estimate(survey.glyphs, len(planes), self.weights, size)
        candidates = propose(regions, standing, survey.glyphs, page, work_budget(planes[0].ink.size))
        watch.stop("locate")
        seen = self._surveyor.see_candidates(candidates, survey, watch)
        chosen = choose(candidates, seen.confidences)
        piece = are_pieces(candidates, chosen)
        glyphs = self._surveyor.glyphs([candidates[i] for i in chosen], planes, seen.take(chosen), piece)
        verdict = rejection.judge(glyphs, page, self.weights, self.min_confidence, len(standing))

        finest = [candidates[chosen[row]] for row in verdict.finest]
        scales = [planes[candidate.plane].scale for candidate in finest]
        upright_boxes = [each.box.scaled(size, scale) for each, scale in zip(finest, scales, strict=True)]
        to_frame = partial(_of_frame, survey, frame.size)
        boxes = tuple(map(to_frame, upright_boxes))
        known = None
        if self._checker is not None and self.number_weights is not None and self.min_confidence > 0:
            watch.skip()
            network = self._checker.readers.network
            known, verdict = numbers.decide(network, self.number_weights, verdict, glyphs, planes, upright_boxes)
            watch.stop("classify")
        lines = numbers.lines_of(verdict, upright_boxes)
        on_lines = numbers.flat(lines)
        line_features = line_confidence.features(
            on_lines, glyphs, verdict, candidates, seen.confidences, chosen, size
        )  # fmt: skip
        likely = line_confidence.probabilities(line_features, self.line_weights)
        words = words_of(lines, boxes, verdict.confidences, self.classifier.labels)
        written = list(map(Written, words, likely.tolist()))
        if self._checker is not None:
            watch.skip()
            line_candidates = [[candidates[chosen[row]] for row in line] for line in on_lines]
            written = self._checker.check(written, line_candidates, planes, size, to_frame, constraint)
            watch.stop("classify")
        sure = [line for line in written if line.likely >= self._least(line, constraint)]
        reasons = _with_lines(verdict.reasons, boxes, written, sure)
        rejected = rejections_of(glyphs, boxes, reasons, verdict.confidences)
        return Trace(
            frame=frame, pixels=survey.pixels, turn=survey.turn, planes=planes, regions=regions, standing=standing,
            page=page, candidates=candidates, images=seen.images, confidences=seen.confidences,
            chosen=tuple(chosen), glyphs=glyphs, boxes=boxes, reasons=reasons, known=known,
            line_features=line_features, checks=[line.check for line in written],
            reading=self._reading(frame, survey.turn, sure, rejected, watch),
        )  # fmt: skip

    def _reading(
        self, frame: Frame, turn: float, lines: Sequence[Written], rejected: tuple[Rejection, ...], watch: Stopwatch
    ) -> Reading:
        read = lines_of(lines)
        return Reading(
            source=frame.source,
            frame=frame.index,
            captured_at=frame.captured_at,
            width=frame.size[0],
            height=frame.size[1],
            text=tuple(line.text for line in read),
            digits=numbered(lines),
            rejected=rejected,
            ms=watch.timings(),
            model=self.classifier.model.id,
            age_ms=None if frame.taken is None else 1000 * max(0.0, monotonic() - frame.taken),
            dropped=frame.dropped,
            turned=quarter_turn(turn),
            lines=read,
        )

    def _least(self, line: Written, constraint: Constraint | None) -> float:
        """Return the confidence, 0-1, that a line needs to be reported.

        Under a constraint, a line that does not fit has a confidence of 0, and is reported all the same.
        """
        if self.min_line_confidence is not None:
            return self.min_line_confidence
        alone = len(digits_of(line.words)) == 1 and self.min_confidence > 0 and constraint is None
        return LEAST_LIKELY if alone else 0.0

    def close(self) -> None:
        """Free the model; repeated calls are safe."""
        self.classifier.close()
        if self._checker is not None:
            self._checker.readers.network.close()


def _of_card(model: model_file.ModelFile, read: Callable[[Mapping[str, Any] | None], T | None]) -> T:
    """Return the weights in a model's card, or the shipped ones if it has none. Raises ModelCorrupt."""
    try:
        fitted = read(model.card) or read(model_file.read(model_file.SHIPPED).card)
    except ValueError as error:
        raise ModelCorrupt(f"{model.path} is damaged: {error}") from error
    if fitted is None:
        raise ModelCorrupt(f"{model_file.SHIPPED} is damaged: its card has no weights; install the package again")
    return fitted


def _with_lines(
    reasons: Sequence[str | None], boxes: Sequence[Box], written: Sequence[Written], sure: Sequence[Written]
) -> tuple[str | None, ...]:
    """Return the reasons, and one for each digit that is in no line, or in no sure line."""
    for lines, why in ((written, rejection.READ_ELSEWHERE), (sure, rejection.UNSURE_LINE)):
        read = {digit.box for line in lines for digit in digits_of(line.words)}
        reasons = rejection.rejected(reasons, {row for row, box in enumerate(boxes) if box not in read}, why)
    return tuple(reasons)


def _of_frame(survey: Survey, size: tuple[int, int], box: Box) -> Box:
    """Return a box of the turned picture as a box of the frame, whose (width, height) is `size`."""
    return turned_back(box, survey.back, size) if survey.turn else box


def _check(pixels: np.ndarray) -> None:
    fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if pixels.dtype != np.uint8 or not fits or pixels.size == 0:
        raise ValueError(f"a frame must be uint8 (H, W) or (H, W, 3), not {pixels.dtype} {pixels.shape}")
