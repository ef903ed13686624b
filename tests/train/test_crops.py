import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.pages.draw import Page, draw_page
from edge_runtime.pages.style import PageStyle
from edge_runtime.records import Box
from edge_runtime.vision.planes import ink_planes
from edge_runtime.vision.regions import find_regions
from train import crops, dataset, matches
from train.crops import NOT_A_DIGIT
from train.matches import judge
from train.styles import style

DIGIT, OTHER = Box(100, 100, 40, 60), Box(150, 100, 40, 60)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (DIGIT, 0),
        (OTHER, 1),
        (Box(102, 101, 38, 58), 0),  # nearly all of it
        (Box(100, 100, 90, 60), -1),  # both together
        (Box(100, 100, 40, 28), -1),  # half of one
        (Box(100, 100, 40, 40), None),  # two thirds of one: who knows
        (Box(300, 300, 40, 60), -1),  # something else
        (Box(100, 100, 12, 60), -1),  # a stroke of one
    ],
)
def test_a_candidate_holding_one_whole_digit_is_one(box: Box, expected: int | None) -> None:
    assert judge(box, [DIGIT, OTHER]) == expected


def test_on_a_page_without_digits_everything_is_none() -> None:
    assert judge(DIGIT, []) == -1


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (((14, 4), (14, 24)), True),
        (((9, 4), (19, 24)), True),  # leaning
        (((4, 14), (24, 14)), False),  # a dash
        (((8, 4), (20, 4), (12, 24)), False),  # a 7
    ],
)
def test_any_upright_stroke_looks_like_a_1(points: tuple[tuple[int, int], ...], expected: bool) -> None:
    image = np.zeros((28, 28), np.uint8)
    cv2.polylines(image, [np.array(points, np.int32)], False, 255, 3)
    assert matches.is_stroke(image) is expected


def test_a_plain_page_gives_its_digits() -> None:
    digits = dataset.load("held_out")
    page = draw_page(digits.images[:8], digits.labels[:8], np.random.default_rng(1), PageStyle(digit_height=(40, 40)))
    taken = crops.crops(page, np.random.default_rng(1))
    assert taken.images.shape[1:] == (28, 28)
    # A digit without the end of its tail may be taken too, and still is that digit.
    assert set(taken.labels[taken.labels != NOT_A_DIGIT].tolist()) == set(digits.labels[:8].tolist())
    assert (taken.labels != NOT_A_DIGIT).sum() >= 8


def test_touching_digits_give_pairs_and_non_digits() -> None:
    digits = dataset.load("held_out")
    look = PageStyle(digit_height=(40, 40), touching=1.0)
    page = draw_page(digits.images[:8], digits.labels[:8], np.random.default_rng(1), look)
    labels = crops.crops(page, np.random.default_rng(1)).labels
    assert (labels == NOT_A_DIGIT).sum() >= 4
    assert (labels != NOT_A_DIGIT).sum() >= 4


def test_light_digits_are_digits_their_paper_is_not() -> None:
    digits = dataset.load("held_out")
    for light in (False, True):
        look = PageStyle(digit_height=(40, 40), light_on_dark=light)
        page = draw_page(digits.images[:8], digits.labels[:8], np.random.default_rng(1), look)
        taken = crops.crops(page, np.random.default_rng(1))
        which = taken.labels != NOT_A_DIGIT
        assert sorted(set(taken.labels[which].tolist())) == sorted(set(digits.labels[:8].tolist()))
        # Paper fills the box that its ink is scaled to; strokes do not.
        assert np.count_nonzero(taken.images[which] > 127, axis=(1, 2)).max() < 0.6 * 20 * 20


