from typing import Any

import numpy as np
import pytest

from edge_runtime.pages.desk import drawn as desk
from edge_runtime.pages.draw import Page, PageStyle, draw_page
from edge_runtime.pages.style import BINDINGS, DESKS
from edge_runtime.records import Uint8

BARE: dict[str, Any] = {"grain": 0, "shade": 0, "blur": (0, 0), "paper": (250, 250), "desk": ("leather",)}


def sheet(digits: tuple[Uint8, Uint8], seed: int = 1, ground: Uint8 | None = None, **others: Any) -> Page:
    images, labels = (array[::40] for array in digits)
    return draw_page(images, labels, np.random.default_rng(seed), PageStyle(**{**BARE, **others}), ground=ground)


@pytest.mark.parametrize("kind", DESKS)
def test_desk_colors_are_in_range_and_vary(kind: str) -> None:
    one, same, other = (desk((kind,), (200, 120), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (3, 120, 200)
    assert one.min() >= 0
    assert one.max() <= 255
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_sheet_and_desk_take_their_shares(digits: tuple[Uint8, Uint8]) -> None:
    for seed in range(4):
        page = sheet(digits, seed, sheet=(0.6, 0.6))
        white = np.asarray((page.pixels > 150).all(axis=2))
        assert white.mean() == pytest.approx(0.36, abs=0.03)
        assert all(white[d.box.y - 3, d.box.x : d.box.right].all() for d in page.digits)


def test_a_picture_can_lie_around_the_sheet(digits: tuple[Uint8, Uint8]) -> None:
    green = np.full((90, 70, 3), (0, 200, 0), np.uint8)
    page = sheet(digits, ground=green, sheet=(0.5, 0.5))
    around = page.pixels[np.abs(page.pixels.astype(int) - (0, 200, 0)).max(axis=2) == 0]
    assert len(around) > 0.3 * 640 * 480


def test_a_dark_sheet_lies_on_the_same_desk(digits: tuple[Uint8, Uint8]) -> None:
    light, dark = (sheet(digits, sheet=(0.6, 0.6), light_on_dark=is_dark) for is_dark in (False, True))
    same = (light.pixels == dark.pixels).all(axis=2)
    assert 0.5 < same.mean() < 0.7
    assert light.digits == dark.digits


def test_a_torn_edge_is_ragged(digits: tuple[Uint8, Uint8]) -> None:
    straight, torn = (sheet(digits, sheet=(0.6, 0.6), torn=amount).pixels.mean(axis=2) > 150 for amount in (0, 0.02))
    edges = [np.abs(np.diff(white.astype(int), axis=1)).sum() for white in (straight, torn)]
    firsts = [white[:, white.any(axis=0)].argmax(axis=1) for white in (straight, torn)]
    assert edges[0] > 0
    assert np.std(firsts[1][firsts[1] > 0]) > np.std(firsts[0][firsts[0] > 0])


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_binding_changes_one_side_and_no_digit(digits: tuple[Uint8, Uint8], binding: str) -> None:
    plain, bound = (sheet(digits, 3, sheet=(0.7, 0.7), binding=kinds) for kinds in ((), (binding,)))
    assert plain.digits == bound.digits
    assert 0.001 < (plain.pixels != bound.pixels).any(axis=2).mean() < 0.6


def test_other_desks_and_bindings_are_refused() -> None:
    with pytest.raises(ValueError, match="desk one of plain, wood"):
        PageStyle(desk=("moon",))
    with pytest.raises(ValueError, match="binding one of spiral, book"):
        PageStyle(binding=("glue",))
    with pytest.raises(ValueError, match="unknown combination of layout circle"):
        PageStyle(layout="circle")  # type: ignore[arg-type]
