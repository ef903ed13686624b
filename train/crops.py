"""Candidates that the runtime extracts from drawn pages, with their labels.

    python -m train.crops            draw them and say where they are

The pages show digits of one split of MNIST and of handwriting typefaces, in every style of the page generator, together
with letters, words, scribbles and stains. They pass through the runtime's own `ink_planes`, `find_regions`, `propose`
and `normalize`; random scores replace the network's (see `offered`). A candidate that is one whole digit of the page
has its label; a non-digit, half a digit or two digits together is NOT_A_DIGIT. Several scales and thresholds show the
same ink: one candidate of these stays, chosen at random, and few non-digits stay (see `crops`). The cache holds the
crops under the hash of the code and data that make them.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import filelock
import grimp
import numpy as np
from numpy.typing import NDArray

import edge_runtime
from edge_runtime.pages.draw import Page, draw_page
from edge_runtime.pages.layout import DoNotFit
from edge_runtime.records import Uint8
from edge_runtime.system.atomic_files import write_whole
from edge_runtime.vision.candidates import Candidate, propose
from edge_runtime.vision.glyphs import columns
from edge_runtime.vision.normalize import normalize
from edge_runtime.vision.page_model import SURE, PageModel, standing
from edge_runtime.vision.planes import Plane, ink_planes
from edge_runtime.vision.regions import find_regions, work_budget
from train import dataset, fonts, matches, pen, penmanship, photographs, styles
from train.dataset import Digits
from train.matches import alike, is_stroke, judge, touches
from train.page_pool import of_pages
from train.pen import with_pen
from train.recipes import Mix
from train.styles import Scene, style

NOT_A_DIGIT = 10
Split = Literal["train", "held_out"]
HELD_OUT = 0.15  # held-out pages per training page
KEPT = 4  # files of a kind, up to 40 MB each, including those of other checkouts and older code
SEED = 20_261_124
# Boxes of one polarity with at least this intersection over union show the same ink.
SAME = 0.7
# Non-digits kept of a page's dark ink, and as many of its light ink: those that share ink with a digit, such as halves
# and pairs, and all others. Six digits come with a hundred non-digits, most of them gaps between strokes and noise; a
# desk adds many more.
BESIDE, ELSEWHERE = 8, 4
WRITTEN_SHARE = 0.3  # of a page's digits come from typefaces
PHOTOGRAPHED = 0.25  # of the desks are photographs
VARIANTS = {"digits": 24, "letters": 8, "brackets": 24}  # of every character of every typeface
FORMS = 200  # of every form in `penmanship`
# Modules of the runtime; their imports count too.
PASSED_THROUGH = ("vision.planes", "vision.regions", "vision.candidates", "vision.normalize", "pages.draw")


class Crops(NamedTuple):
    """Pictures in the 28x28 contract, uint8 (N, 28, 28), and their labels, uint8 (N,): 0-9 or NOT_A_DIGIT.

    `camera` comes from pages; `written` holds single digits and letters of typefaces, and digits of other forms.
    """

    camera: Digits
    written: Digits


def load(split: Split, pages: int, without: Scene | None = None) -> Crops:
    """Return the crops of a split, from the cache or newly drawn, of `pages` training pages or HELD_OUT times as many.

    `without` leaves out one kind of scene, to measure its worth.

    Drawing takes about 50 ms a page on each of `page_pool.WORKERS` cores, and shows its progress. Raises DataError
    where MNIST or the typefaces are not available.
    """
    count = pages if split == "train" else max(1, round(HELD_OUT * pages))
    name = f"{split}-{count}" + (f"-without-{without}" if without else "")
    camera = _kept(name, lambda: of_pages(partial(_of_page, split, without), count, f"{split} pages"))
    return Crops(camera, written_of(split))


def _kept(name: str, make: Callable[[], Digits]) -> Digits:
    """Return the digits cached under this name and the hash of the code; make and cache them where there are none."""
    folder = dataset.cache_folder().with_name("crops")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{_fingerprint()[:16]}.npz"
    with filelock.FileLock(folder / f".{path.stem}.lock"):
        if not path.is_file():
            arrays = make()._asdict()
            write_whole(path, lambda temporary: np.savez_compressed(temporary, **arrays))
            same = folder.glob(f"{name}-{'[0-9a-f]' * 16}.npz")
            for old in sorted(same, key=lambda old: -old.stat().st_mtime)[KEPT:]:
                old.unlink()
    with np.load(path, allow_pickle=False) as saved:
        return Digits(saved["images"], saved["labels"])


def _fingerprint() -> str:
    """Return a hash of the code and the data that make the crops."""
    data = (dataset.SHA256, fonts.FONTS, photographs.PHOTOGRAPHS)
    digest = hashlib.sha256(repr([sorted(each.items()) for each in data]).encode())
    own = (fonts, matches, pen, penmanship, photographs, styles)
    for path in [*_runtime_sources(), *(Path(module.__file__ or "") for module in own)]:
        digest.update(path.read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _runtime_sources() -> list[Path]:
    """Return only the runtime's files that crops depend on: a change to cameras needs no new crops."""
    graph = grimp.build_graph("edge_runtime", cache_dir=None)
    used = {f"edge_runtime.{name}" for name in PASSED_THROUGH}
    used = used.union(*(graph.find_upstream_modules(name) for name in used))
    folder = Path(edge_runtime.__file__).parents[1]
    return [folder / f"{name.replace('.', '/')}.py" for name in sorted(used)]


