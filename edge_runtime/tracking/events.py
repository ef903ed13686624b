"""Converts readings of a moving picture to events: reports a line once N of M frames agree on its digits."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from statistics import median

from edge_runtime.records import Box, Event, Line, Reading
from edge_runtime.vision.rejection import UNSURE_LINE

# Two lines of consecutive frames are the same line if their likeness is at least this. Text and place contribute half
# each, so the same text anywhere in the frame, or any text in the same place, is enough.
SAME = 0.5
FAR = 2.0  # lines this many heights apart have likeness 0 in place
# Texts at least this similar are more likely rival readings of one line than two lines.
ALIKE = 0.5
# Of similar texts, one is reported once it leads by `need` frames, and replaces a reported one once it leads by AGAIN
# times as many. Only the last LATELY frames count. Missed digits are more frequent than invented ones (46 to 1 in 255
# videos), so each frame of a text that contains all digits of another, and more, counts FULLER times. Chosen on 265
# videos of held-out digits, read by a network not trained on them: 240 are exact. AGAIN from 2 to 5, LATELY from 20 to
# 60, and FULLER from 1 to 4 each change this by at most one.
AGAIN = 3
LATELY = 30  # one second of a camera
FULLER = 2
UNSURE = ""  # the text of a line that was rejected as unsure: the line is there, its text is unknown


class _Followed:
    """A tracked line: its text in each of the latest frames, None where it was absent."""

    def __init__(self, number: int, need: int, of: int) -> None:
        self.number = number
        self.need, self.of = need, of
        self.last = Line("", 0.0, Box(0, 0, 1, 1))
        self.reported: str | None = None
        self.texts: deque[str | None] = deque(maxlen=max(of, LATELY))
        self.confidences: deque[float] = deque([0.0], maxlen=of)  # in the latest frames with the last text

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
        """Return whether the latest frames agree, and their most frequent text."""
        text, count = Counter(self.latest).most_common(1)[0]
        return count >= self.need and text != UNSURE, text

    def report(self, text: str | None) -> str | None:
        """Store `text` as reported, restart the counts, and return the text that was reported before."""
        previous, self.reported = self.reported, text
        self.texts.clear()
        return previous

    def doubted(self, text: str) -> bool:
        """Return whether a text's lead, counted from its first recent frame, is still too small."""
        counts = Counter(list(self.texts)[self.texts.index(text) :])
        rivals = [other for other in counts if other not in (None, text) and alike(other, text) >= ALIKE]
        lead = min([counts[text] - counts[other] * _worth(other, text) for other in rivals], default=counts[text])
        return lead < self.need * (AGAIN if alike(self.reported or "", text) >= ALIKE else 1)


def line_events(readings: Iterable[Reading], need: int = 3, of: int = 5) -> Iterator[Event]:
    """Yield an event as soon as consecutive readings settle that a line appeared, changed or is gone.

    A line settles once `need` of its last `of` frames agree on it; before that nothing is reported, and a change in
    fewer frames is never reported. Where frames disagree about a digit, it takes longer: until one text leads the other
    by `need` frames, or, once one has been reported, by AGAIN times as many. A frame whose line was rejected as unsure
    shows that the line is there, but not its text. Raises ValueError unless 1 <= need <= of < 2 * need, so that only
    one of two texts can settle at a time.
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
    """Return the index in `now` of each line of `before` that is still there, pairing the most alike first."""
    likely = [(likeness(old, new), i, j) for i, old in enumerate(before) for j, new in enumerate(now)]
    paired: dict[int, int] = {}
    taken: set[int] = set()
    for value, i, j in sorted(likely, key=lambda pair: -pair[0]):
        if value >= SAME and i not in paired and j not in taken:
            paired[i] = j
            taken.add(j)
    return paired


def likeness(one: Line, other: Line) -> float:
    """Return the likeness of two lines, 0 to 1: 1 for the same text in the same place."""
    height = (one.box.height + other.box.height) / 2
    apart = abs(one.box.center[1] - other.box.center[1]) / height
    shared = min(one.box.right, other.box.right) - max(one.box.x, other.box.x)
    near = max(0.0, 1 - apart / FAR) if shared > 0 else 0.0
    return (near + alike(one.text, other.text)) / 2


def alike(one: str, other: str) -> float:
    """Return the similarity of two texts, from 0 to 1, without spaces."""
    return SequenceMatcher(None, one.replace(" ", ""), other.replace(" ", ""), autojunk=False).ratio()


def _worth(one: str, other: str) -> float:
    """Return the weight of `one` against `other`: above 1 if it has all digits of that and more, below 1 in reverse."""
    longer, shorter = sorted((one.replace(" ", ""), other.replace(" ", "")), key=len, reverse=True)
    rest = iter(longer)
    if len(longer) == len(shorter) or not all(digit in rest for digit in shorter):
        return 1.0
    return FULLER if longer == one.replace(" ", "") else 1 / FULLER


def _event(line: _Followed, reading: Reading) -> Event | None:
    """Return the event that this frame settles for a line, if any, and mark it as reported."""
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
