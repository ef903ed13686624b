import numpy as np
import pytest

from benchmarks.accuracy.letters import TYPEFACES, stamps
from edge_runtime.pages.distractors import LETTERS


@pytest.mark.parametrize("typeface", TYPEFACES)
def test_every_letter_is_cut_to_its_ink(typeface: str) -> None:
    drawn = stamps(typeface)
    assert len(drawn) == len(LETTERS)
    for letter, stamp in zip(LETTERS, drawn, strict=True):
        assert stamp.dtype == np.uint8
        assert min(stamp[0].max(), stamp[-1].max(), stamp[:, 0].max(), stamp[:, -1].max()) > 0
        assert stamp.max() == 255
        assert stamp.shape[0] > 40 if letter in "HKM" else stamp.shape[0] > 20
    assert len({stamp.tobytes() for stamp in drawn}) == len(LETTERS)


def test_no_letter_looks_like_a_digit() -> None:
    assert not set("0123456789OoQDlIiJjZzSsBbGgqCcPpTtYyeUu") & set(LETTERS)
    assert len(set(LETTERS)) == len(LETTERS)
