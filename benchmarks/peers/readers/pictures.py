"""The pictures that the readers read: folders with a truth.jsonl, or generated pages."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.accuracy import robustness, truth
from benchmarks.accuracy.score import compact
from benchmarks.accuracy.truth import Truth, printable
from benchmarks.peers.readers.catalog import DIGIT, LINE, PAGE
from edge_runtime.errors import OptionError
from edge_runtime.records import Uint8
from edge_runtime.sources import pictures
from train import dataset
from train.conditions import CONDITIONS

GENERATED = "generated pages"
SEVERITIES = 1, 3  # those with limits in thresholds.toml
SAMPLE_SEED = 0


class Picture(NamedTuple):
    """A picture: its name, its true lines, its tier or category, and what loads its pixels."""

    name: str
    lines: tuple[str, ...]
    group: str
    load: Callable[[], Uint8]


class PictureSet(NamedTuple):
    """Pictures that are scored together, and what they hold: PAGE, LINE or DIGIT."""

    name: str
    kind: str
    pictures: list[Picture]


def of_folders(folders: Sequence[Path], at_most: int | None = None) -> list[PictureSet]:
    """Return the pictures of each folder: at most `at_most`, a fixed random choice.

    Raises OptionError for a wrong truth.jsonl, and for two folders of one name.
    """
    names = [printable(folder.resolve().name) for folder in folders]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"two folders are named {name}: rename one, as results have the name of their folder")
    return [_of_folder(name, folder, at_most) for name, folder in zip(names, folders, strict=True)]


def _of_folder(name: str, folder: Path, at_most: int | None) -> PictureSet:
    rows = truth.read(folder)
    if at_most is not None and len(rows) > at_most:
        chosen = np.random.default_rng(SAMPLE_SEED).choice(len(rows), at_most, replace=False)
        rows = [rows[i] for i in sorted(chosen)]
    return PictureSet(name, kind_of(rows), [_of_row(folder, row) for row in rows])


def _of_row(folder: Path, row: Truth) -> Picture:
    return Picture(row.file, row.lines, row.group, lambda: pictures.load(folder / row.file).pixels)


def kind_of(rows: Sequence[Truth]) -> str:
    """Return what all pictures of a folder hold: LINE where each has one line, DIGIT where that is one digit."""
    if any(len(row.lines) != 1 for row in rows):
        return PAGE
    return DIGIT if all(len(row.lines[0]) == 1 for row in rows) else LINE


def generated(pages: int, seed: int) -> PictureSet:
    """Return `pages` pages of each condition of `benchmarks robustness`, at each of SEVERITIES."""
    digits = dataset.load("test")
    drawn = []
    for condition in CONDITIONS:
        for severity in SEVERITIES:
            of_one = robustness.draw(digits, condition, severity, pages, seed, "test")
            drawn += [
                _of_page(f"{condition} {severity} {number}", severity, page.pixels, page.text)
                for number, (page, _) in enumerate(of_one)
            ]
    return PictureSet(GENERATED, PAGE, drawn)


def _of_page(name: str, severity: int, pixels: Uint8, text: Sequence[str]) -> Picture:
    return Picture(name, tuple(map(compact, text)), f"severity {severity}", lambda: pixels)
