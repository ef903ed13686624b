import numpy as np
import pytest

from train.line import BATCH, WIDTH, Lines, batches, chunk


@pytest.fixture(scope="module")
def lines() -> Lines:
    return chunk("held_out", 1, 0)


def test_every_line_is_in_one_batch_whole(lines: Lines) -> None:
    made = list(batches(lines, 3))
    assert len(made) == len(lines.digits) // BATCH
    assert sorted(digits.tobytes() for _, rows in made for digits in rows) == sorted(map(bytes, lines.digits))
    for strips, _ in made:
        assert strips.shape == (BATCH, 32, strips.shape[2], 1)
        assert strips.shape[2] % WIDTH == 0
    assert sum(int(strips.sum()) for strips, _ in made) == int(lines.strips.sum())


def test_lines_of_like_width_share_shuffled_batches(lines: Lines) -> None:
    widths = [[strips.shape[2] for strips, _ in batches(lines, seed)] for seed in (1, 2)]
    assert sorted(widths[0]) == sorted(widths[1])
    assert widths[0] != widths[1]
    assert np.mean(widths) < 256 * 0.8


def test_a_chunk_is_repeatable_and_unlike_others(lines: Lines) -> None:
    again, other = chunk("held_out", 1, 0), chunk("held_out", 1, 1)
    assert np.array_equal(lines.strips, again.strips)
    assert not np.array_equal(lines.digits, other.digits)
