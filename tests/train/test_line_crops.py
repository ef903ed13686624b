import numpy as np
import pytest

from train import line_crops, strings


def test_digits_of_lines_that_are_read_right_bear_their_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    picture = strings.picture
    monkeypatch.setattr(strings, "picture", lambda *given: drawn.append(picture(*given)) or drawn[-1])
    lines = [line_crops.of_line("train", number) for number in range(12)]
    read = [(tuple(line.labels.tolist()), labels) for line, (_, labels) in zip(lines, drawn, strict=True)]
    assert all(own in ((), labels) for own, labels in read)
    assert sum(bool(own) for own, _ in read) >= 4
    for line in lines:
        assert line.images.shape == (len(line.labels), 28, 28)
        assert line.images.dtype == np.uint8
        assert all(image.max() > 127 for image in line.images)


def test_a_line_is_the_same_each_time_and_another_in_another_split() -> None:
    one, again, other = (line_crops.of_line(split, 3) for split in ("train", "train", "held_out"))
    assert np.array_equal(one.images, again.images)
    assert not np.array_equal(one.images, other.images)
