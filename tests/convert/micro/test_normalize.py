"""normalize.c against edge_runtime.vision.normalize."""

import platform
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_runtime.records import Uint8
from edge_runtime.sources import pictures
from edge_runtime.vision.normalize import normalize
from edge_runtime.vision.planes import ink_planes
from edge_runtime.vision.regions import find_regions
from tests.micro_sources import Sources, crops

# Levels: OpenCV on other processors may fuse a product and a sum, which the C sources never do.
ALLOWED = 0 if platform.machine() == "x86_64" else 1


def furthest(sources: Sources, inks: list[Uint8]) -> int:
    differences = [np.abs(sources.normalized(ink).astype(int) - normalize(ink)).max() for ink in inks]
    return int(max(differences))


def test_2000_crops_give_the_same_bytes(sources: Sources, digits: tuple[Uint8, Uint8]) -> None:
    assert furthest(sources, crops(digits[0], 2000)) <= ALLOWED


def test_regions_of_pages_give_the_same_bytes(sources: Sources, samples: Path) -> None:
    inks = []
    for page in ("paper.jpg", "blackboard.jpg"):
        planes = ink_planes(pictures.load(samples / page).pixels)
        inks += [region.ink for region in find_regions(planes) if region.ink is not None]
    assert len(inks) > 200
    assert furthest(sources, inks) <= ALLOWED


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_any_ink_gives_the_same_bytes(sources: Sources, ink: Uint8) -> None:
    assert furthest(sources, [ink]) <= ALLOWED


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (61, 60), (121, 119), (240, 320)])
def test_odd_shapes_give_the_same_bytes(shape: tuple[int, int], sources: Sources) -> None:
    rng = np.random.default_rng(1)
    assert furthest(sources, [rng.integers(0, 256, shape).astype(np.uint8), np.full(shape, 200, np.uint8)]) <= ALLOWED


def test_no_ink_is_an_empty_digit(sources: Sources) -> None:
    assert not sources.normalized(np.zeros((30, 20), np.uint8)).any()


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5), (4097, 5), (5, 4097)])
def test_impossible_sizes_are_refused(size: tuple[int, int], sources: Sources) -> None:
    functions = sources.library.digits_normalize_ink, sources.library.digits_normalize_gray
    assert [function(None, *size, None) for function in functions] == [-1, -1]
    assert sources.library.digits_normalize_bitmap(None, *size, None, None) == -1


@pytest.mark.parametrize("light_on_dark", [False, True])
def test_gray_crops_lose_their_paper(light_on_dark: bool, sources: Sources, digits: tuple[Uint8, Uint8]) -> None:
    for image in digits[0][:50]:
        ink = np.pad(image, 10) // 2
        gray = 40 + ink if light_on_dark else 210 - ink
        assert (sources.normalized(gray.astype(np.uint8), "gray") == sources.normalized(ink)).all()


def test_bitmaps_are_ink_of_one_darkness(sources: Sources, digits: tuple[Uint8, Uint8]) -> None:
    for image in digits[0][:50]:
        bitmap = (image[:, :27] > 127).astype(np.uint8)  # the last byte of a row is not full
        assert (sources.normalized_bitmap(bitmap) == sources.normalized(255 * bitmap)).all()
