import zlib

import numpy as np

from train import line_crops, strings


def drawn(number: int) -> tuple[int, ...]:
    """Return the digits of a line that `line_crops` draws."""
    rng = np.random.default_rng([line_crops.SEED, zlib.crc32(b"train"), number])
    return strings.picture(strings.hands("train"), rng)[1]


def test_digits_of_lines_that_are_read_right_bear_their_labels() -> None:
    lines = [line_crops.of_line("train", number) for number in range(12)]
    labels = [tuple(line.labels.tolist()) for line in lines]
    assert all(own in ((), drawn(number)) for number, own in enumerate(labels))
    assert sum(bool(own) for own in labels) >= 4
    for line in lines:
        assert line.images.shape == (len(line.labels), 28, 28)
        assert line.images.dtype == np.uint8
        assert all(image.max() > 127 for image in line.images)


def test_a_line_is_the_same_each_time_and_another_in_another_split() -> None:
    one, again, other = (line_crops.of_line(split, 3) for split in ("train", "train", "held_out"))
    assert np.array_equal(one.images, again.images)
    assert not np.array_equal(one.images, other.images)
