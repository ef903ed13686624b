"""Lines that may be wrong -> read once more, each as a whole, by the line network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edge_runtime import model_file
from edge_runtime.classifier import Classifier
from edge_runtime.errors import ModelCorrupt
from edge_runtime.line_network import LineNetwork, decode, likelihood
from edge_runtime.records import Box, Digit
from edge_runtime.vision import line_check
from edge_runtime.vision.candidates import Candidate, in_frame
from edge_runtime.vision.line_check import CheckWeights
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.strips import HIGH, strip_of
from edge_runtime.written import Recheck, WholeLine, Words, Written, digit_of, digits_of, text_of

# A strip grows by the digits that the network reads beside those that it was found by, so many times.
GROWTHS = 3
# A line that is less likely right than this is in doubt: what is asked of a line that is called sure.
DOUBTFUL = 0.95
# A picture so many times as wide as high may be one line, and has it where its rows hold this part of the most ink.
STRIP, INKED = 1.5, 0.25
# How likely right the network's reading must be to take the place of another, or of none, which then has to be of
# several digits, since any stroke may be a 1. Of photographs' characters, 7.9 % are wrong where the first is 0, 7.0 %
# with 0.25; with 0.35, 3 % fewer numbers are read exactly. Where the second is 0.25, a texture is read as digits.
LEAST, LEAST_ALONE, FEWEST = 0.25, 0.5, 2
CHECKS = "always", "doubtful", "never"


def checker_of(classifier: Classifier, min_confidence: float, check: str, threads: int) -> "Checker | None":
    """Return what reads lines again; None where none is to be, or the model file has no line network.

    `check` is one of CHECKS. Raises ModelError where the network, or its weights in the card, cannot be used.
    """
    model = classifier.model
    if model.line is None or check == "never" or classifier.digits != len(model_file.DIGITS):
        return None
    try:
        weights = line_check.from_card(model.card)
    except ValueError as error:
        raise ModelCorrupt(f"{model.path} is damaged: {error}") from error
    network = LineNetwork(model.path, model.line, threads)
    return Checker(network, weights, min_confidence, classifier.labels, check == "always")


@dataclass(frozen=True, slots=True, eq=False)
class Checker:
    """What reads lines again: the network, the weights by which it is believed, and which lines are asked about."""

    network: LineNetwork
    weights: CheckWeights | None
    min_confidence: float
    labels: Sequence[str]
    always: bool

    def check(
        self, lines: Sequence[Written], marks: Sequence[Sequence[Candidate]], planes: Sequence[Plane],
        size: tuple[int, int], back: Callable[[Box], Box],
    ) -> list[Written]:  # fmt: skip
        """Return each line as it is likelier right.

        Of each line, `marks` holds the candidates that are its digits; `back` puts a box of the picture that was
        read, of this `size`, into the frame. A picture as broad as a line, in which none was read, is read as one.
        """
        if not lines and size[0] >= STRIP * size[1]:
            whole = read_picture(self.network, planes, size)
            if len(whole.labels) < FEWEST:
                return []
            line = self._likelier(Written([], 0.0), whole._replace(boxes=tuple(map(back, whole.boxes))), [])
            return [line] if line.words else []
        checked: list[Written] = []
        for i, (line, own) in enumerate(zip(lines, marks, strict=True)):
            if self.always or line.likely < DOUBTFUL:
                labels = [self.labels.index(digit.label) for digit in digits_of(line.words)]
                whole = read_again(self.network, own, labels, planes, size)
                others = [digit.box for other in (*checked, *lines[i + 1 :]) for digit in digits_of(other.words)]
                line = self._likelier(line, whole._replace(boxes=tuple(map(back, whole.boxes))), others)
            checked.append(line)
        return checked

    def _likelier(self, line: Written, whole: WholeLine, elsewhere: Sequence[Box]) -> Written:
        """Return a line as it is likelier right; the network's digits are none of those `elsewhere`."""
        text, said = text_of(line.words).replace(" ", ""), "".join(self.labels[k] for k in whole.labels)
        check = Recheck(text, line.likely, whole)
        if not said or self.weights is None:
            return line._replace(check=check)
        likely = line_check.choose(line.likely, whole.likely, whole.others, (text, said), self.weights)
        least = max(likely.digits, LEAST if text else LEAST_ALONE)
        sure = whole.confidences.max(axis=1).min() >= self.min_confidence
        # Where it reads fewer digits, it mostly leaves out a 1.
        fits = sure and len(said) >= len(text)
        if likely.line > least and fits and not any(_holds(a, b) for a in whole.boxes for b in elsewhere):
            other = (text_of(line.words), likely.digits) if text else None
            return Written(_rewritten(whole, line.words, self.labels), likely.line, other, check)
        return Written(line.words, likely.digits, (said, likely.line) if said != text else None, check)


