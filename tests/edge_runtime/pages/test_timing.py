"""The pages to be timed: their size, and the same ones every time."""

import numpy as np
import pytest

from edge_runtime.pages import timing


@pytest.mark.parametrize(("size", "shape"), [((320, 240), (240, 320, 3)), ((1280, 720), (720, 1280, 3))])
def test_size_and_seed_decide_the_page(size: tuple[int, int], shape: tuple[int, ...]) -> None:
    page = timing.page(size, 3)
    assert (page.shape, page.dtype) == (shape, np.dtype(np.uint8))
    np.testing.assert_array_equal(page, timing.page(size, 3))
    assert not np.array_equal(page, timing.page(size, 4))


def test_a_photo_has_12_megapixels() -> None:
    photo = timing.photo(0)
    assert (photo.shape, photo.dtype) == ((3000, 4000, 3), np.dtype(np.uint8))
