"""Readers on the same pictures: errors, false digits, time, memory, and size on disk.

build/readers/readers.json holds, in the format of all results, for each set of pictures and each reader:

    SET/READER/exact pages, exact lines, characters right, false digits a page    as `pages` and `strings` count
    SET/READER/character errors                   edits for each true digit
    SET/READER/a picture, processor time          nanoseconds of each picture, in turns with all others
    SET/READER/memory                             peak bytes of its process
    size/READER, size/READER in all               bytes on disk: beyond what edge-digits requires, and altogether
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import score
from benchmarks.accuracy.score import Score, Summary
from benchmarks.common.progress import progress
from benchmarks.peers.readers import turns
from benchmarks.peers.readers.catalog import READERS
from benchmarks.peers.readers.pictures import Picture, PictureSet, generated, of_folders
from benchmarks.peers.readers.size import Size
from benchmarks.peers.readers.turns import Answer
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure
from edge_runtime.records import Uint8

DIGITS = frozenset("0123456789")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One reader on one set of pictures."""

    set_name: str
    reader: str
    summary: Summary
    groups: dict[str, float]  # character errors in percent, by tier
    answers: list[Answer]
    memory: int | None  # bytes

    def ms(self, quantile: float, *, processor: bool = False) -> float:
        """Return a quantile of the milliseconds a picture, by the clock or of processor time."""
        times = [answer.processor_ns if processor else answer.ns for answer in self.answers]
        return float(np.quantile(times, quantile)) / 1e6


def missing() -> dict[str, str]:
    """Return the readers that cannot be measured here, each with what to do."""
    return {name: reason for name, reader in READERS.items() if (reason := reader.missing()) is not None}


def run(
    folders: Sequence[Path], out: Path, *, pages: int, seed: int, at_most: int | None,
    without: Mapping[str, str], sizes: Mapping[str, Size | None],
) -> Iterator[list[Row]]:  # fmt: skip
    """Measure on the pictures of `folders`, or on generated pages without one, and write readers.json to `out`.

    `pages` is the number of pages of each condition and severity. At most `at_most` pictures of each folder are read.
    `sizes` names the readers to measure, `without` those that are left out, as `missing` returns them. Yields the rows
    of each set once they are written. Raises OptionError for a wrong truth.jsonl, PictureError for an unreadable
    picture, and ProcessFailed if a reader fails.
    """
    sets = of_folders(folders, at_most) if folders else [generated(pages, seed)]
    out.mkdir(parents=True, exist_ok=True)  # fails early if the folder is not writable
    settings = {"sets": [each.name for each in sets], "pictures": [len(each.pictures) for each in sets],
                "threads": 1, **({"at_most": at_most} if folders else {"pages": pages, "seed": seed})}  # fmt: skip
    rows: list[Row] = []
    for number, each in enumerate(sets, 1):
        of_set = measure(each, list(sizes))
        rows += of_set
        result.write(  # after each set: an interrupt leaves those that are done
            out / "readers.json", "readers", measures(rows, sizes), settings=settings,
            details=details(sets[:number], rows, without),
        )  # fmt: skip
        yield of_set


def measure(pictures: PictureSet, names: Sequence[str]) -> list[Row]:
    """Return a row for each of these readers that reads this kind of pictures."""
    able = [name for name in names if pictures.kind in READERS[name].kinds]
    with progress(f"{pictures.name}, {len(pictures.pictures)} pictures", len(pictures.pictures)) as tick:

        def loaded() -> Iterator[Uint8]:
            for each in pictures.pictures:
                yield each.load()
                tick()

        answers, memory = turns.take(able, pictures.kind, loaded())
    return [_row(pictures, name, answers[name], memory[name]) for name in able]


def _row(pictures: PictureSet, name: str, answers: list[Answer], memory: int | None) -> Row:
    scores = [judge(each, answer.lines) for each, answer in zip(pictures.pictures, answers, strict=True)]
    by_group: dict[str, list[Score]] = {}
    for each, of_one in zip(pictures.pictures, scores, strict=True):
        if each.lines and each.group:
            by_group.setdefault(each.group, []).append(of_one)
    return Row(
        set_name=pictures.name, reader=name, summary=score.summarize(scores, []),
        groups={group: score.summarize(some, []).error_rate or 0.0 for group, some in sorted(by_group.items())},
        answers=answers, memory=memory,
    )  # fmt: skip


