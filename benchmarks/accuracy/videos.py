"""How steady are readings of videos? Generated videos of known pages, read frame by frame and as events.

Pages are shown, hidden, swapped, shaken and motion-blurred, and hands may pass over them. The pages show only test
digits that the classifier reads right, so that the benchmark measures tracking, not the network. The released network
was trained on the held-out digits.
"""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from edge_runtime import DigitReader
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, figure, share
from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Event, Frame, Reading, Uint8
from edge_runtime.tracking.events import line_events
from train import dataset
from train.dataset import Digits

FPS = 10  # the rate of a small computer
SIZE = (640, 480)
PAGES = 3  # of a video
STYLE = PageStyle(size=SIZE, digit_height=(40, 52))
SHOWN, HIDDEN, SLIDING, PASSING = 40, 10, 2, 12  # frames
SHAKE, LEAN = 3.0, 0.6  # standard deviations: pixels, degrees
BLUR = 9  # pixels of motion, in bursts


class Shot(NamedTuple):
    """A frame, uint8 (480, 640, 3), the index of the page shown, from 0, or None, and whether it is fully visible."""

    pixels: Uint8
    page: int | None
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Film:
    """The results of a video: whether all reports are exact, and the wrong reports with and without tracking.

    `still` is true if each page is read right at rest; otherwise the frames cannot agree on its text.
    """

    frames: int
    exact: bool
    still: bool
    wrong: int
    wrong_raw: int


def run(count: int, seed: int, hands: float, model: Path | None, out: Path) -> list[Film]:
    """Read the given number of generated videos, and write videos.json to `out`."""
    digits = dataset.load("test")
    films = []
    with DigitReader(model) as reader:
        right = reader.classifier.confidences(digits.images)[:, :10].argmax(axis=1) == digits.labels
        known = Digits(digits.images[right], digits.labels[right])
        for number in tqdm(range(count), "videos", disable=not sys.stderr.isatty()):
            films.append(watch(reader, known, hands, np.random.default_rng([seed, number])))
    settings = {"videos": count, "seed": seed, "hands": hands}
    details = {"videos": [asdict(film) for film in films]}
    result.write(out / "videos.json", "videos", measures(films), settings=settings, details=details, model=model)
    return films


def measures(films: list[Film]) -> list[Measure]:
    """Return the measures that compare with another run."""
    still = [film for film in films if film.still]
    measured = [
        share("all/exact", sum(film.exact for film in films), len(films)),
        share("all/read right where it stands still", len(still), len(films)),
        figure("steady/wrong reports", sum(film.wrong for film in films) / seconds(films), "1/s", better="lower"),
        figure("raw/wrong reports", sum(film.wrong_raw for film in films) / seconds(films), "1/s", better="lower"),
    ]
    if still:
        measured.append(share("read right where it stands still/exact", sum(film.exact for film in still), len(still)))
    return measured


def summary(films: list[Film]) -> str:
    """Return the counts as lines of text."""
    minutes, still = seconds(films) / 60, [film for film in films if film.still]
    return "\n".join([
        f"{sum(film.exact for film in films)} of {len(films)} videos reported exactly, {minutes:.1f} minutes of them",
        f"of the {len(still)} whose pages are read right while they stand still: {sum(film.exact for film in still)}",
        f"wrong reports a minute: {sum(film.wrong for film in films) / minutes:.1f} of lines that were steady, "
        f"{sum(film.wrong_raw for film in films) / minutes:.1f} frame by frame",
    ])  # fmt: skip


def seconds(films: list[Film]) -> float:
    """Return the total duration."""
    return sum(film.frames for film in films) / FPS


def watch(reader: DigitReader, digits: Digits, hands: float, rng: np.random.Generator) -> Film:
    """Read one video, and compare the reports with its pages."""
    pages = [draw_page(*_some(digits, rng), rng, STYLE) for _ in range(PAGES)]
    shots = list(film([page.pixels for page in pages], hands, rng))
    readings = [reader.read(Frame(shot.pixels, "film", i, moving=True)) for i, shot in enumerate(shots)]
    lines = [page.text for page in pages]
    events = [event for event in line_events(readings) if event.text is not None]
    return Film(
        frames=len(shots),
        exact=_by_page(events, shots) == [sorted(page) for page in lines],
        still=all(reader.read(page.pixels).text == page.text for page in pages),
        wrong=sum(not _is_there(event, shots, lines) for event in events),
        wrong_raw=_wrong(readings, shots, lines),
    )


