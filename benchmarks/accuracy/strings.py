"""How well does the reader read a picture of one line of digits, and why does it fail?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.accuracy import coverage, truth
from benchmarks.accuracy.score import common_length, compact, edit_distance
from benchmarks.accuracy.truth import Truth, printable
from edge_runtime import DigitReader
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, share
from edge_runtime.errors import OptionError
from edge_runtime.lines.constraint import of_length
from edge_runtime.records import Reading
from edge_runtime.sources import pictures
from train.progress import reported

# Why a string is lost: the first cause that applies.
CAUSES = {
    "nothing read": "no digit was read",
    "lines": "every digit is right, but they are on several lines",
    "path": "the other reader, or another label of a digit, was right, and was not chosen",
    "skipping": "digits are missing, all others are right",
    "classification": "the right number of digits, some of them wrong",
    "segmentation": "other digits: too many, or some missing and others wrong",
}
SHOWN = 16  # strings of each cause that count as the worst


@dataclass(frozen=True, kw_only=True)
class String:
    """A picture of one line that was read: the text, the least line confidence, and the cause of a failure.

    `known` is the text read with the number of digits given; None without such a reading.
    """

    truth: Truth
    read: tuple[str, ...]
    confidence: float
    cause: str | None
    edits: int
    known: str | None


def run(folder: Path, out: Path, *, known_length: bool, **reader_options: Any) -> list[String]:
    """Measure `folder`, and write strings.json to `out`.

    With `known_length`, the reader reads each picture again with the number of digits given. `reader_options` are
    DigitReader's. Raises OptionError for a wrong truth.jsonl and for a picture with several lines, PictureError for an
    unreadable one.
    """
    rows = truth.read(folder)
    for row in rows:
        if len(row.lines) != 1:
            raise OptionError(f"{printable(row.file)} has {len(row.lines)} lines: use `pages` for such pictures")
    out.mkdir(parents=True, exist_ok=True)
    with DigitReader(**reader_options) as reader:
        strings = [_read(folder, row, reader, known_length) for row in reported(rows, "strings", len(rows))]
        model = reader.classifier.model.path
    settings = {"folder": folder.resolve().name, "check": reader_options.get("check", "doubtful")}
    result.write(
        out / "strings.json", "strings", measures(strings), settings=settings, details=details(strings), model=model
    )
    return strings


def _read(folder: Path, row: Truth, reader: DigitReader, known_length: bool) -> String:
    frame = pictures.load(folder / row.file)
    reading = reader.read(frame)
    read = tuple(map(compact, reading.text))
    expected, text = row.lines[0], "".join(read)
    known = reader.read(frame, constraint=of_length(len(expected))) if known_length else None
    return String(
        truth=row, read=read, confidence=min((line.confidence for line in reading.lines), default=0.0),
        cause=cause_of(expected, reading), edits=edit_distance(expected, text),
        known="".join(map(compact, known.text)) if known else None,
    )  # fmt: skip


def cause_of(expected: str, reading: Reading) -> str | None:
    """Return the cause of a wrong reading, one of CAUSES; None for an exact one."""
    read = [compact(line.text) for line in reading.lines]
    text = "".join(read)
    if read == [expected]:
        return None
    if not text:
        return "nothing read"
    if text == expected:
        return "lines"
    if len(read) == 1 and expected in [compact(other) for other, _ in reading.lines[0].alternatives]:
        return "path"
    if common_length(expected, text) == len(text) < len(expected):
        return "skipping"
    return "classification" if len(text) == len(expected) else "segmentation"


def measures(strings: Sequence[String]) -> list[Measure]:
    """Return the measures that compare with another run."""
    sure = [string for string in strings if string.read and string.confidence >= coverage.SURE]
    measured = [share("strings/exact", sum(string.cause is None for string in strings), len(strings))]
    measured.append(share("strings/sure", len(sure), len(strings)))
    if sure:
        measured.append(share("strings/right of the sure", sum(string.cause is None for string in sure), len(sure)))
    if strings[0].known is not None:
        measured.append(share("strings/exact, length known", sum(map(_right_if_known, strings)), len(strings)))
    return measured


def details(strings: Sequence[String]) -> dict[str, Any]:
    """Return the details of strings.json: the causes, and every string."""
    return {
        "causes": dict(Counter(string.cause for string in strings if string.cause)),
        "strings": [
            {**asdict(string.truth), "read": string.read, "confidence": string.confidence, "cause": string.cause}
            | ({} if string.known is None else {"known": string.known})
            for string in strings
        ],
    }


def report(strings: Sequence[String]) -> str:
    """Return the figures, one on a line."""
    lines = [f"{measure.name.removeprefix('strings/'):<20}{measure.value:6.1f} %   {measure.count:,} of {measure.of:,}"
             for measure in measures(strings)]  # fmt: skip
    return "\n".join(lines)


def table(strings: Sequence[String]) -> str:
    """Return the number of strings lost to each cause."""
    causes = Counter(string.cause for string in strings)
    rows = [f"{causes[cause]:>6,}  {cause:<15} {why}" for cause, why in CAUSES.items()]
    return "\n".join([f"{len(strings) - causes[None]:,} of {len(strings):,} strings are lost:", *rows])


def worst(strings: Sequence[String]) -> list[String]:
    """Return the strings with the most errors of each cause, most first."""
    ordered = sorted(strings, key=lambda string: (-string.edits, string.truth.file))
    return [string for cause in CAUSES for string in [one for one in ordered if one.cause == cause][:SHOWN]]


def _right_if_known(string: String) -> bool:
    return string.known == string.truth.lines[0]
