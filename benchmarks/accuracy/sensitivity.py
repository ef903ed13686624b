"""What does each hand-chosen number in edge_runtime/vision contribute? Each is changed, one at a time.

A number without effect may be dropped or simplified. A number whose change reduces errors was chosen badly or on other
pictures. A number with a large effect deserves another look.
"""

import difflib
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import cv2
from tqdm import tqdm

from benchmarks.accuracy import robustness, truth
from benchmarks.accuracy.score import compact, score
from benchmarks.accuracy.sensitivity_table import (
    FACTORS,
    KINDS,
    Counts,
    Row,
    details,
    measures,
    ordered,
    percent,
)
from benchmarks.accuracy.vision_numbers import Number, changed, numbers
from edge_runtime import DigitReader
from edge_runtime.bench import result
from edge_runtime.errors import OptionError
from edge_runtime.records import Uint8
from edge_runtime.sources import pictures
from edge_runtime.vision.planes import LONG_SIDE, rescaled
from train import dataset
from train.conditions import CONDITIONS

SEVERITY, SPLIT, SEED = 3, "held-out", 1
WORKERS = 2


class Sample(NamedTuple):
    """The sample to read: the generated pages of each condition, and the picture folders."""

    pages: int
    folders: tuple[Path, ...]


class Measured(NamedTuple):
    """The counts with all numbers as they are, a row for each changed number, what was read, and the seconds taken."""

    baseline: Counts
    rows: list[Row]
    read: str
    seconds: float

    @property
    def failed(self) -> list[str]:
        """A line for each change with which reading failed."""
        return [f"{row.number.label}: {each}" for row in self.rows for each in row.moved if isinstance(each, str)]


def run(out: Path, pages: int, photos: Sequence[Path], only: Sequence[str]) -> Measured:
    """Measure, and write sensitivity.json to `out`.

    Raises OptionError for a wrong truth.jsonl or an unknown name in `only`, PictureError for an unreadable picture.
    """
    started = perf_counter()
    chosen = choose(numbers(), only)
    sample = Sample(pages, tuple(photos))
    for folder in photos:
        truth.read(folder)  # fails early on a wrong file
    out.mkdir(parents=True, exist_ok=True)  # fails early if the folder is not writable
    baseline, rows = measure(sample, chosen)
    took = perf_counter() - started
    settings = {
        "pages": pages, "severity": SEVERITY, "split": SPLIT, "seed": SEED, "only": list(only),
        "photos": [folder.resolve().name for folder in photos],
    }  # fmt: skip
    result.write(
        out / "sensitivity.json", "sensitivity", measures(baseline, rows), settings=settings,
        details=details(baseline, rows) | {"seconds": round(took, 1)},
    )  # fmt: skip
    return Measured(baseline, rows, _described(sample, baseline), took)


def _described(sample: Sample, baseline: Counts) -> str:
    digits, on_photos, empty = baseline.of
    folders = " and ".join(truth.printable(folder.resolve().name) for folder in sample.folders)
    pages = f"{sample.pages * len(CONDITIONS)} generated pages with {digits:,} digits"
    how = f"{sample.pages} of each of {len(CONDITIONS)} conditions at severity {SEVERITY}, {SPLIT} digits, seed {SEED}"
    photos = f"; photographs of {folders} with {on_photos:,} digits, {empty} of them without any" if folders else ""
    return f"{pages} ({how}){photos}"


def choose(known: Sequence[Number], only: Sequence[str]) -> list[Number]:
    """Return the numbers of these names, all without names; the name of a tuple selects all its members.

    Raises OptionError for an unknown name.
    """
    names = list(dict.fromkeys(name for number in known for name in (number.constant, number.label)))
    for name in only:
        if name not in names:
            like = difflib.get_close_matches(name, names, cutoff=0.3) or names[:3]
            raise OptionError(f"unknown number {name} in edge_runtime/vision; similar: {', '.join(like)}")
    return [number for number in known if not only or {number.constant, number.label} & {*only}]


def measure(sample: Sample, chosen: Sequence[Number]) -> tuple[Counts, list[Row]]:
    """Read the sample unchanged and with each number changed; return rows, largest effect first.

    Reports progress on standard error.
    """
    changes = [None, *((number, factor) for number in chosen for factor in FACTORS)]
    results: list[Counts | str] = []
    with (
        ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=_start) as pool,
        tqdm(total=len(changes), unit="pass", disable=not sys.stderr.isatty()) as bar,
    ):
        for change, counts in zip(changes, pool.map(partial(_read, sample), changes), strict=True):
            results.append(counts)
            bar.update()
            if bar.disable:
                what = "baseline" if change is None else f"{change[0].label} {percent(change[1])}"
                print(f"{what}: {len(results)}/{len(changes)}", file=sys.stderr, flush=True)
    baseline, *others = results
    assert isinstance(baseline, Counts)
    return baseline, ordered(baseline, [Row(n, tuple(others[2 * i : 2 * i + 2])) for i, n in enumerate(chosen)])


def _start() -> None:
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent reports Ctrl-C


def _read(sample: Sample, change: tuple[Number, float] | None) -> Counts | str:
    """Read the whole sample in a worker; return the reason if the changed number makes reading fail."""
    reader, frames = _reader(), _frames(sample)
    if change is None:
        return _count(reader, frames)
    number, factor = change
    try:
        with changed(number, number.moved(factor)):
            return _count(reader, frames)
    except Exception as error:  # whatever the error, the other numbers still count
        return f"fails at {percent(factor)}: {type(error).__name__}: {error}"


def _count(reader: DigitReader, frames: "list[Shown]") -> Counts:
    wrong, of = [0] * len(KINDS), [0] * len(KINDS)
    for kind, lines, pixels in frames:
        scored = score(lines, reader.read(pixels).text)
        wrong[kind] += scored.edits
        of[kind] += scored.digits if lines else 1
    return Counts(tuple(wrong), tuple(of))


class Shown(NamedTuple):
    """A picture to read repeatedly: its index in KINDS, the true lines, and the pixels in reading size."""

    kind: int
    lines: tuple[str, ...]
    pixels: Uint8


@cache
def _reader() -> DigitReader:
    return DigitReader()


@cache
def _frames(sample: Sample) -> list[Shown]:
    return [*_pages(sample.pages), *(shown for folder in sample.folders for shown in _photos(folder))]


def _pages(count: int) -> Iterator[Shown]:
    digits = dataset.load("held_out")
    for condition in CONDITIONS:
        for drawn, _ in robustness.draw(digits, condition, SEVERITY, count, SEED, SPLIT):
            yield Shown(0, tuple(compact(line) for line in drawn.text), drawn.pixels)


def _photos(folder: Path) -> Iterator[Shown]:
    for row in truth.read(folder):
        pixels = pictures.load(folder / row.file).pixels
        # Reduced once, as in the reader: this takes longer than all else.
        yield Shown(1 if row.lines else 2, row.lines, rescaled(pixels)[0] if max(pixels.shape) > LONG_SIDE else pixels)
