"""`edge-digits selftest`: does this machine read correctly?

It replays the model's golden vectors, reads the sample pages, times one digit, and examines a source.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from math import isfinite
from statistics import median
from time import monotonic, perf_counter_ns
from typing import Any

from edge_runtime import __version__
from edge_runtime.errors import CheckFailed, EdgeError, PictureError, SourceError
from edge_runtime.inference import golden, model_file
from edge_runtime.pages import timing
from edge_runtime.pages.timing import SAMPLES
from edge_runtime.reader import DigitReader
from edge_runtime.sources import pictures
from edge_runtime.sources.kinds import kind_of, public
from edge_runtime.sources.options import Options

TURNS, WARM_UP = 200, 20
FRAMES = 5  # frames of a source: the first one of a camera may be dark
TIMEOUT = 10.0  # seconds for these frames
ALIKE = 1.0  # standard deviation of pixels, of 255: below this, the lens is covered
TRUTH = SAMPLES / "truth.jsonl"
Record = dict[str, Any]


def run(reader: DigitReader, source: str | None = None) -> tuple[Record, list[EdgeError]]:
    """Return the record, as edge_runtime/schemas/selftest.schema.json describes it, and all failures."""
    model = reader.classifier.model
    failures: list[EdgeError] = []
    vectors = _vectors(reader, failures)
    pages = list(_pages(reader, failures))
    digit_ns = _digit_ns(reader)
    looked = None if source is None else _look(reader, source, failures)
    record = {
        "format": 1,
        "checked_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "version": __version__,
        "passed": not failures,
        "model": {"id": model.id, "path": str(model.path), "verified": model.verified},
        "golden_vectors": vectors,
        "pages": pages,
        "digit_ns": digit_ns,
        "source": looked,
    }
    return record, failures


def lines(record: Record) -> Iterator[str]:
    """Yield a record as lines of text."""
    model, vectors, source = record["model"], record["golden_vectors"], record["source"]
    yield f"{'Model':<16}{model['id']}, {model['path']}"
    if vectors is None:
        yield f"{'Golden vectors':<16}{golden.NO_VECTORS}"
    elif vectors["furthest"] is None:
        yield f"{'Golden vectors':<16}failed: no output to compare"
    else:
        replay = golden.Replay(*(vectors[name] for name in golden.Replay._fields))
        yield f"{'Golden vectors':<16}{'ok' if replay.passed else 'failed'}: {replay}"
    for page in record["pages"]:
        status = "ok" if page["passed"] else "failed" if page["required"] else "not as written"
        yield f"{'Sample page':<16}{status}: {page['file']} reads {_text(page['read'])}, {page['ms']:.1f} ms"
    yield f"{'One digit':<16}{record['digit_ns'] / 1000:.1f} us"
    if source is not None and source["problem"] is not None:
        yield f"{'Source':<16}failed: {source['problem']}"
    elif source is not None:
        taken = f"{source['frames']} frame{'s' * (source['frames'] != 1)} of {source['width']}x{source['height']}"
        yield f"{'Source':<16}ok: {source['name']}, {taken}, reads {_text(source['read'])}"


def _text(read: list[str]) -> str:
    return " / ".join(read) or "(no digit)"


def _vectors(reader: DigitReader, failures: list[EdgeError]) -> Record | None:
    """Replay the golden vectors; return None if the model has none."""
    try:
        replay = golden.replay(reader.classifier)
        if replay is None:
            return None
        if not replay.passed:
            failures.append(golden.failure(reader.classifier, replay))
    except CheckFailed as error:
        failures.append(error)
        return {"vectors": 0, "same": 0, "furthest": None, "allowed": None, "passed": False}
    furthest = replay.furthest if isfinite(replay.furthest) else None
    return {**replay._asdict(), "furthest": furthest, "passed": replay.passed}


def _pages(reader: DigitReader, failures: list[EdgeError]) -> Iterator[Record]:
    """Read the sample pages. The shipped model must read them correctly; for others, the record shows the result."""
    classifier = reader.classifier
    names = dict(zip(map(ord, model_file.DIGITS), classifier.labels, strict=False))  # there may be fewer labels
    required = classifier.model.sha256 == model_file.read(model_file.SHIPPED).sha256
    try:
        truths = [json.loads(line) for line in TRUTH.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        failures.append(CheckFailed(f"{TRUTH} cannot be read ({error}): install the package again"))
        return
    for truth in truths:
        expected = [text.translate(names) for text in truth["lines"]]
        read, ms = [], 0.0
        try:
            reading = reader.read(pictures.load(SAMPLES / truth["file"]))
            read, ms = list(reading.text), reading.ms.total
        except PictureError as error:
            failures.append(CheckFailed(f"{error}; install the package again"))
        else:
            if required and read != expected:
                failures.append(
                    CheckFailed(
                        f"the sample page {truth['file']} shows {_text(expected)}, but was read as {_text(read)}: "
                        "install another version of OpenCV, or the package again"
                    )
                )
        yield {
            "file": truth["file"], "expected": expected, "read": read, "ms": ms, "required": required,
            "passed": read == expected,
        }  # fmt: skip


def _digit_ns(reader: DigitReader) -> float:
    """Return the nanoseconds that one digit takes: the median of TURNS, after the warm-up."""
    image = timing.samples()[0][:1]
    spent = []
    for _ in range(WARM_UP + TURNS):
        started = perf_counter_ns()
        reader.classifier.scores(image)
        spent.append(perf_counter_ns() - started)
    return float(median(spent[WARM_UP:]))


def _look(reader: DigitReader, name: str, failures: list[EdgeError]) -> Record:
    """Take some frames of a source, and read the last one."""
    record: Record = {"name": public(name), "frames": 0, "width": None, "height": None, "read": [], "problem": None}
    try:
        options = Options(frames=FRAMES, until=monotonic() + TIMEOUT)
        with closing(kind_of(name).frames(name, options)) as frames:
            for frame in islice(frames, FRAMES):
                if isinstance(frame, PictureError):
                    raise frame
                last = frame
                record["frames"] += 1
        if not record["frames"]:
            raise SourceError(f"{record['name']}: no frame")
        reading = reader.read(last)
        record |= {"width": reading.width, "height": reading.height, "read": list(reading.text)}
        if last.pixels.std() < ALIKE and kind_of(name).live:
            raise SourceError(f"{record['name']}: all pixels are equal: is the lens covered, or is it dark?")
    except EdgeError as error:
        record["problem"] = str(error)
        failures.append(error)
    return record
