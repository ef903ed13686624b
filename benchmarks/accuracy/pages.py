"""How well does the reader read pictures with known digits? Any folder with a truth.jsonl beside its pictures."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from tqdm import tqdm

from benchmarks.accuracy import coverage, gallery, truth
from benchmarks.accuracy.coverage import Coverage
from benchmarks.accuracy.score import Score, Summary, score, summarize, table
from benchmarks.accuracy.score import measures as figures
from benchmarks.accuracy.truth import Truth, printable
from edge_runtime import DigitReader, orientation
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure
from edge_runtime.errors import PictureError
from edge_runtime.sources import pictures

ALL = "everything"
WIDEST = 100  # characters of a page's digits on the terminal


@dataclass(frozen=True, kw_only=True)
class Page:
    """A picture that was read. `read` holds the lines as the reader returns them, spaces included.

    `judged` holds the confidence of each line of at least two digits, and whether it is right.
    """

    truth: Truth
    read: tuple[str, ...]
    score: Score
    judged: list[tuple[float, bool]]
    rejected: dict[str, int]  # the number of rejected regions by reason
    decode_ms: float
    read_ms: float
    preview: bytes  # JPEG: the picture, reduced, with the reading drawn over it


@dataclass(frozen=True, kw_only=True)
class Results:
    """A folder's pages, and the unreadable pictures as file and reason."""

    folder: Path
    model: str
    min_confidence: float
    pages: list[Page]
    unreadable: list[tuple[str, str]]


def run(
    folder: Path, out: Path, group: str | None = None, turned: float = 0, **reader_options: Any
) -> Results:  # fmt: skip
    """Measure `folder`, write pages.json to `out`, and return the results.

    Each picture is first turned clockwise by `turned` degrees. `reader_options` are DigitReader's. Raises OptionError
    for a wrong truth.jsonl.
    """
    rows = truth.read(folder, group)
    out.mkdir(parents=True, exist_ok=True)  # fails early if the folder is not writable
    with DigitReader(**reader_options) as reader:
        results = measure(folder, rows, reader, turned)
        model = reader.classifier.model.path
    settings = {
        "folder": folder.resolve().name,
        "tier": group,
        "turned": turned,
        "min_confidence": results.min_confidence,
    }
    result.write(
        out / "pages.json", "pages", measures(results), settings=settings, details=details(results), model=model
    )
    return results


def measure(folder: Path, rows: Sequence[Truth], reader: DigitReader, turned: float = 0) -> Results:
    """Read every picture of `rows` and compare; report unreadable ones on standard error and count them separately."""
    pages: list[Page] = []
    unreadable: list[tuple[str, str]] = []
    with tqdm(total=len(rows), unit="page", disable=not sys.stderr.isatty()) as bar:
        for number, row in enumerate(rows, 1):
            try:
                pages.append(_measure(folder, row, reader, turned))
            except PictureError as error:
                unreadable.append((row.file, str(error)))
                bar.write(f"error: {printable(str(error))}", file=sys.stderr)
            bar.update()
            if bar.disable and (number == len(rows) or number % 10 == 0):
                print(f"page {number}/{len(rows)}", file=sys.stderr, flush=True)
    return Results(
        folder=folder, model=reader.classifier.model.id, min_confidence=reader.min_confidence,
        pages=sorted(pages, key=_how_bad), unreadable=unreadable,
    )  # fmt: skip


def summaries(results: Results) -> dict[str, Summary]:
    """Return a summary for each tier, then each category without digits, then everything."""
    groups: dict[str, list[Page]] = {}
    for page in sorted(results.pages, key=lambda page: (not page.truth.lines, page.truth.group)):
        groups.setdefault(page.truth.group or ("no tier" if page.truth.lines else "no digits"), []).append(page)
    groups = (groups if len(groups) > 1 else {}) | {ALL: results.pages}
    return {
        printable(name): summarize([page.score for page in pages], [page.read_ms for page in pages])
        for name, pages in groups.items()
    }


def lines_of(results: Results) -> Coverage | None:
    """Return the coverage of all pages' lines; None if there is no line of two digits."""
    return coverage.summarize([line for page in results.pages for line in page.judged])