def _holds(box: Box, other: Box) -> bool:
    """Tell whether the middle of the other box lies in a box."""
    x, y = other.x + other.width / 2, other.y + other.height / 2
    return box.x <= x < box.right and box.y <= y < box.bottom


def read_picture(network: LineNetwork, planes: Sequence[Plane], size: tuple[int, int]) -> WholeLine:
    """Read a picture as a single line: where its rows hold most ink, dark or light, whichever is likelier."""
    read = []
    for plane in planes[:2]:
        amounts = plane.ink.sum(axis=1, dtype=np.float64)
        inked = np.flatnonzero(amounts >= INKED * amounts.max())
        band = Box(0, int(inked[0]), plane.ink.shape[1], int(inked[-1] - inked[0]) + 1)
        read.append(_whole(network, plane, [band], [], size))
    return max(read, key=lambda whole: whole.likely if whole.labels else 0.0)


def read_again(
    network: LineNetwork, digits: Sequence[Candidate], labels: Sequence[int], planes: Sequence[Plane],
    size: tuple[int, int],
) -> WholeLine:  # fmt: skip
    """Read the line on which these digits are, which were read as `labels` one by one.

    It is read on the plane that most of them are on; `size` is the picture's, (width, height).
    """
    numbers = sorted(digit.plane for digit in digits)
    plane = planes[max(numbers, key=numbers.count)]
    boxes = [_scaled(digit.box, planes[digit.plane].scale / plane.scale) for digit in digits]
    return _whole(network, plane, boxes, labels, size)


def _whole(
    network: LineNetwork, plane: Plane, boxes: list[Box], labels: Sequence[int], size: tuple[int, int]
) -> WholeLine:
    """Read the line that these boxes of a plane are on, and whatever digits the network sees beside them."""
    strip = strip_of(plane.ink, boxes)
    probabilities = network.probabilities(strip.image)
    text = decode(probabilities, network.step)
    for _ in range(GROWTHS):
        left, right = min(box.x for box in boxes), max(box.right for box in boxes)
        read = [strip.box(*columns) for columns in text.columns]
        beside = [box for box in read if not left <= box.x + box.width / 2 <= right]
        if not beside:
            break
        boxes += beside
        strip = strip_of(plane.ink, boxes)
        probabilities = network.probabilities(strip.image)
        text = decode(probabilities, network.step)
    ends = _between(text.columns, strip.width)
    boxes_read = tuple(in_frame(strip.box(*columns), plane.scale, size) for columns in ends)
    others = text.likely if tuple(labels) == text.labels else likelihood(probabilities, labels)
    return WholeLine(text.labels, boxes_read, text.confidences, text.likely, others, strip.image, tuple(ends))


def _scaled(box: Box, by: float) -> Box:
    x, y, width, height = (round(value * by) for value in box)
    return Box(x, y, max(1, width), max(1, height))


def _between(columns: Sequence[tuple[float, float]], width: int) -> list[tuple[float, float]]:
    """Return the columns that each digit may cover: half of the way to the next, and at most HIGH in all."""
    middles = [sum(each) / 2 for each in columns]
    ends = []
    for i, middle in enumerate(middles):
        before = middle - middles[i - 1] if i else HIGH
        after = middles[i + 1] - middle if i + 1 < len(middles) else HIGH
        half = min(before, after, HIGH) / 2
        ends.append((max(0.0, middle - half), min(float(width), middle + half)))
    return ends


def _rewritten(whole: WholeLine, words: Words, labels: Sequence[str]) -> Words:
    """Return the digits that the network read on a line, each in the word of the nearest digit that was read before.

    Where it read what was read by itself at the same place, that digit is kept.
    """
    new = [digit_of(row, box, 0, labels) for row, box in zip(whole.confidences.tolist(), whole.boxes, strict=True)]
    if not words:
        return [new]
    before = [(digit, number) for number, word in enumerate(words) for digit in word]
    kept: set[int] = set()
    written: dict[int, list[Digit]] = {}
    for digit in new:
        middle = digit.box.x + digit.box.width / 2
        near = min(range(len(before)), key=lambda i: abs(before[i][0].box.x + before[i][0].box.width / 2 - middle))
        old, number = before[near]
        same = old.label == digit.label and old.box.x <= middle < old.box.right and near not in kept
        kept.add(near)
        written.setdefault(number, []).append(old if same else digit)
    return [written[number] for number in sorted(written)]
