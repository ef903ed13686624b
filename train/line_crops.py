"""Digits as the runtime cuts them out of drawn lines, where its line network reads the whole line right.

These have bits of their neighbors on them, and are in every form that `train.strings` knows.
"""

import zlib
from functools import cache, partial

import numpy as np

from edge_runtime import model_file
from edge_runtime.errors import ModelError
from edge_runtime.line_network import LineNetwork
from edge_runtime.vision.normalize import normalize_all
from edge_runtime.vision.planes import ink_planes
from edge_runtime.whole_line import HEIGHTS, inks_of, views_of_picture
from train import strings
from train.dataset import Digits
from train.page_pool import of_pages
from train.strings import Split

SEED = 20_261_129


def load(split: Split, lines: int) -> Digits:
    """Return the digits of so many drawn lines of a split, those that are read right, in the 28x28 contract.

    Takes 10 ms a line on each of `page_pool.WORKERS` cores, and shows how far it is. Raises DataError where MNIST or
    the typefaces cannot be had.
    """
    return of_pages(partial(of_line, split), lines, f"{split} lines")


def of_line(split: Split, number: int) -> Digits:
    """Draw a line, and return its digits as one of the views that the network reads right shows them, if any does."""
    rng = np.random.default_rng([SEED, zlib.crc32(split.encode()), number])
    picture, labels = strings.picture(strings.hands(split), rng)
    plane = next(plane for plane in ink_planes(picture) if not plane.light)
    views = views_of_picture(_network(), plane, [float(rng.choice(HEIGHTS))], None)
    right = [view for view in views if labels and view.text.labels == labels]
    if not right:
        return Digits(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
    view = right[rng.integers(len(right))]
    return Digits(normalize_all(inks_of(view)), np.array(labels, np.uint8))


@cache
def _network() -> LineNetwork:
    model = model_file.read(model_file.SHIPPED)
    if model.line is None:
        raise ModelError(f"{model.path} has no line network")
    return LineNetwork(model.path, model.line, 1)