def report(results: Results) -> str:
    """Return the table, followed by the inexact pages, worst first."""
    lines = [table(summaries(results))]
    if lines_read := lines_of(results):
        lines += ["", coverage.describe(lines_read)]
    wrong = [page for page in results.pages if not page.score.exact]
    if wrong:
        lines += ["", f"{len(wrong)} of {len(results.pages)} pages are not exact, worst first:"]
    for page in wrong:
        lines.append(f"{printable(page.truth.file)}: {verdict(page.score)}")
        lines += [f"  expected  {_short(page.truth.lines)}", f"  read      {_short(page.read)}"]
        lines += [f"  {printable(page.truth.conditions)}"] if page.truth.conditions else []
    return "\n".join(lines)


def verdict(score: Score) -> str:
    """Return the result of a page in words."""
    if score.exact:
        return "exact"
    if not score.digits:
        return f"{score.read} false {'digit' if score.read == 1 else 'digits'}"
    if not score.edits:
        return "every digit right, but on other lines"
    return f"{score.edits} {'error' if score.edits == 1 else 'errors'} in {score.digits} digits"


def measures(results: Results) -> list[Measure]:
    """Return the measures that compare with another run, of each tier or category and of everything."""
    lines = lines_of(results)
    return [measure for name, summary in summaries(results).items() for measure in figures(name, summary)] + (
        coverage.measures(lines) if lines else []
    )


def details(results: Results) -> dict[str, Any]:
    """Return the details of pages.json: the summaries, every page, and the unreadable pictures."""
    lines = lines_of(results)
    return {
        "folder": str(results.folder),
        "summary": {
            name: asdict(summary)
            | {"error_rate": summary.error_rate, "false_digits_a_page": summary.false_digits_a_page}
            for name, summary in summaries(results).items()
        },
        "lines": lines and asdict(lines),
        "pages": [
            {
                **asdict(page.truth),
                "read": page.read,
                "score": asdict(page.score),
                "line_confidences": page.judged,
                "rejected": page.rejected,
                "decode_ms": round(page.decode_ms, 2),
                "read_ms": round(page.read_ms, 2),
            }
            for page in results.pages
        ],
        "unreadable": [{"file": file, "error": error} for file, error in results.unreadable],
    }


def show(results: Results, chart: gallery.Chart | None) -> str:
    """Return the gallery: an HTML file with every page, worst first, and a chart below the table."""
    entries = [
        gallery.Entry(
            name=page.truth.file, verdict=verdict(page.score), exact=page.score.exact, expected=page.truth.lines,
            read=page.read, preview=page.preview,
            facts={
                "Rejected": ", ".join(f"{count} {reason}" for reason, count in page.rejected.items()),
                "Conditions": page.truth.conditions,
                "Tier": page.truth.tier,
                "Category": page.truth.category,
                "Tags": ", ".join(page.truth.tags),
                "Time": f"{page.read_ms:.0f} ms, after {page.decode_ms:.0f} ms for decoding",
            },
        )
        for page in results.pages
    ]  # fmt: skip
    title = f"Pages of {results.folder.resolve().name}"
    how = f"Model {results.model}, least confidence {results.min_confidence:g}."
    return gallery.render(title, how, summaries(results), entries, [error for _, error in results.unreadable], chart)


def _measure(folder: Path, row: Truth, reader: DigitReader, turned: float) -> Page:
    path = folder / row.file
    started = perf_counter_ns()
    try:
        if not path.is_file():  # reading a device or a pipe may never end
            raise PictureError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror or error}") from error
    frame = pictures.load(path)
    frame = replace(frame, pixels=orientation.turned(frame.pixels, turned)[0])
    decoded = perf_counter_ns()
    reading = reader.read(frame)
    done = perf_counter_ns()
    return Page(
        truth=row, read=reading.text, score=score(row.lines, reading.text),
        judged=coverage.judge(row.lines, reading.lines),
        rejected=dict(Counter(rejection.reason for rejection in reading.rejected).most_common()),
        decode_ms=(decoded - started) / 1e6, read_ms=(done - decoded) / 1e6, preview=gallery.preview(frame, reading),
    )  # fmt: skip


def _how_bad(page: Page) -> tuple[object, ...]:
    return (page.score.exact, -page.score.edits, page.truth.file)


def _short(lines: Sequence[str]) -> str:
    text = printable(" / ".join(lines)) or "(no digit)"
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}... ({sum(map(len, lines))} digits)"