def _of_page(split: Split, without: Scene | None, number: int) -> Digits:
    rng = np.random.default_rng([SEED, zlib.crc32(split.encode()), number])
    return crops(draw(split, rng, without), rng)


def crops(page: Page, rng: np.random.Generator) -> Digits:
    """Return the candidates of a page that are clearly digits or clearly non-digits, with their labels.

    In random order, the first of those that show the same ink (see SAME) stays, and of the non-digits of each polarity
    the first BESIDE that touch digits and the first ELSEWHERE.
    """
    planes = ink_planes(page.pixels)
    candidates = offered(planes, rng)
    height, width = page.pixels.shape[:2]
    boxes = [one.box.scaled((width, height), planes[one.plane].scale) for one in candidates]
    light = [planes[candidate.plane].light for candidate in candidates]
    matched = [judge(box, [digit.box for digit in page.digits]) for box in boxes]
    # A match with a digit on a plane of the other polarity is the paper in and around it.
    written = [is_light for is_light, which in zip(light, matched, strict=True) if which is not None and which >= 0]
    chalk = 2 * sum(written) > len(written)
    beside = [touches(box, [digit.box for digit in page.digits]) for box in boxes]
    left = {(is_light, near): BESIDE if near else ELSEWHERE for is_light in (True, False) for near in (True, False)}
    kept: list[int] = []
    images, labels = [], []
    for i in rng.permutation(len(candidates)).tolist():
        which = matched[i]
        if which is None or (light[i] != chalk if which >= 0 else not left[light[i], beside[i]]):
            continue
        if any(light[i] == light[k] and alike(boxes[i], boxes[k]) > SAME for k in kept):
            continue
        image = normalize(candidates[i].ink)
        if which < 0 and is_stroke(image):
            continue
        kept.append(i)
        images.append(image)
        labels.append(int(page.digits[which].label) if which >= 0 else NOT_A_DIGIT)
        left[light[i], beside[i]] -= which < 0
    return Digits(np.array(images, np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8))


def offered(planes: Sequence[Plane], rng: np.random.Generator) -> list[Candidate]:
    """Return every region that the classifier runs on, and all candidates that splits and merges may make of them.

    The classifier's scores decide which regions stay whole and which yield to their parts. Here the scores are random,
    and low enough for splits. Every plane counts.
    """
    regions = find_regions(planes)
    count = len(regions)
    alone = [Candidate(region.box, region.ink, region.plane, frozenset(), i, region.attached)
             for i, region in enumerate(regions) if region.ink is not None]  # fmt: skip
    glyphs = columns(
        [region.box for region in regions], [region.plane for region in regions], [plane.scale for plane in planes],
        SURE * rng.random((count, 1)), (np.ones(count), np.ones(count)), [False] * count,
        [region.attached for region in regions], knows_others=True, one=None,
    )  # fmt: skip
    stand = standing(glyphs, [region.parent for region in regions])
    glyphs = glyphs.take(stand)
    made: list[Candidate] = []
    for plane in range(len(planes)):  # one by one: each plane then gets the full budget of splits
        scores = np.zeros(len(planes))
        scores[plane] = 1
        model = PageModel(
            scores=scores,
            plane=plane,
            height=1.0,
            darkness=np.full(len(planes), np.nan),
            stroke_width=None,
            attached=0.0,
        )
        proposed = propose(regions, stand, glyphs, model, work_budget(planes[0].ink.size))
        made += [candidate for candidate in proposed if candidate.region is None]
    return alone + made


