"""What is not a digit, and why. A reason is one of the constants below, as it stands in records."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_runtime.company import judged
from edge_runtime.joins import frames
from edge_runtime.records import Box, Candidate, Uint8

TOO_SMALL = "too small"
TOO_LARGE = "too large"
LINE = "line or rule"
LOW_CONTRAST = "low contrast"
PART_OF_WORD = "part of a word"
NOT_A_DIGIT = "not digit-like"
CLUTTER = "clutter"
LOW_CONFIDENCE = "low confidence"
REASONS = (TOO_SMALL, TOO_LARGE, LINE, LOW_CONTRAST, PART_OF_WORD, NOT_A_DIGIT, CLUTTER, LOW_CONFIDENCE)

# Digits are not as broad as so many times their height, nor is this part of their box ink (of MNIST's, 1 in 1000 is as
# broad, none as full); strokes, which are slender, may be full.
BROAD = 1.8
FULL, STROKE = 0.92, 0.5
# A mark smaller than this part of the page's typical digit is a dot or a speck; a mere stroke, or what fills so much of
# its box (of small digits 1 in 10 does, of commas all), is a comma already below the other.
SMALL, COMMA, BLOT = 0.2, 0.5, 0.35
# Ink that spreads so many times as far along as across is a mere stroke, too, however it is slanted.
ALONG = 3.0
# So many digits of at least so many pixels on a line say themselves how large digits are there: small digits below a
# large one are no dust.
ENOUGH, LEGIBLE = 4, 12
# Narrower than this part of its height, a mark is a mere stroke: a 1, or any line, edge or stem.
SLENDER = 0.45
# Of what may be a digit where it stands, the likelier half is read.
LIKELY = 0.5


def reasons(
    candidates: Sequence[Candidate],
    best: Sequence[float],
    sure: Sequence[float],
    lines: Sequence[Sequence[Sequence[int]]],
    min_confidence: float,
) -> list[str | None]:
    """Return, for each chosen candidate, why it is not a digit, or None where it is one.

    `best` is each one's highest confidence, 0-1, `sure` how likely it is to be any digit, and `lines` their indices as
    `reading.order` gives them. Sizes are judged against the others on the page, weighed by their ink; how likely a
    digit is, by the company it keeps, in which mere strokes say nothing. Where `min_confidence` is 0, only sizes and
    shapes count.
    """
    sizes = [max(candidate.box.width, candidate.box.height) for candidate in candidates]
    amounts = [cv2.sumElems(candidate.ink)[0] for candidate in candidates]
    framing = frames([candidate.box for candidate in candidates]).sum(axis=1).tolist()
    sure_of = [i for i, confidence in enumerate(best) if confidence >= min_confidence]
    strokes = [is_stroke(candidate.box) for candidate in candidates]
    typical = _typical_sizes(sizes, amounts, lines, sure_of, strokes)
    found: list[str | None] = []
    for i, (candidate, size, amount, frame, confidence) in enumerate(
        zip(candidates, sizes, amounts, framing, best, strict=True)
    ):
        if size < SMALL * typical[i] or (size < COMMA * typical[i] and _is_dense(candidate, amount)):
            found.append(TOO_SMALL)
        elif _unlike(candidate, amount):
            found.append(NOT_A_DIGIT)
        elif frame:
            found.append(LINE)
        else:
            found.append(LOW_CONFIDENCE if confidence < min_confidence else None)
    if min_confidence == 0:
        return found
    words = [[i for i in word if found[i] in (None, LOW_CONFIDENCE)] for line in lines for word in line]
    likely = judged(sure, words, [not stroke for stroke in strokes])
    for word in words:
        for i in word:
            if likely[i] < LIKELY and found[i] is None:
                found[i] = PART_OF_WORD if len(word) > 1 else LOW_CONFIDENCE
    return found


def is_stroke(box: Box) -> bool:
    """Tell whether a box is too narrow for anything but a single stroke."""
    return box.width < SLENDER * box.height


def _is_dense(candidate: Candidate, amount: float) -> bool:
    width, height = candidate.box.width, candidate.box.height
    return width <= STROKE * height or amount > BLOT * 255 * width * height or _is_slanted_stroke(candidate.ink)


def _is_slanted_stroke(ink: Uint8) -> bool:
    moments = cv2.moments(ink)
    across, down, both = moments["mu20"], moments["mu02"], moments["mu11"]
    spread = float(np.hypot(across - down, 2 * both))
    return across + down + spread > ALONG**2 * (across + down - spread)


def _unlike(candidate: Candidate, amount: float) -> bool:
    width, height = candidate.box.width, candidate.box.height
    return width > BROAD * height or (width > STROKE * height and amount > FULL * 255 * width * height)


def _typical_sizes(
    sizes: Sequence[int],
    amounts: Sequence[float],
    lines: Sequence[Sequence[Sequence[int]]],
    sure: Sequence[int],
    strokes: Sequence[bool],
) -> list[int]:
    """Return what size digits have where each mark stands: as on its line, if there are enough, else as on the page."""
    trusted = {i for i in sure if not strokes[i]}
    of_page = _typical([(sizes[i], amounts[i]) for i in sure])
    found = [of_page] * len(sizes)
    for line in lines:
        members = [i for word in line for i in word]
        among = [i for i in members if i in trusted]
        if len(among) >= ENOUGH:
            of_line = _typical([(sizes[i], amounts[i]) for i in among])
            for i in members:
                found[i] = of_line if LEGIBLE <= of_line < of_page else of_page
    return found


def _typical(weighed: list[tuple[int, float]]) -> int:
    """Return the median size, where each (size, weight) counts as much as its weight; 0 where there is none."""
    half, passed = sum(weight for _, weight in weighed) / 2, 0.0
    for size, weight in sorted(weighed):
        passed += weight
        if passed >= half:
            return size
    return 0
