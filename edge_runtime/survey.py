"""The survey of a picture: every region of it, classified, in the rotation in which the page reads best."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_runtime.inference.classifier import Classifier
from edge_runtime.orientation import position_of, reads_better, turned
from edge_runtime.records import Uint8
from edge_runtime.stopwatch import Stopwatch
from edge_runtime.trace import Hint
from edge_runtime.vision import page_model
from edge_runtime.vision.candidates import Candidate
from edge_runtime.vision.glyphs import Glyphs, columns
from edge_runtime.vision.normalize import normalize_and_measure
from edge_runtime.vision.planes import Plane, ink_planes
from edge_runtime.vision.regions import Region, find_regions
from edge_runtime.vision.weights import Weights

Float64 = NDArray[np.float64]


class Seen(NamedTuple):
    """The results of normalization and the classifier for N items, a row each; see `normalize_and_measure`."""

    images: Uint8
    confidences: Float64
    darkness: Float64
    stroke_width: Float64

    def take(self, rows: Sequence[int]) -> "Seen":
        """Return these rows."""
        at = np.asarray(rows, np.int64)
        return Seen._make(values[at] for values in self)

    def and_also(self, other: "Seen") -> "Seen":
        """Return these rows, followed by those of `other`."""
        pairs: Iterable[tuple[NDArray[Any], NDArray[Any]]] = zip(self, other, strict=True)
        return Seen._make(np.concatenate(pair) for pair in pairs)


class Survey(NamedTuple):
    """The regions of a picture turned clockwise by `turn` degrees; `back` is the inverse: see `orientation.turned`.

    `seen` holds a row for each region, `glyphs` a row for each region in `standing`.
    """

    pixels: Uint8
    back: Float64
    turn: float
    planes: tuple[Plane, ...]
    regions: list[Region]
    seen: Seen
    standing: list[int]
    glyphs: Glyphs

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the turned picture, in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


class Surveyor:
    """Classifies what a picture shows; `weights` are those of `vision.rejection`."""

    def __init__(self, classifier: Classifier, weights: Weights) -> None:
        self._classifier, self._weights = classifier, weights
        self._labels = classifier.labels[: classifier.digits]
        # A classifier without labels for non-digits takes everything for a digit: its best confidence must serve
        # instead.
        self._knows_others = classifier.digits < len(classifier.labels)
        self._one = classifier.labels.index("1") if "1" in classifier.labels else None

    def survey(self, pixels: Uint8, hint: Hint | None, turn: int | None, watch: Stopwatch) -> Survey:
        """Classify every region of a picture, and select regions of which none is a part of another.

        The picture is first turned clockwise by `turn` degrees; None chooses the rotation in which the page reads best.
        A hint's rotation replaces `turn`, and its planes limit the search.
        """
        survey = self._turned(pixels, hint or Hint(None, turn or 0), watch)
        position = self._upright(survey) if hint is None and turn is None else None
        if position is None:
            return survey
        watch.stop("locate")
        other = self._turned(pixels, position, watch)
        better = reads_better(survey.glyphs, other.glyphs, position.turn, self._labels, self._weights)
        return other if better else survey

    def see_candidates(self, candidates: Sequence[Candidate], survey: Survey, watch: Stopwatch) -> Seen:
        """Return a row for each candidate: regions, which come first, have been classified already."""
        known = [candidate.region for candidate in candidates if candidate.region is not None]
        made = candidates[len(known) :]
        seen = survey.seen.take(known)
        return seen.and_also(self._see([candidate.ink for candidate in made], watch)) if made else seen

    def glyphs(
        self, things: Sequence[Region | Candidate], planes: Sequence[Plane], seen: Seen, piece: Sequence[bool]
    ) -> Glyphs:
        """Return regions or candidates as glyphs; `piece` tells which are part of a larger candidate."""
        return columns(
            [thing.box for thing in things], [thing.plane for thing in things], [plane.scale for plane in planes],
            seen.confidences, (seen.darkness, seen.stroke_width), piece, [thing.attached for thing in things],
            knows_others=self._knows_others, one=self._one,
        )  # fmt: skip

    def _turned(self, pixels: Uint8, hint: Hint, watch: Stopwatch) -> Survey:
        upright, back = turned(pixels, hint.turn)
        planes = ink_planes(upright, hint.planes)
        watch.stop("ink")
        regions = find_regions(planes)
        watch.stop("locate")
        seen = self._see([region.ink for region in regions], watch)
        glyphs = self.glyphs(regions, planes, seen, [False] * len(regions))
        standing = page_model.standing(glyphs, [region.parent for region in regions])
        standing = page_model.without_duplicates(glyphs.take(standing), standing, [regions[i].freed for i in standing])
        return Survey(upright, back, hint.turn, planes, regions, seen, standing, glyphs.take(standing))

    def _upright(self, survey: Survey) -> Hint | None:
        """Return the rotation of a page that does not read well as it lies; None if it stays as it is."""
        inks = [survey.regions[i].ink for i in survey.standing]
        rows = [row for row, ink in enumerate(inks) if ink is not None]
        position = position_of(
            survey.glyphs.take(rows),
            survey.seen.images[[survey.standing[row] for row in rows]],
            [ink for ink in inks if ink is not None],
            survey.size,
            sum(region.ink is not None for region in survey.regions),
            self._labels,
            self._digits,
        )
        planes = frozenset(survey.planes[i].key for i in position.planes)
        return Hint(planes, position.degrees) if position.degrees else None

    def _see(self, inks: Sequence[Uint8 | None], watch: Stopwatch) -> Seen:
        """Classify the items that have ink; an item without ink gets darkness 255 and confidences of 0."""
        rows = [i for i, ink in enumerate(inks) if ink is not None]
        images, darkness, stroke_width = normalize_and_measure([ink for ink in inks if ink is not None])
        watch.stop("normalize")
        confidences = self._digits(images)
        watch.stop("classify")
        shown = Seen(images, confidences, darkness, stroke_width)
        if len(rows) == len(inks):
            return shown
        count = len(inks)
        return Seen(
            _spread(images, rows, np.zeros((count, *images.shape[1:]), np.uint8)),
            _spread(confidences, rows, np.zeros((count, confidences.shape[1]))),
            _spread(darkness, rows, np.full(count, 255.0)),
            _spread(stroke_width, rows, np.zeros(count)),
        )

    def _digits(self, images: Uint8) -> Float64:
        """Return float64 (N, digits); 1 minus the sum of a row is the probability that it is no digit."""
        return self._classifier.confidences(images)[:, : self._classifier.digits]


def _spread(values: NDArray[Any], rows: list[int], into: NDArray[Any]) -> NDArray[Any]:
    """Write `values` to these rows of `into`, and return it."""
    into[rows] = values
    return into
