"""How well does the reader read pictures whose digits are known? Any folder with a truth.jsonl beside its pictures."""

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import cv2
from tqdm import tqdm

from benchmarks.score import Score, Summary, score, summarize, table
from edge_runtime import DigitReader, Reading
from edge_runtime.errors import OptionError, PictureError
from edge_runtime.records import Frame
from edge_runtime.sinks.draw import annotate
from edge_runtime.sources import pictures
from train.files import write_text

TRUTH = "truth.jsonl"
TEXTS = ("tier", "category", "conditions")
DIGITS = re.compile("[0-9]+")
ALL = "everything"
LONG_SIDE = 900  # of a picture in the gallery, in pixels
JPEG_QUALITY = 80
WIDEST = 100  # characters of a page's digits on the terminal


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A line of truth.jsonl: a picture, and the digits of each of its lines in reading order, without spaces."""

    file: str  # relative to the folder
    lines: tuple[str, ...]
    tier: str = ""
    category: str = ""
    conditions: str = ""
    tags: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """What the page is summed up with: its tier or, without digits, its category; "" where it has neither."""
        return self.tier if self.lines else self.category or self.tier


@dataclass(frozen=True, kw_only=True)
class Page:
    """A picture that was read. `read` holds the lines as the reader gave them, spaces included."""

    truth: Truth
    read: tuple[str, ...]
    score: Score
    rejected: dict[str, int]  # marks that were not read, by reason
    decode_ms: float
    read_ms: float
    picture: bytes  # JPEG, annotated, at most LONG_SIDE pixels wide and high


@dataclass(frozen=True, kw_only=True)
class Results:
    """A folder's pages, and the pictures that could not be read, as file and reason."""

    folder: Path
    model: str
    min_confidence: float
    pages: list[Page]
    unreadable: list[tuple[str, str]]


def run(folder: Path, out: Path | None, group: str | None = None, **reader_options: Any) -> None:
    """Measure `folder`, print the report and write pages.json to `out`, build/pages/NAME by default.

    `reader_options` are DigitReader's. Raises OptionError for a wrong truth.jsonl and, once everything is written,
    PictureError where a picture could not be read.
    """
    rows = read_truth(folder, group)
    out = out or Path("build", "pages", folder.resolve().name)
    out.mkdir(parents=True, exist_ok=True)  # what cannot be written is better known before than after
    with DigitReader(**reader_options) as reader:
        results = measure(folder, rows, reader)
    write_text(out / "pages.json", json.dumps(record(results), indent=1) + "\n")
    print(report(results))
    if results.unreadable:
        raise PictureError(f"{len(results.unreadable)} of {len(rows)} pictures could not be read; the others were")


def read_truth(folder: Path, group: str | None = None) -> list[Truth]:
    """Return what `folder`/truth.jsonl says, of one tier or category or of all.

    Raises OptionError where the file is missing, empty or wrong, with the number of the line, and where no page is in
    the group.
    """
    path = folder / TRUTH
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror or error}; it says what is in each picture") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
    rows: dict[str, Truth] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = _parse(line)
            if row.file in rows:
                raise ValueError(f"{printable(row.file)} has a line already")
        except (ValueError, RecursionError) as error:
            raise OptionError(f"{path}, line {number}: {error}") from error
        rows[row.file] = row
    if not rows:
        raise OptionError(f"{path} is empty: it needs a line for each picture")
    chosen = [row for row in rows.values() if group is None or row.group == group]
    if not chosen:
        known = ", ".join(dict.fromkeys(printable(row.group) for row in rows.values() if row.group)) or "none at all"
        raise OptionError(f"{path} has no tier {group!r}; it has {known}")
    return chosen


def measure(folder: Path, rows: Sequence[Truth], reader: DigitReader) -> Results:
    """Read every picture of `rows` and compare; what cannot be read is named on standard error and counted apart."""
    pages: list[Page] = []
    unreadable: list[tuple[str, str]] = []
    with tqdm(total=len(rows), unit="page", disable=not sys.stderr.isatty()) as bar:
        for number, row in enumerate(rows, 1):
            try:
                pages.append(_measure(folder, row, reader))
            except PictureError as error:
                unreadable.append((row.file, str(error)))
                bar.write(f"error: {printable(str(error))}", file=sys.stderr)
            bar.update()
            if bar.disable and (number == len(rows) or number % 10 == 0):
                print(f"page {number}/{len(rows)}", file=sys.stderr, flush=True)
    return Results(
        folder=folder, model=reader.classifier.model.sha256[:12], min_confidence=reader.min_confidence,
        pages=sorted(pages, key=_how_bad), unreadable=unreadable,
    )  # fmt: skip