def film(pages: list[Uint8], hands: float, rng: np.random.Generator) -> Iterator[Shot]:
    """Yield the frames of a video of these pages in order; a hand passes over the share `hands`, 0-1, of them."""
    desk = np.full((*SIZE[::-1], 3), rng.integers(70, 140, 3), np.uint8)
    camera = _camera(rng)
    before = desk
    for number, page in enumerate(pages):
        if number == 0 or rng.random() < 0.5:  # an empty desk comes first, or the page slides over the one before
            for _ in range(HIDDEN):
                yield Shot(next(camera)(desk), None, True)
            before = desk
        for step in range(1, SLIDING + 1):
            pushed = before.copy()
            edge = SIZE[0] * step // (SLIDING + 1)
            pushed[:, SIZE[0] - edge :] = page[:, :edge]
            yield Shot(next(camera)(pushed), number, False)
        passing = int(rng.integers(12, SHOWN - PASSING)) if rng.random() < hands else SHOWN
        for i in range(SHOWN):
            covered = passing <= i < passing + PASSING
            shown = _hand(page, (i - passing) / PASSING, rng) if covered else page
            yield Shot(next(camera)(shown), number, not covered)
        before = page
    for _ in range(HIDDEN):
        yield Shot(next(camera)(desk), None, True)


def _camera(rng: np.random.Generator) -> Iterator["_Lens"]:
    """Yield the distortions of a hand-held camera, frame by frame."""
    x = y = 0.0
    blurred = 0
    while True:
        x, y = 0.8 * x + rng.normal(0, SHAKE), 0.8 * y + rng.normal(0, SHAKE)
        blurred = blurred - 1 if blurred else int(rng.integers(1, 3)) if rng.random() < 0.03 else 0
        yield _Lens(x, y, rng.normal(0, LEAN), bool(blurred), rng.normal(0, 3), int(rng.integers(2**32)))


class _Lens(NamedTuple):
    x: float
    y: float
    lean: float
    blurred: bool
    flicker: float
    seed: int

    def __call__(self, pixels: Uint8) -> Uint8:
        turn = np.asarray(cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), self.lean, 1.0), np.float64)
        turn[:, 2] += (self.x, self.y)
        seen = cv2.warpAffine(pixels, turn, SIZE, borderMode=cv2.BORDER_REPLICATE)
        if self.blurred:
            seen = cv2.blur(seen, (BLUR, 1))
        noise = np.random.default_rng(self.seed).normal(self.flicker, 3, seen.shape)
        return np.asarray(np.clip(seen + noise, 0, 255), np.uint8)


def _hand(page: Uint8, way: float, rng: np.random.Generator) -> Uint8:
    """Return the page under a hand that enters from below and leaves, `way` from 0 to 1."""
    covered = page.copy()
    reach = int(SIZE[1] * (1 - 0.8 * np.sin(np.pi * way)))
    cv2.ellipse(covered, (SIZE[0] // 2, SIZE[1]), (110, max(1, SIZE[1] - reach)), 0, 180, 360, (140, 165, 215), -1)
    return covered


def _some(digits: Digits, rng: np.random.Generator) -> tuple[Uint8, Uint8]:
    chosen = rng.choice(len(digits.images), int(rng.integers(8, 15)), replace=False)
    return digits.images[chosen], digits.labels[chosen]


def _by_page(events: list[Event], shots: list[Shot]) -> list[list[str]]:
    """Return the texts reported while each page was the last one shown."""
    by_page: list[list[str]] = [[] for _ in range(PAGES)]
    last = [max([shot.page for shot in shots[: i + 1] if shot.page is not None], default=0) for i in range(len(shots))]
    for event in events:
        by_page[last[event.frame]].append(event.text or "")
    return [sorted(texts) for texts in by_page]


def _is_there(event: Event, shots: list[Shot], lines: list[tuple[str, ...]]) -> bool:
    """Return whether the reported line was shown in the preceding frames."""
    recent = {shot.page for shot in shots[max(0, event.frame - 4) : event.frame + 1]} - {None}
    return any(event.text in lines[page] for page in recent if page is not None)


def _wrong(readings: list[Reading], shots: list[Shot], lines: list[tuple[str, ...]]) -> int:
    """Count the readings that differ from both the previous reading and the fully visible truth."""
    wrong = 0
    before: tuple[str, ...] = ()
    for reading, shot in zip(readings, shots, strict=True):
        truth: tuple[str, ...] = lines[shot.page] if shot.page is not None else ()
        wrong += shot.whole and reading.text not in (truth, before)
        before = reading.text
    return wrong
