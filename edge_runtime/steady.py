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

    def add(self, seen: Seen | None) -> None:
        self.history.append(seen.text if seen else None)
        self.last = seen or self.last

    def settled(self, need: int) -> tuple[bool, str | None]:
        """Return whether `need` of the last frames agree, and on what."""
        text, count = Counter(self.history).most_common(1)[0]
        return count >= need, text


def steady(readings: Iterable[Reading], need: int = 3, of: int = 5) -> Iterator[Event]:
    """Yield what readings that follow each other settle, as soon as they do: lines that appeared, changed or went.

    A line is what `need` of its last `of` frames agree on; until then nothing is said of it, and what changes for fewer
    frames than that is never reported. Raises ValueError unless 1 <= need <= of < 2 * need: of two texts, only one can
    be settled at a time.
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
    alike = [(likeness(old, new), i, j) for i, old in enumerate(before) for j, new in enumerate(now)]
    paired: dict[int, int] = {}
    taken: set[int] = set()
    for value, i, j in sorted(alike, key=lambda pair: -pair[0]):
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
    text = SequenceMatcher(None, one.text.replace(" ", ""), other.text.replace(" ", ""), autojunk=False).ratio()
    return (near + text) / 2


def _event(line: _Line, need: int, reading: Reading) -> Event | None:
    """Return what this frame settles of a line, and remember that it was said."""
    settled, text = line.settled(need)
    if not settled or text == line.reported:
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
