"""Readings of a moving picture -> events: a line of digits is reported once it has been read the same N of M times."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from edge_runtime.records import Box, Digit, Event, Reading

# A line in one frame is the one before it that it resembles most in text and place, each counting as much as the other,
# if that comes to so much; of the same text anywhere on the frame, or in the same place, it is.
SAME = 0.5
FAR = 2.0  # lines so many heights apart are nowhere near each other
# A text of which so much is the one reported before is likelier a doubt than a change: it must outweigh that one first.
# Texts weigh as much as the confidences they were read with, each of them so many times what it was a frame ago.
ALIKE = 0.5
KEPT = 0.9


class Seen(NamedTuple):
    """A line in one frame: its text, with a space between words, where it is, and how sure its least sure digit is."""

    text: str
    box: Box
    confidence: float


class _Line:
    """A line followed from frame to frame: what it was in the last of them, None where it was not there."""

    def __init__(self, number: int, of: int) -> None:
        self.number = number
        self.last = Seen("", Box(0, 0, 1, 1), 0.0)
        self.reported: str | None = None
        self.history: deque[str | None] = deque(maxlen=of)
        self.weights: dict[str, float] = {}

    def add(self, seen: Seen | None) -> None:
        self.history.append(seen.text if seen else None)
        self.last = seen or self.last
        self.weights = {text: KEPT * weight for text, weight in self.weights.items() if weight > 0.01}
        if seen:
            self.weights[seen.text] = self.weights.get(seen.text, 0.0) + seen.confidence

    def settled(self, need: int) -> tuple[bool, str | None]:
        """Return whether `need` of the last frames agree, and on what."""
        text, count = Counter(self.history).most_common(1)[0]
        return count >= need, text

    def doubted(self, text: str) -> bool:
        """Tell whether a text may be what was reported before, misread."""
        before = self.reported or ""
        return alike(before, text) >= ALIKE and self.weights.get(text, 0.0) <= self.weights.get(before, 0.0)


def steady(readings: Iterable[Reading], need: int = 3, of: int = 5) -> Iterator[Event]:
    """Yield what readings that follow each other settle, as soon as they do: lines that appeared, changed or went.

    A line is what `need` of its last `of` frames agree on; until then nothing is said of it, and what changes for fewer
    frames than that is never reported. Where a digit or two of it change, that takes longer: until the new text has
    been read as often and as surely as the old one was of late. Raises ValueError unless 1 <= need <= of < 2 * need: of
    two texts, only one can be settled at a time.
    """
    if not 1 <= need <= of < 2 * need:
        raise ValueError(f"need {need} of {of}: more than half of the frames must agree, and no more than all of them")
    lines: list[_Line] = []
    numbers = 0
    for reading in readings:
        seen = lines_of(reading)
        paired = _pairs([line.last for line in lines], seen)
        for i, line in enumerate(lines):
            line.add(seen[paired[i]] if i in paired else None)
        taken = set(paired.values())
        for j, new in enumerate(seen):
            if j not in taken:
                numbers += 1
                lines.append(_Line(numbers, of))
                lines[-1].add(new)
        yield from [event for line in lines if (event := _event(line, need, reading)) is not None]
        lines = [line for line in lines if any(line.history) or line.reported is not None]


def lines_of(reading: Reading) -> list[Seen]:
    """Return the lines of a reading, top to bottom."""
    digits: dict[int, list[Digit]] = {}
    for digit in reading.digits:
        digits.setdefault(digit.line, []).append(digit)
    found = []
    for number, line in sorted(digits.items()):
        box = line[0].box
        for digit in line[1:]:
            box = box.union(digit.box)
        found.append(Seen(reading.text[number], box, min(digit.confidence for digit in line)))
    return found


def _pairs(before: list[Seen], now: list[Seen]) -> dict[int, int]:
    """Return which line of `now` is which of `before`, the likeliest pairs first."""
    likely = [(likeness(old, new), i, j) for i, old in enumerate(before) for j, new in enumerate(now)]
    paired: dict[int, int] = {}
    taken: set[int] = set()
    for value, i, j in sorted(likely, key=lambda pair: -pair[0]):
        if value >= SAME and i not in paired and j not in taken:
            paired[i] = j
            taken.add(j)
    return paired


def likeness(one: Seen, other: Seen) -> float:
    """Return how much two lines resemble each other: 1 for the same text in the same place, and 0 at the least."""
    height = (one.box.height + other.box.height) / 2
    apart = abs((one.box.y + one.box.bottom) - (other.box.y + other.box.bottom)) / 2 / height
    shared = min(one.box.right, other.box.right) - max(one.box.x, other.box.x)
    near = max(0.0, 1 - apart / FAR) if shared > 0 else 0.0
    return (near + alike(one.text, other.text)) / 2


def alike(one: str, other: str) -> float:
    """Return how much of two texts is the same, from 0 to 1; spaces do not count."""
    return SequenceMatcher(None, one.replace(" ", ""), other.replace(" ", ""), autojunk=False).ratio()


def _event(line: _Line, need: int, reading: Reading) -> Event | None:
    """Return what this frame settles of a line, and remember that it was said."""
    settled, text = line.settled(need)
    if not settled or text == line.reported or (text is not None and line.doubted(text)):
        return None
    previous, line.reported = line.reported, text
    return Event(
        event="gone" if text is None else "appeared" if previous is None else "changed",
        line_id=line.number,
        text=text,
        previous=previous,
        box=line.last.box,
        confidence=line.last.confidence,
        source=reading.source,
        frame=reading.frame,
        captured_at=reading.captured_at,
    )
