"""Readings of a moving picture -> events: a line of digits is reported once it has been read the same N of M times."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from statistics import median

from edge_runtime.records import Box, Event, Line, Reading
from edge_runtime.vision.rejection import UNSURE_LINE

# A line in one frame is the one before it that it resembles most in text and place, each counting as much as the other,
# if that comes to so much; of the same text anywhere on the frame, or in the same place, it is.
SAME = 0.5
FAR = 2.0  # lines so many heights apart are nowhere near each other
# A text of which so much is another one is likelier a doubt about a line than another line.
ALIKE = 0.5
# Of texts that are alike, one is reported once it leads by `need` frames; when one has been reported, another has to
# lead by AGAIN times as many. Frames count for as long as LATELY. A digit is overlooked more often than made up (46 to
# 1 in 255 videos): a text with all digits of another and more counts FULLER times. Chosen on 265 videos of held-out
# digits, read by a network that was not trained on them: 240 are exact, and AGAIN from 2 to 5, LATELY from 20 to 60 and
# FULLER from 1 to 4 each make one more of it or less.
AGAIN = 3
LATELY = 30
FULLER = 2
UNSURE = ""  # the text in a frame whose line is less sure than it has to be: it is there, and nothing more is known


class _Followed:
    """A line followed from frame to frame: what it was in the latest of them, None where it was not there."""

    def __init__(self, number: int, need: int, of: int) -> None:
        self.number = number
        self.need, self.of = need, of
        self.last = Line("", 0.0, Box(0, 0, 1, 1))
        self.reported: str | None = None
        self.texts: deque[str | None] = deque(maxlen=max(of, LATELY))
        self.confidences: deque[float] = deque([0.0], maxlen=of)  # in the latest frames that have the last text

    def add(self, seen: Line | None) -> None:
        self.texts.append(seen.text if seen else None)
        if seen:
            if seen.text != self.last.text:
                self.confidences.clear()
            self.confidences.append(seen.confidence)
            self.last = seen

    def add_unsure(self) -> None:
        self.texts.append(UNSURE)

    @property
    def latest(self) -> list[str | None]:
        return list(self.texts)[-self.of :]

    def settled(self) -> tuple[bool, str | None]:
        """Return whether the latest frames agree, and on what."""
        text, count = Counter(self.latest).most_common(1)[0]
        return count >= self.need and text != UNSURE, text

    def report(self, text: str | None) -> str | None:
        """Remember what was reported, return what had been before, and count anew."""
        previous, self.reported = self.reported, text
        self.texts.clear()
        return previous

    def doubted(self, text: str) -> bool:
        """Tell whether a text does not lead yet, since it was first read of late, by as much as it has to."""
        counts = Counter(list(self.texts)[self.texts.index(text) :])
        rivals = [other for other in counts if other not in (None, text) and alike(other, text) >= ALIKE]
        lead = min([counts[text] - counts[other] * _worth(other, text) for other in rivals], default=counts[text])
        return lead < self.need * (AGAIN if alike(self.reported or "", text) >= ALIKE else 1)


def line_events(readings: Iterable[Reading], need: int = 3, of: int = 5) -> Iterator[Event]:
    """Yield what readings that follow each other settle, as soon as they do: lines that appeared, changed or went.

    A line is what `need` of its last `of` frames agree on; until then nothing is said of it, and what changes for fewer
    frames than that is never reported. Where they are of two minds about a digit, it takes longer: until one text has
    been read in `need` frames more than the other, and, once one has been reported, in AGAIN times as many. A frame
    whose line was rejected as unsure says that the line is there, and nothing of its text. Raises
    ValueError unless 1 <= need <= of < 2 * need: of two texts, only one can be settled at a time.
    """
    if not 1 <= need <= of < 2 * need:
        raise ValueError(f"need {need} of {of}: more than half of the frames must agree, and no more than all of them")
    lines: list[_Followed] = []
    numbers = 0
    for reading in readings:
        seen = reading.lines
        unsure = [rejection.box for rejection in reading.rejected if rejection.reason == UNSURE_LINE]
        paired = _pairs([line.last for line in lines], seen)
        for i, line in enumerate(lines):
            if i not in paired and any(line.last.box.overlaps(box) for box in unsure):
                line.add_unsure()
            else:
                line.add(seen[paired[i]] if i in paired else None)
        taken = set(paired.values())
        for j, new in enumerate(seen):
            if j not in taken:
                numbers += 1
                lines.append(_Followed(numbers, need, of))
                lines[-1].add(new)
        yield from [event for line in lines if (event := _event(line, reading)) is not None]
        lines = [line for line in lines if any(line.latest) or line.reported is not None]


def _pairs(before: Sequence[Line], now: Sequence[Line]) -> dict[int, int]:
    """Return which line of `now` is which of `before`, the likeliest pairs first."""
    likely = [(likeness(old, new), i, j) for i, old in enumerate(before) for j, new in enumerate(now)]
    paired: dict[int, int] = {}
    taken: set[int] = set()
    for value, i, j in sorted(likely, key=lambda pair: -pair[0]):
        if value >= SAME and i not in paired and j not in taken:
            paired[i] = j
            taken.add(j)
    return paired


def likeness(one: Line, other: Line) -> float:
    """Return how much two lines resemble each other: 1 for the same text in the same place, and 0 at the least."""
    height = (one.box.height + other.box.height) / 2
    apart = abs((one.box.y + one.box.bottom) - (other.box.y + other.box.bottom)) / 2 / height
    shared = min(one.box.right, other.box.right) - max(one.box.x, other.box.x)
    near = max(0.0, 1 - apart / FAR) if shared > 0 else 0.0
    return (near + alike(one.text, other.text)) / 2


def alike(one: str, other: str) -> float:
    """Return how much of two texts is the same, from 0 to 1; spaces do not count."""
    return SequenceMatcher(None, one.replace(" ", ""), other.replace(" ", ""), autojunk=False).ratio()


def _worth(one: str, other: str) -> float:
    """Return how much a text counts against another one: more if it has all digits of that and more, less if fewer."""
    longer, shorter = sorted((one.replace(" ", ""), other.replace(" ", "")), key=len, reverse=True)
    rest = iter(longer)
    if len(longer) == len(shorter) or not all(digit in rest for digit in shorter):
        return 1.0
    return FULLER if longer == one.replace(" ", "") else 1 / FULLER


def _event(line: _Followed, reading: Reading) -> Event | None:
    """Return what this frame settles of a line, and remember that it was said."""
    settled, text = line.settled()
    if not settled or text == line.reported or (text is not None and line.doubted(text)):
        return None
    previous = line.report(text)
    return Event(
        event="gone" if text is None else "appeared" if previous is None else "changed",
        line_id=line.number,
        text=text,
        previous=previous,
        box=line.last.box,
        confidence=median(line.confidences),
        source=reading.source,
        frame=reading.frame,
        captured_at=reading.captured_at,
    )
