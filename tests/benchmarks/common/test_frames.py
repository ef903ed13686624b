"""The frames to be timed are what their names say, and the same every time."""

import numpy as np
import pytest

from benchmarks.common import frames
from benchmarks.speed import whole_frame
from edge_runtime.records import Uint8

NEGATIVE = whole_frame.NEGATIVE


@pytest.fixture(scope="module")
def hard() -> dict[str, Uint8]:
    return frames.frames()


def test_every_frame_is_640x480_in_color(hard: dict[str, Uint8]) -> None:
    assert {(frame.shape, frame.dtype) for frame in hard.values()} == {((480, 640, 3), np.dtype(np.uint8))}


def test_every_frame_comes_with_its_negative(hard: dict[str, Uint8]) -> None:
    names = [name for name in hard if not name.endswith(NEGATIVE)]
    assert len(hard) == 2 * len(names)
    for name in names:
        np.testing.assert_array_equal(hard[name + NEGATIVE], 255 - hard[name])


def test_no_two_frames_are_the_same(hard: dict[str, Uint8]) -> None:
    assert len({frame.tobytes() for frame in hard.values()}) == len(hard)


def test_frames_are_the_same_on_every_call(hard: dict[str, Uint8]) -> None:
    again = frames.frames()
    assert list(again) == list(hard)
    assert all(np.array_equal(again[name], hard[name]) for name in hard)


def test_checkerboard_and_dots_are_what_they_are_called(hard: dict[str, Uint8]) -> None:
    board, dots = hard["checkerboard of 2"][:, :, 0], hard["dots every 5"][:, :, 0]
    assert board[:4, :4].tolist() == [[25, 25, 235, 235]] * 2 + [[235, 235, 25, 25]] * 2
    assert np.flatnonzero(dots[5] == 25).tolist() == list(range(0, 640, 5))
    assert np.flatnonzero(dots[:, 5] == 25).tolist() == list(range(0, 480, 5))


@pytest.mark.parametrize("percent", [1, 10, 50])
def test_salt_and_pepper_have_their_density(percent: int, hard: dict[str, Uint8]) -> None:
    share = np.mean(hard[f"salt and pepper {percent} %"][:, :, 0] != 128)
    assert share == pytest.approx(percent / 100, rel=0.05)


def test_a_lattice_and_fields_join_marks_in_pencil(hard: dict[str, Uint8]) -> None:
    for name in ("digits 12 high on a lattice", "digits on fields"):
        assert np.isin([frames.PAPER, frames.PENCIL, frames.PEN], hard[name]).all()
