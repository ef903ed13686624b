"""Rereads lines that may be wrong, each as a whole, with the line network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from math import log, prod

from edge_runtime.errors import ModelCorrupt
from edge_runtime.inference import model_file
from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.lines.constraint import Constraint
from edge_runtime.lines.views import HEIGHT_FACTORS, SURE, Located, Readers, View, read_line, read_picture
from edge_runtime.lines.whole_line import shown_in, texts_of, whole_line
from edge_runtime.lines.written import Recheck, WholeLine, Words, Written, digit_of, digits_of, text_of
from edge_runtime.records import Box, Digit
from edge_runtime.vision import line_check
from edge_runtime.vision.candidates import Candidate
from edge_runtime.vision.glyphs import PROBABILITY_FLOOR
from edge_runtime.vision.line_check import CheckWeights, Likely
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.regions import work_budget

# The most strips to read in a frame of VGA size (see `work_budget`), so that noise takes no longer than a page: a strip
# takes 2 to 4 ms. With more lines, each gets fewer strips; strips that extend a line do not count. A limit of 40 for
# frames of any size reads one line more of 285 on photographs.
MOST_STRIPS = 16
# A picture at least STRIP times as wide as high may be one line, if the digits read in it together are at most ONE_LINE
# times as high as the highest digit.
STRIP, ONE_LINE = 1.5, 2.0
# The least probability, 0-1, that any text of a line is right, for the network's to count, and of a digit alone on its
# line, as any stroke may be a 1. For lines read before, 0.2 reads 231 of 285 lines of photographs, not 234. For others,
# 0.2 gave 9 false digits on 43 pictures without any, not 6, and 0.45 lost 2 of 836 amounts.
LEAST_LIKELY = 1 / 3
CHECKS = "always", "doubtful", "never"


def checker_of(classifier: Classifier, min_confidence: float, check: str, threads: int) -> "Checker | None":
    """Return the checker that rereads lines; None where it is turned off, or the model file has no line network.

    `check` is one of CHECKS. Raises ModelError where the network, or its weights in the card, cannot be used.
    """
    model = classifier.model
    if model.line is None or check == "never" or classifier.digits != len(model_file.DIGITS):
        return None
    try:
        weights = line_check.from_card(model.card)
    except ValueError as error:
        raise ModelCorrupt(f"{model.path} is damaged: {error}") from error
    readers = Readers(LineNetwork(model.path, model.line, threads), classifier)
    return Checker(readers, weights, min_confidence, classifier.labels, check == "always")


@dataclass(frozen=True, slots=True, eq=False)
class Checker:
    """Rereads lines: holds the readers, the weights for comparing texts, and which lines to reread."""

    readers: Readers
    weights: CheckWeights | None
    min_confidence: float
    labels: Sequence[str]
    always: bool

    def check(
        self, lines: Sequence[Written], line_candidates: Sequence[Sequence[Candidate]], planes: Sequence[Plane],
        size: tuple[int, int], back: Callable[[Box], Box], constraint: Constraint | None,
    ) -> list[Written]:  # fmt: skip
        """Return each line with its likelier reading.

        `line_candidates` holds the candidates of each line's digits; `back` maps a box from the picture that was read,
        of size `size`, to the frame. A picture at least STRIP times as wide as high is reread as a whole if no digits
        were read in it, or all of them may be on one line. A line that the constraint does not accept counts as wrong.
        """
        labels = [self._labels_of([line]) for line in lines]
        fitting = [constraint is None or constraint.accepts(own) for own in labels]
        checked = [line if fits else line._replace(likely=0.0) for line, fits in zip(lines, fitting, strict=True)]
        read = [digit.box for line in lines for digit in digits_of(line.words)]
        if size[0] >= STRIP * size[1] and (not read or _on_one_line(read)):
            return self._check_picture(checked, line_candidates, planes, size, back, constraint)
        most = int(MOST_STRIPS * work_budget(planes[0].ink.size))
        asked = [i for i, line in enumerate(checked) if self.always or line.likely < SURE][:most]
        factors = HEIGHT_FACTORS[: most // max(1, len(asked)) - 1]
        for i in asked:
            located = _located(checked[i], line_candidates[i], labels[i], planes)
            views = read_line(self.readers, located, factors, constraint)
            whole, likely = self._best(views, located, checked[i].likely, size, constraint)
            others = [digit.box for j, line in enumerate(checked) if j != i for digit in digits_of(line.words)]
            whole = whole._replace(boxes=tuple(map(back, whole.boxes)))
            checked[i] = self._likelier(checked[i], whole, likely, others)
        return checked

    def _check_picture(
        self, lines: Sequence[Written], line_candidates: Sequence[Sequence[Candidate]], planes: Sequence[Plane],
        size: tuple[int, int], back: Callable[[Box], Box], constraint: Constraint | None,
    ) -> list[Written]:  # fmt: skip
        """Return the likelier reading of a picture that may be one line: its lines as read, or all of it as one.

        Such a picture is reread however sure its digits are; if the first strip agrees, one strip is enough. If the
        network's text differs and is not the likelier one, the lines stay apart.
        """
        one, candidates = _joined(lines, line_candidates, planes)
        labels = self._labels_of([one])
        if not lines or not (constraint is None or constraint.accepts(labels)):
            one = one._replace(likely=0.0)
        located = _located(one, candidates, labels, planes) if lines else None
        views = read_picture(self.readers, planes, located, constraint)
        if not views:
            return []
        whole, likely = self._best(views, located, one.likely, size, constraint)
        if not lines and len(whole.labels) < 2:  # any stroke may be a 1: a digit alone must have been found before
            return []
        checked = self._likelier(one, whole._replace(boxes=tuple(map(back, whole.boxes))), likely, [])
        # The network disagreed and lost: keep the separate lines; the comparison goes with the first.
        if len(lines) > 1 and checked.words == one.words and list(whole.labels) != labels:
            return [lines[0]._replace(check=checked.check), *lines[1:]]
        return [checked] if checked.words else []

    def _labels_of(self, lines: Sequence[Written]) -> list[int]:
        return [self.labels.index(digit.label) for line in lines for digit in digits_of(line.words)]

    def _best(
        self, views: Sequence[View], located: Located | None, own: float, size: tuple[int, int],
        constraint: Constraint | None,
    ) -> tuple[WholeLine, Likely]:  # fmt: skip
        """Return the line network's likeliest text, and the probabilities of it and of the text read digit by digit."""
        shown = shown_in(views)
        texts = texts_of(views, shown, located, constraint)
        likely = line_check.probabilities(texts, own, len(views), self.weights or line_check.UNFITTED) if texts else []
        read = {each.labels for each in shown}
        best = max((i for i in range(len(texts)) if texts[i].labels in read), key=lambda i: likely[i], default=None)
        by_digits = max((likely[i] for i in range(len(texts)) if texts[i].alike), default=0.0)
        text, line = (None, 0.0) if best is None else (texts[best], likely[best])
        return whole_line(views, shown, texts, text, size), Likely(by_digits, line, sum(likely))

    def _likelier(self, line: Written, whole: WholeLine, likely: Likely, elsewhere: Sequence[Box]) -> Written:
        """Return a line with its likelier reading; the network's must not cover any digit `elsewhere`."""
        text, said = text_of(line.words).replace(" ", ""), "".join(self.labels[k] for k in whole.labels)
        check = Recheck(text, line.likely, whole)
        if not said or self.weights is None:
            return line._replace(check=check)
        refused = text and not any(each.alike for each in whole.texts)  # by a constraint
        better = refused or replaces(likely)
        legible = whole.confidences[range(len(whole.labels)), whole.labels].min() >= self.min_confidence
        if better and legible and not any(a.holds(b.center) for a in whole.boxes for b in elsewhere):
            other = (text_of(line.words), likely.digits) if text else None
            return Written(_rewritten(whole, line.words, self.labels), likely.line, other, check)
        return Written(line.words, likely.digits, (said, likely.line) if said != text else None, check)