def draw(split: Split, rng: np.random.Generator, without: Scene | None = None) -> Page:
    """Draw a page in a random style; `without` leaves out one kind of scene."""
    look = style(rng, without)
    count = int(rng.integers(0, 4)) if len(look.distractors) and rng.random() < 0.4 else int(rng.integers(4, 15))
    digits = _digits(split, count, rng)
    letters = [fonts.stamp(name, character) for name in rng.choice(fonts.names(split == "held_out"), 1)
               for character in fonts.LETTERS]  # fmt: skip
    ground = None
    if look.desk and rng.random() < PHOTOGRAPHED:
        ground = photographs.photograph(str(rng.choice(photographs.names(split == "held_out"))))
    for fewer in range(count, 0, -1):
        try:
            return draw_page(digits.images[:fewer], digits.labels[:fewer], rng, look, letters, ground)
        except DoNotFit:
            continue
    return draw_page(digits.images[:0], digits.labels[:0], rng, look, letters, ground)


def _digits(split: Split, count: int, rng: np.random.Generator) -> Digits:
    images, labels = [], []
    own, written = dataset_of(split), written_of(split)
    digits = np.flatnonzero(written.labels != NOT_A_DIGIT)
    for _ in range(count):
        source, i = (own, rng.integers(len(own.images)))
        if rng.random() < WRITTEN_SHARE:
            source, i = written, digits[rng.integers(len(digits))]
        images.append(source.images[i])
        labels.append(source.labels[i])
    return Digits(np.array(images, np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8))


@cache
def dataset_of(split: Split) -> Digits:
    """Return the split of MNIST, read once in each process."""
    return dataset.load(split)


@cache
def written_of(split: Split) -> Digits:
    """Return `Crops.written` of a split, from the cache or newly drawn.

    Raises DataError where the typefaces are not available.
    """
    return _kept(f"{split}-written", lambda: _draw_written(split))


def _draw_written(split: Split) -> Digits:
    """Draw the typefaces' characters, each in several pens, slants and sizes, and digits of other forms."""
    rng = np.random.default_rng([SEED, zlib.crc32(split.encode())])
    images, labels = [], []
    for name in fonts.names(split == "held_out"):
        kinds = {"digits": fonts.DIGITS, "letters": fonts.LETTERS, "brackets": fonts.BRACKETS}
        for kind, characters in kinds.items():
            for character in characters:
                for _ in range(VARIANTS[kind]):
                    images.append(normalize(vary(fonts.stamp(name, character), rng)))
                    labels.append(int(character) if kind == "digits" else NOT_A_DIGIT)
    drawn = penmanship.write(FORMS, rng)
    images, labels = [*images, *drawn.images], [*labels, *drawn.labels]
    return Digits(np.array(images, np.uint8), np.array(labels, np.uint8))


def vary(stamp: Uint8, rng: np.random.Generator) -> Uint8:
    """Return a character, uint8 (rows, columns), bright on 0, with a random slant, pen and size."""
    padded = cv2.copyMakeBorder(stamp, 24, 24, 60, 60, cv2.BORDER_CONSTANT, value=0)
    rows, columns = padded.shape
    slant, angle, wide = rng.uniform(-0.25, 0.25), np.radians(rng.uniform(-8, 8)), rng.uniform(0.8, 1.25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.array([[wide, slant], [0, 1]])
    middle = np.array([columns / 2, rows / 2])
    bent = cv2.warpAffine(padded, np.column_stack([linear, middle - linear @ middle]), (columns, rows))
    inked = with_pen(np.asarray(bent, np.uint8), int(rng.integers(-3, 6)))
    scale = float(rng.uniform(36, 110)) / rows
    small = cv2.resize(inked, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.3, 1.2))), np.uint8)


def parts(digits: Digits) -> Iterator[Digits]:
    """Yield the digits among crops, then the non-digits."""
    none: NDArray[np.bool_] = digits.labels == NOT_A_DIGIT
    for chosen in (~none, none):
        yield Digits(digits.images[chosen], digits.labels[chosen])


if __name__ == "__main__":
    for each in ("train", "held_out"):
        made = load(each, Mix().pages)
        print(f"{each}: {len(made.camera.labels):,} candidates from pages, {len(made.written.labels):,} characters")