def judge(picture: Picture, lines: Sequence[str]) -> Score:
    """Return the score of what was read; only digits count, and lines without any are left out."""
    kept = ("".join(character for character in line if character in DIGITS) for line in lines)
    return score.score(picture.lines, [line for line in kept if line])


def measures(rows: Sequence[Row], sizes: Mapping[str, Size | None]) -> list[Measure]:
    """Return the measures of all readers on all sets."""
    measured = []
    for row in rows:
        name = f"{row.set_name}/{row.reader}"
        measured += score.measures(name, row.summary)
        if row.summary.error_rate is not None:
            measured.append(result.figure(f"{name}/character errors", row.summary.error_rate, "%", better="lower"))
        for what, times in (("a picture", [answer.ns for answer in row.answers]),
                            ("processor time", [answer.processor_ns for answer in row.answers])):  # fmt: skip
            measured.append(result.timed(f"{name}/{what}", [times], paired=f"{row.set_name}/{what}"))
        if row.memory is not None:
            measured.append(result.figure(f"{name}/memory", row.memory, "B", better="lower"))
    for name, each in sizes.items():
        if each is not None:
            measured.append(result.figure(f"size/{name}", each.beyond, "B", better="lower"))
            measured.append(result.figure(f"size/{name} in all", each.whole, "B", better="lower"))
    return measured


def details(sets: Sequence[PictureSet], rows: Sequence[Row], without: Mapping[str, str]) -> dict[str, Any]:
    """Return the details of readers.json: the readers that are left out, and everything that was read."""
    return {
        "missing": dict(without),
        "sets": [
            {
                "name": each.name,
                "kind": each.kind,
                "pictures": [[picture.name, picture.lines, picture.group] for picture in each.pictures],
                "readers": {row.reader: _of_row(row) for row in rows if row.set_name == each.name},
            }
            for each in sets
        ],
    }


def _of_row(row: Row) -> dict[str, Any]:
    return {
        "summary": asdict(row.summary),
        "groups": row.groups,
        "read": [answer.lines for answer in row.answers],
    }


def table_of_sizes(sizes: Mapping[str, Size | None]) -> list[str]:
    """Return the table of sizes on disk."""
    lines = [f"{'On disk: MB':<28}{'beyond edge-digits':>22}{'in all':>10}"]
    for reader, each in sizes.items():
        shown = ("", "") if each is None else (f"{each.beyond / 1e6:,.0f}", f"{each.whole / 1e6:,.0f}")
        lines.append(f"  {reader:<26}{shown[0]:>22}{shown[1]:>10}".rstrip())
    return lines


def table(rows: Sequence[Row]) -> list[str]:
    """Return the table of a set of pictures: a line for each of `rows`, the readers on that set."""
    first = rows[0]
    what = f"{first.set_name}, {first.summary.pages} pictures"
    lines = [f"{what:<28}{'errors':>9}{'exact':>14}{'false/picture':>15}{'ms p50':>9}{'p99':>9}{'processor':>11}"
             f"{'MB':>7}"]  # fmt: skip
    for row in rows:
        rate, false = row.summary.error_rate, row.summary.false_digits_a_page
        memory = "" if row.memory is None else f"{row.memory / 1e6:,.0f}"
        lines.append(
            f"  {row.reader:<26}{'' if rate is None else f'{rate:.1f} %':>9}"
            f"{f'{row.summary.exact_pages} of {row.summary.pages}':>14}{'' if false is None else f'{false:.2f}':>15}"
            f"{row.ms(0.5):>9,.1f}{row.ms(0.99):>9,.1f}{row.ms(0.5, processor=True):>11,.1f}{memory:>7}"
        )
    if len(first.groups) > 1:
        lines.append("  errors by tier".ljust(28) + "".join(f"{group:>12}" for group in first.groups))
        lines += [f"    {row.reader:<24}" + "".join(f"{rate:>10.1f} %" for rate in row.groups.values()) for row in rows]
    return lines