def replaces(likely: Likely) -> bool:
    """Return whether the network's text counts, not the one read digit by digit."""
    return likely.line > likely.digits and likely.any_text > LEAST_LIKELY


def _joined(
    lines: Sequence[Written], line_candidates: Sequence[Sequence[Candidate]], planes: Sequence[Plane]
) -> tuple[Written, list[Candidate]]:  # fmt: skip
    """Return the digits of all lines as one line, left to right, and their candidates."""
    words = [word for line in lines for word in line.words]
    digits = [(digit, number) for number, word in enumerate(words) for digit in word]
    candidates = [candidate for line in line_candidates for candidate in line]
    middles = [candidate.box.center[0] * planes[candidate.plane].scale for candidate in candidates]
    order = sorted(range(len(digits)), key=lambda i: middles[i])
    parts = groupby((digits[i] for i in order), lambda each: each[1])
    joined = [[digit for digit, _ in part] for _, part in parts]
    return Written(joined, prod(line.likely for line in lines)), [candidates[i] for i in order]


def _located(line: Written, digits: Sequence[Candidate], labels: list[int], planes: Sequence[Plane]) -> Located:
    """Return the digits of a line, with boxes on the plane that has most of them."""
    numbers = sorted(digit.plane for digit in digits)
    plane = planes[max(numbers, key=numbers.count)]
    boxes = [_scaled(digit.box, planes[digit.plane].scale / plane.scale) for digit in digits]
    return Located(
        plane, boxes, labels, sum(log(max(digit.confidence, PROBABILITY_FLOOR)) for digit in digits_of(line.words))
    )


def _scaled(box: Box, by: float) -> Box:
    x, y, width, height = (round(value * by) for value in box)
    return Box(x, y, max(1, width), max(1, height))


def _on_one_line(boxes: Sequence[Box]) -> bool:
    """Return whether boxes may be on one line: together at most ONE_LINE times as high as the highest of them."""
    return reduce(Box.union, boxes).height <= ONE_LINE * max(box.height for box in boxes)


def _rewritten(whole: WholeLine, words: Words, labels: Sequence[str]) -> Words:
    """Return the network's digits of a line, each in the word of the nearest digit that was read before.

    Keep the earlier digit where both have the same label at the same place.
    """
    new = [digit_of(row, box, 0, labels) for row, box in zip(whole.confidences.tolist(), whole.boxes, strict=True)]
    if not words:
        return [new]
    before = [(digit, number) for number, word in enumerate(words) for digit in word]
    kept: set[int] = set()
    written: dict[int, list[Digit]] = {}
    for digit in new:
        middle = digit.box.center[0]
        near = min(range(len(before)), key=lambda i: abs(before[i][0].box.center[0] - middle))
        old, number = before[near]
        same = old.label == digit.label and old.box.x <= middle < old.box.right and near not in kept
        kept.add(near)
        written.setdefault(number, []).append(old if same else digit)
    return [written[number] for number in sorted(written)]
