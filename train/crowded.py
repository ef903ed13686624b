"""Digits with remnants of a cut: the ends of their neighbors' strokes, and bits of a printed rule.

Where digits touch, or a form is cut into fields, a digit is seldom alone; the remnants must not change its label.
"""

import cv2
import numpy as np

from edge_runtime.records import Uint8
from edge_runtime.vision.normalize import normalize
from train import crops, dataset
from train.crops import Split
from train.dataset import Digits

COUNT: dict[Split, int] = {"train": 40_000, "held_out": 4_000}
SEED = 20_261_124
LARGER = 2  # enlargement of the digits first: remnants of a neighbor are finer than MNIST's pixels
SIDES = 0.6  # probability of a remnant on the left, and on the right
RULE = 0.12  # probability of a rule above or below


def load(split: Split, pages: int) -> Digits:
    """Return COUNT such digits of a split: MNIST's, and the written ones of `crops.load`."""
    own, written = dataset.load(split), next(crops.parts(crops.load(split, pages).written))
    both = Digits(*(np.concatenate(arrays) for arrays in zip(own, written, strict=True)))
    return crowd(both, COUNT[split], np.random.default_rng([SEED, COUNT[split]]))


def crowd(digits: Digits, count: int, rng: np.random.Generator) -> Digits:
    """Return `count` random ones of `digits`, each with remnants beside it, in the 28x28 contract."""
    which = rng.integers(len(digits.images), size=(count, 3))
    images = [crowd_one(digits.images[i], digits.images[left], digits.images[right], rng) for i, left, right in which]
    return Digits(np.array(images, np.uint8).reshape(-1, 28, 28), digits.labels[which[:, 0]])


def crowd_one(digit: Uint8, left: Uint8, right: Uint8, rng: np.random.Generator) -> Uint8:
    """Return `digit`, uint8 (28, 28), in the contract, with the nearer ends of `left` and `right` beside it.

    A remnant is at most a third of the neighbor's width and of the digit's own; each occurs with probability SIDES.
    """
    own = _enlarged(digit)
    height, width = own.shape
    before, after = (int(rng.uniform(0, min(width, height / 2) / 3)) * (rng.random() < SIDES) for _ in range(2))
    top = len(digit) * LARGER  # no neighbor rises higher
    space = np.zeros((top + height + top, before + width + after), np.uint8)
    space[top : top + height, before : before + width] = own
    for neighbor, columns in ((left, slice(0, before)), (right, slice(before + width, None))):
        strip = space[:, columns]
        if strip.shape[1]:
            other = _enlarged(neighbor)
            seen = min(strip.shape[1], max(1, other.shape[1] // 3))
            high = int(top + (height - len(other)) / 2 + rng.uniform(-0.4, 0.4) * height)
            if columns.start == 0:
                strip[high : high + len(other), :seen] = other[:, -seen:]
            else:
                strip[high : high + len(other), -seen:] = other[:, :seen]
    # The cut also removes parts of the neighbor above and below the digit.
    margin = int(rng.uniform(0, height / 8))
    cut = space[top - margin : top + height + margin]
    if rng.random() < RULE:
        thick = int(rng.integers(1, 4))
        row = 0 if rng.random() < 0.5 else len(cut) - thick
        cut[row : row + thick, : int(rng.uniform(0.4, 1) * cut.shape[1])] = int(rng.integers(120, 256))
    return normalize(cut)


def _enlarged(digit: Uint8) -> Uint8:
    """Return a digit cropped to its ink and enlarged."""
    x, y, width, height = cv2.boundingRect(digit)
    own = digit[y : y + height, x : x + width]
    return np.asarray(cv2.resize(own, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_LINEAR), np.uint8)
