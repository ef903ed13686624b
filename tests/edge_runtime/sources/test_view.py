from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.errors import PictureError, SourceError
from edge_runtime.records import Box, Frame, Uint8
from edge_runtime.sources.view import CELL, View, cells, still, viewed

PICTURE = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3)  # [[0 1 2] [3 4 5]]


def seen(pixels: Uint8, **view: Any) -> list[Any]:
    (frame,) = viewed(iter([Frame(pixels, "a", 7, moving=True, dropped=2)]), View(**view))
    assert isinstance(frame, Frame)
    assert (frame.source, frame.index, frame.moving, frame.dropped) == ("a", 7, True, 2)
    return list(frame.pixels.tolist())


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ({}, [[0, 1, 2], [3, 4, 5]]),
        ({"rotate": 90}, [[3, 0], [4, 1], [5, 2]]),
        ({"rotate": 180}, [[5, 4, 3], [2, 1, 0]]),
        ({"rotate": 270}, [[2, 5], [1, 4], [0, 3]]),
        ({"flip": "horizontal"}, [[2, 1, 0], [5, 4, 3]]),
        ({"flip": "vertical"}, [[3, 4, 5], [0, 1, 2]]),
        ({"flip": "both"}, [[5, 4, 3], [2, 1, 0]]),
        ({"roi": Box(1, 0, 2, 1)}, [[1, 2]]),
        ({"rotate": 90, "flip": "horizontal", "roi": Box(0, 0, 1, 3)}, [[0], [1], [2]]),
    ],
)
def test_a_frame_is_turned_then_mirrored_then_cut(view: dict[str, Any], expected: list[list[int]]) -> None:
    assert seen(PICTURE, **view) == expected
    color = np.repeat(PICTURE[..., None], 3, axis=2)
    assert seen(color, **view) == [[[value] * 3 for value in row] for row in expected]


def test_a_region_outside_is_named_the_next_read() -> None:
    region = View(roi=Box(2, 0, 2, 2))
    small, large = viewed(iter([Frame(PICTURE, "a"), Frame(np.zeros((9, 9), np.uint8), "b")]), region)
    assert isinstance(small, PictureError)
    assert str(small) == "a: --roi 2,0,2,2 is outside this picture"
    assert isinstance(large, Frame)
    assert large.size == (2, 2)
    with pytest.raises(SourceError, match="a: --roi 2,0,2,2 is outside this picture"):
        list(viewed(iter([Frame(PICTURE, "a", moving=True)]), region))


def test_errors_pass_through() -> None:
    error = PictureError("x: no such file")
    assert list(viewed(iter([error]), View(rotate=90))) == [error]


def noisy(pixels: Uint8, deviation: float, seed: int) -> Uint8:
    noise = np.random.default_rng(seed).normal(0, deviation, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def test_a_thin_stroke_moves_but_noise_is_still() -> None:
    paper = np.full((480, 640), 210, np.uint8)
    written = paper.copy()
    cv2.line(written, (300, 200), (304, 230), 60, 2, cv2.LINE_AA)
    one, other, changed = cells(noisy(paper, 10, 1)), cells(noisy(paper, 10, 2)), cells(noisy(written, 10, 3))
    assert still(one, other)
    assert not still(one, changed)
    assert not still(None, one)
    assert not still(cells(paper[:100]), one)


@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_frames_of_any_size_have_cells(height: int, width: int, colored: bool) -> None:
    pixels = np.full((height, width, 3) if colored else (height, width), 77, np.uint8)
    grid = cells(pixels)
    assert grid.shape == (max(1, height // CELL), max(1, width // CELL))
    assert (grid == 77).all()
    assert still(grid, grid)
