"""DigitReader: the complete pipeline from a frame to a reading."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ModelCorrupt, OptionError
from edge_runtime.inference import model_file
from edge_runtime.inference.classifier import Classifier
from edge_runtime.lines.constraint import Constraint
from edge_runtime.lines.recheck import CHECKS, LEAST_ALONE, checker_of
from edge_runtime.lines.transcript import lines_of, numbered, rejections_of, words_of
from edge_runtime.lines.written import Written, digits_of
from edge_runtime.orientation import position_of, quarter_turn, reads_better, turned, turned_back
from edge_runtime.records import Box, Frame, Reading, Uint8
from edge_runtime.stopwatch import Stopwatch
from edge_runtime.trace import Hint, Seen, Survey, Trace, spread
from edge_runtime.vision import line_confidence, page_model, rejection, weights
from edge_runtime.vision.candidates import Candidate, in_frame, pieces, propose
from edge_runtime.vision.glyphs import Glyphs, columns
from edge_runtime.vision.lines import order
from edge_runtime.vision.normalize import normalize_and_measure
from edge_runtime.vision.planes import Plane, ink_planes
from edge_runtime.vision.regions import Region, find_regions, work_budget
from edge_runtime.vision.selection import choose

T = TypeVar("T")
MIN_CONFIDENCE = 0.5  # for a model whose card names no threshold
Float64 = NDArray[np.float64]


class Reader(Protocol):
    """An object that reads frames: a DigitReader, or `store.hot_swap.Swapping`, which can replace its model."""

    @property
    def classifier(self) -> Classifier:
        """The current model."""

    @property
    def min_confidence(self) -> float:
        """The confidence threshold for a digit, 0 to 1."""

    def trace(self, frame: Frame | Uint8, hint: Hint | None = None) -> Trace:
        """Read one frame, and return the results of every stage; a hint limits where to search."""


class DigitReader:
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
            raise OptionError(f"a page is turned by 0, 90, 180 or 270 degrees, not by {turn}")
        for least in (min_confidence or 0.0, min_line_confidence or 0.0):
            if not 0 <= least <= 1:
                raise OptionError(f"the least confidence must lie between 0 and 1, not at {least}")
        if check not in CHECKS:
            raise OptionError(f"lines are checked {', '.join(CHECKS)}, not {check}")
        self.classifier = Classifier(model, labels=labels, threads=threads)
        # A classifier without labels for non-digits takes everything for a digit: its best confidence must serve
        # instead.
        self._knows_others = self.classifier.digits < len(self.classifier.labels)
        self._one = self.classifier.labels.index("1") if "1" in self.classifier.labels else None
        self.weights = _of_card(self.classifier.model, weights.from_card)
        self.line_weights = _of_card(self.classifier.model, line_confidence.from_card)
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

    def trace(
        self, frame: Frame | Uint8, hint: Hint | None = None, constraint: Constraint | None = None
    ) -> Trace:  # fmt: skip
        """Read one frame as `read` does, and also return the results of every stage.

        A hint limits the search to its planes and rotation: see `LiveReader`.
        """
        if constraint is not None and self._checker is None:
            raise OptionError("a constraint needs a model with a line network, and a check other than never")
        frame = frame if isinstance(frame, Frame) else Frame(np.asarray(frame))
        _check(frame.pixels)
        watch = Stopwatch()
        survey = self._survey(frame.pixels, hint or Hint(None, self.turn or 0), watch)
        if hint is None and self.turn is None and (position := self._upright(survey)):
            other = self._survey(frame.pixels, position, watch)
            labels = self.classifier.labels[: self.classifier.digits]
            survey = other if reads_better(survey.glyphs, other.glyphs, position.turn, labels, self.weights) else survey
        planes, regions, standing = survey.planes, survey.regions, survey.standing
        size = survey.pixels.shape[1], survey.pixels.shape[0]
        page = page_model.estimate(survey.glyphs, len(planes), self.weights, size)
        candidates = propose(regions, standing, survey.glyphs, page, work_budget(planes[0].ink.size))
        watch.stop("locate")
        known = [candidate.region for candidate in candidates if candidate.region is not None]
        made = candidates[len(known) :]
        seen = survey.seen.take(known)
        if made:
            seen = seen.and_also(self._see([candidate.ink for candidate in made], watch))
        chosen = choose(candidates, seen.confidences)
        piece = pieces(candidates, chosen)
        glyphs = self._glyphs([candidates[i] for i in chosen], planes, seen.take(chosen), piece)
        verdict = rejection.judge(glyphs, page, self.weights, self.min_confidence, len(standing))

        finest = [candidates[chosen[row]] for row in verdict.finest]
        upright = [in_frame(candidate.box, planes[candidate.plane].scale, size) for candidate in finest]
        boxes = [_of_frame(survey, frame.size, box) for box in upright]
        kept = [row for row, reason in enumerate(verdict.reasons) if reason is None]
        lines = order([upright[row] for row in kept])
        on_lines = [[kept[i] for word in line for i in word] for line in lines]
        line_features = line_confidence.features(
            on_lines, glyphs, verdict, candidates, seen.confidences, chosen, size
        )  # fmt: skip
        likely = line_confidence.probabilities(line_features, self.line_weights)
        words = words_of(lines, [boxes[row] for row in kept], verdict.confidences[kept], self.classifier.labels)
        written = list(map(Written, words, likely.tolist()))
        if self._checker is not None:
            watch.skip()
            line_candidates = [[candidates[chosen[row]] for row in line] for line in on_lines]
            back = partial(_of_frame, survey, frame.size)
            written = self._checker.check(written, line_candidates, planes, size, back, constraint)
            watch.stop("classify")
        left = {digit.box for line in written for digit in digits_of(line.words)}
        replaced = {row for row in kept if boxes[row] not in left}
        reasons = rejection.rejected(verdict.reasons, replaced, rejection.READ_ELSEWHERE)
        sure = [line for line in written if line.likely >= self._least(line, constraint)]
        reported = {digit.box for line in sure for digit in digits_of(line.words)}
        unsure = {row for row in kept if boxes[row] not in reported}
        reasons = rejection.rejected(reasons, unsure, rejection.UNSURE_LINE)
        read = lines_of(sure)
        reading = Reading(
            source=frame.source,
            frame=frame.index,
            captured_at=frame.captured_at,
            width=frame.size[0],
            height=frame.size[1],
            text=tuple(line.text for line in read),
            digits=numbered(sure),
            rejected=rejections_of(glyphs, boxes, reasons, verdict.confidences),
            ms=watch.timings(),
            model=self.classifier.model.sha256[:12],
            age_ms=None if frame.taken is None else 1000 * max(0.0, monotonic() - frame.taken),
            dropped=frame.dropped,
            turned=quarter_turn(survey.turn),
            lines=read,
        )
        return Trace(
            frame=frame, pixels=survey.pixels, turn=survey.turn, planes=planes, regions=regions, standing=standing,
            page=page, candidates=candidates,
            images=seen.images, confidences=seen.confidences, chosen=tuple(chosen), glyphs=glyphs,
            boxes=tuple(boxes), reasons=reasons, line_features=line_features,
            checks=[line.check for line in written], reading=reading,
        )  # fmt: skip

    def _least(self, line: Written, constraint: Constraint | None) -> float:
        """Return the confidence, 0-1, that a line needs to be reported.

        Under a constraint, a line that does not fit has a confidence of 0, and is reported all the same.
        """
        if self.min_line_confidence is not None:
            return self.min_line_confidence
        alone = len(digits_of(line.words)) == 1 and self.min_confidence > 0 and constraint is None
        return LEAST_ALONE if alone else 0.0

    def _survey(self, pixels: Uint8, hint: Hint, watch: Stopwatch) -> Survey:
        """Classify every region of a picture, and select regions of which none is a part of another."""
        upright, back = turned(pixels, hint.turn)
        planes = ink_planes(upright, hint.planes)
        watch.stop("ink")
        regions = find_regions(planes)
        watch.stop("locate")
        seen = self._see([region.ink for region in regions], watch)
        glyphs = self._glyphs(regions, planes, seen, [False] * len(regions))
        standing = page_model.standing(glyphs, [region.parent for region in regions])
        standing = page_model.with_freed(glyphs.take(standing), standing, [regions[i].freed for i in standing])
        standing = page_model.without_counters(glyphs.take(standing), standing)
        return Survey(upright, back, hint.turn, planes, regions, seen, standing, glyphs.take(standing))

    def _upright(self, survey: Survey) -> Hint | None:
        """Return the rotation of a page that does not read well as it lies; None if it stays as it is."""
        inks = [survey.regions[i].ink for i in survey.standing]
        rows = [row for row, ink in enumerate(inks) if ink is not None]
        position = position_of(
            survey.glyphs.take(rows),
            survey.seen.images[[survey.standing[row] for row in rows]],
            [ink for ink in inks if ink is not None],
            (survey.pixels.shape[1], survey.pixels.shape[0]),
            sum(region.ink is not None for region in survey.regions),
            self.classifier.labels[: self.classifier.digits],
            lambda images: self.classifier.confidences(images)[:, : self.classifier.digits],
        )
        planes = frozenset(survey.planes[i].key for i in position.planes)
        return Hint(planes, position.degrees) if position.degrees else None

    def close(self) -> None:
        """Free the model; repeated calls are safe."""
        self.classifier.close()
        if self._checker is not None:
            self._checker.readers.network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _see(self, inks: Sequence[Uint8 | None], watch: Stopwatch) -> Seen:
        """Classify the items that have ink; an item without ink gets darkness 255 and confidences of 0."""
        rows = [i for i, ink in enumerate(inks) if ink is not None]
        images, darkness, stroke_width = normalize_and_measure([ink for ink in inks if ink is not None])
        watch.stop("normalize")
        # 1 minus the sum of a row is the probability that it is no digit.
        confidences = self.classifier.confidences(images)[:, : self.classifier.digits]
        watch.stop("classify")
        shown = Seen(images, confidences, darkness, stroke_width)
        if len(rows) == len(inks):
            return shown
        count = len(inks)
        return Seen(
            spread(images, rows, np.zeros((count, *images.shape[1:]), np.uint8)),
            spread(confidences, rows, np.zeros((count, confidences.shape[1]))),
            spread(darkness, rows, np.full(count, 255.0)),
            spread(stroke_width, rows, np.zeros(count)),
        )

    def _glyphs(
        self, things: Sequence[Region | Candidate], planes: Sequence[Plane], seen: Seen, piece: Sequence[bool]
    ) -> Glyphs:
        return columns(
            [thing.box for thing in things], [thing.plane for thing in things], [plane.scale for plane in planes],
            seen.confidences, (seen.darkness, seen.stroke_width), piece, [thing.attached for thing in things],
            knows_others=self._knows_others, one=self._one,
        )  # fmt: skip


def _of_card(model: model_file.ModelFile, read: Callable[[Mapping[str, Any] | None], T | None]) -> T:
    """Return the weights in a model's card, or the shipped ones if it has none. Raises ModelCorrupt."""
    try:
        fitted = read(model.card) or read(model_file.read(model_file.SHIPPED).card)
    except ValueError as error:
        raise ModelCorrupt(f"{model.path} is damaged: {error}") from error
    if fitted is None:
        raise ModelCorrupt(f"{model_file.SHIPPED} is damaged: its card has no weights; install the package again")
    return fitted


def _of_frame(survey: Survey, size: tuple[int, int], box: Box) -> Box:
    """Return a box of the turned picture as a box of the frame, whose (width, height) is `size`."""
    return turned_back(box, survey.back, size) if survey.turn else box


def _check(pixels: np.ndarray) -> None:
    fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if pixels.dtype != np.uint8 or not fits or pixels.size == 0:
        raise ValueError(f"a frame must be uint8 (H, W) or (H, W, 3), not {pixels.dtype} {pixels.shape}")