def summaries(results: Results) -> dict[str, Summary]:
    """Return a summary for each tier, then for each category without digits, and last of everything."""
    groups: dict[str, list[Page]] = {}
    for page in sorted(results.pages, key=lambda page: (not page.truth.lines, page.truth.group)):
        groups.setdefault(page.truth.group or ("no tier" if page.truth.lines else "no digits"), []).append(page)
    groups = (groups if len(groups) > 1 else {}) | {ALL: results.pages}
    return {
        printable(name): summarize([page.score for page in pages], [page.read_ms for page in pages])
        for name, pages in groups.items()
    }


def report(results: Results) -> str:
    """Return the table, and below it the pages that are not exact, worst first."""
    lines = [table(summaries(results))]
    wrong = [page for page in results.pages if not page.score.exact]
    if wrong:
        lines += ["", f"{len(wrong)} of {len(results.pages)} pages are not exact, worst first:"]
    for page in wrong:
        lines.append(f"{printable(page.truth.file)}: {verdict(page.score)}")
        lines += [f"  expected  {_short(page.truth.lines)}", f"  read      {_short(page.read)}"]
        lines += [f"  {printable(page.truth.conditions)}"] if page.truth.conditions else []
    return "\n".join(lines)


def verdict(score: Score) -> str:
    """Return in words how well a page was read."""
    if score.exact:
        return "exact"
    if not score.digits:
        return f"{score.read} false {'digit' if score.read == 1 else 'digits'}"
    if not score.edits:
        return "every digit right, but on other lines"
    return f"{score.edits} {'error' if score.edits == 1 else 'errors'} in {score.digits} digits"


def record(results: Results) -> dict[str, Any]:
    """Return what pages.json holds: the summaries, every page, and what could not be read."""
    return {
        "format": 1,
        "folder": str(results.folder),
        "model": results.model,
        "min_confidence": results.min_confidence,
        "summary": {
            name: asdict(summary)
            | {"error_rate": summary.error_rate, "false_digits_a_page": summary.false_digits_a_page}
            for name, summary in summaries(results).items()
        },
        "pages": [
            {
                **asdict(page.truth),
                "read": page.read,
                "score": asdict(page.score),
                "rejected": page.rejected,
                "decode_ms": round(page.decode_ms, 2),
                "read_ms": round(page.read_ms, 2),
            }
            for page in results.pages
        ],
        "unreadable": [{"file": file, "error": error} for file, error in results.unreadable],
    }


def printable(text: str) -> str:
    """Return text on one line, in which what would steer a terminal is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _parse(line: str) -> Truth:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(row, dict):
        raise ValueError("not a JSON object, as {...} is one")
    for key in ("file", "lines"):
        if key not in row:
            raise ValueError(f'"{key}" is missing')
    row = {key: value for key, value in row.items() if value is not None or key in ("file", "lines")}
    file, lines, tags = row["file"], row["lines"], row.get("tags", [])
    if not isinstance(file, str) or not file or "\0" in file:
        raise ValueError('"file" must be the name of a picture')
    file.encode()
    if not isinstance(lines, list) or not all(isinstance(line, str) and DIGITS.fullmatch(line) for line in lines):
        raise ValueError('"lines" must be a list of texts of digits alone, as ["2024", "17"]; [] without digits')
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError('"tags" must be a list of texts')
    texts = {key: row.get(key, "") for key in TEXTS}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f'"{key}" must be a text')
    return Truth(file=file, lines=tuple(lines), tags=tuple(tags), **texts)


def _measure(folder: Path, row: Truth, reader: DigitReader) -> Page:
    path = folder / row.file
    started = perf_counter_ns()
    try:
        if not path.is_file():  # a device or a pipe might never end
            raise PictureError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror or error}") from error
    frame = pictures.load(path)
    decoded = perf_counter_ns()
    reading = reader.read(frame)
    done = perf_counter_ns()
    return Page(
        truth=row, read=reading.text, score=score(row.lines, reading.text),
        rejected=dict(Counter(rejection.reason for rejection in reading.rejected).most_common()),
        decode_ms=(decoded - started) / 1e6, read_ms=(done - decoded) / 1e6, picture=_picture(frame, reading),
    )  # fmt: skip


def _picture(frame: Frame, reading: Reading) -> bytes:
    annotated = annotate(frame, reading)
    scale = LONG_SIDE / max(annotated.shape[:2])
    if scale < 1:
        size = tuple(max(1, round(side * scale)) for side in frame.size)
        annotated = cv2.resize(annotated, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return cv2.imencode(".jpg", annotated, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _how_bad(page: Page) -> tuple[object, ...]:
    return (page.score.exact, -page.score.edits, page.truth.file)


def _short(lines: Sequence[str]) -> str:
    text = " / ".join(lines) or "(no digit)"
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}... ({sum(map(len, lines))} digits)"