def test_equal_ink_is_taken_once() -> None:
    digits = dataset.load("held_out")
    look = PageStyle(digit_height=(40, 40), ruling="squares", noise=(10, 10), distractors=(("words", 5),))
    page = draw_page(digits.images[:8], digits.labels[:8], np.random.default_rng(1), look)
    selections = [crops.crops(page, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    planes = ink_planes(page.pixels)
    assert len(crops.offered(planes, np.random.default_rng(1))) > 4 * len(selections[0].labels)
    for each in selections:
        assert (each.labels == NOT_A_DIGIT).sum() <= 2 * (crops.BESIDE + crops.ELSEWHERE)
        assert 6 <= (each.labels != NOT_A_DIGIT).sum() <= 10
    assert np.array_equal(selections[0].images, selections[1].images)
    assert not np.array_equal(selections[0].images, selections[2].images)  # another choice, of the same page


def test_every_region_piece_and_union_is_offered() -> None:
    digits = dataset.load("held_out")
    look = PageStyle(digit_height=(40, 40), touching=1.0)
    page = draw_page(digits.images[:8], digits.labels[:8], np.random.default_rng(1), look)
    planes = ink_planes(page.pixels)
    candidates = crops.offered(planes, np.random.default_rng(1))
    regions = [i for i, region in enumerate(find_regions(planes)) if region.ink is not None]
    assert [candidate.region for candidate in candidates if candidate.region is not None] == regions
    made = [candidate for candidate in candidates if candidate.region is None]
    assert len({candidate.plane for candidate in made}) > 1
    truth = [digit.box for digit in page.digits]
    judgments = {matches.judge(one.box.scaled(look.size, planes[one.plane].scale), truth) for one in made}
    assert len(judgments & set(range(8))) >= 4  # digits that only a split takes apart


def test_a_blank_page_gives_nothing() -> None:
    blank = Page(np.full((60, 80, 3), 230, np.uint8), ())
    taken = crops.crops(blank, np.random.default_rng(1))
    assert taken.images.shape == (0, 28, 28)
    assert taken.labels.shape == (0,)


def test_pages_are_repeatable_and_differ_by_split() -> None:
    one, other = (crops.draw("held_out", np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one.pixels, other.pixels)
    styles = [style(np.random.default_rng(seed)) for seed in range(200)]
    assert len(set(styles)) == 200
    assert {look.light_on_dark for look in styles} == {True, False}
    assert {look.ruling for look in styles} == {"none", "lines", "squares"}
    assert any(look.touching for look in styles)
    assert any(look.distractors for look in styles)


def test_crops_are_kept_and_come_back_the_same() -> None:
    first = crops.load("held_out", 20)  # three pages
    crops.written_of.cache_clear()
    again = crops.load("held_out", 20)
    assert all(
        np.array_equal(one, other)
        for part, back in zip(first, again, strict=True)
        for one, other in zip(part, back, strict=True)
    )
    digits, others = crops.parts(first.camera)
    assert (digits.labels < NOT_A_DIGIT).all()
    assert (others.labels == NOT_A_DIGIT).all()
    assert len(digits.labels) + len(others.labels) == len(first.camera.labels)
    written = first.written.labels
    assert (written < NOT_A_DIGIT).sum() > (written == NOT_A_DIGIT).sum() / 5 > 0


def test_old_crops_make_room_for_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "cache_folder", lambda: tmp_path / "mnist")
    few = dataset.Digits(np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8))
    monkeypatch.setattr(crops, "of_pages", lambda *_: few)
    monkeypatch.setattr(crops, "written_of", lambda *_: few)
    for number in range(crops.KEPT + 2):
        monkeypatch.setattr(crops, "_fingerprint", f"{number:016}".__str__)
        crops.load("held_out", 20)
        path = tmp_path / "crops" / f"held_out-3-{number:016}.npz"
        os.utime(path, (number, number))
    kept = sorted(path.name for path in (tmp_path / "crops").glob("*.npz"))
    assert kept == [f"held_out-3-{number:016}.npz" for number in range(2, crops.KEPT + 2)]


def test_crops_are_redrawn_only_after_relevant_changes() -> None:
    names = {path.stem for path in crops._runtime_sources()}
    assert names >= {"planes", "regions", "candidates", "splits", "merges", "normalize", "strokes", "draw"}
    assert names.isdisjoint({"__init__", "cli", "reader", "classifier", "selection", "rejection"})
    assert all(path.is_file() for path in crops._runtime_sources())
