"""What OpenCV's own sample for digits in a video does, written anew in few lines, as a reference.

The sample (samples/python/digits_video.py, digits.py) thresholds locally, keeps outer contours as high as a digit, and
classifies each by its histogram of gradients, learned from 5,000 of MNIST's training digits (digits.png). Here these
are the first 5,000 digits of the project's training split, centered as MNIST is, and the sample's nearest neighbors
take the place of its support vectors, since OpenCV 5 has no `ml`. The sample writes no lines: here edge-digits'
grouping joins its digits.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.readers.loading import load
from edge_runtime.records import Box, Uint8
from edge_runtime.vision.lines import group_into_lines
from train import dataset

# The sample's numbers.
LEARNED = 5000  # digits
NEIGHBORS = 4
WINDOW, DARKER = 31, 10  # of the threshold: pixels, gray levels
HEIGHTS, BROADEST = (16, 64), 1.2  # pixels; widths for each height
BINS = 16  # of a histogram of gradients


def opened(kind: str) -> tuple[Callable[[str], Uint8], Callable[[Uint8], list[str]]]:
    """Return what loads a picture, and what reads it; one thread. Raises DataError without MNIST."""
    cv2.setNumThreads(1)
    digits = dataset.load("train")
    learned = np.stack([gradients(image) for image in digits.images[:LEARNED]])
    matcher = cv2.BFMatcher(cv2.NORM_L2)

    def read(pixels: Uint8) -> list[str]:
        candidates = regions(pixels)
        if not candidates:
            return []
        near = matcher.knnMatch(np.stack([gradients(ink) for _, ink in candidates]), learned, k=NEIGHBORS)
        labels = [np.bincount([digits.labels[match.trainIdx] for match in matches]).argmax() for matches in near]
        lines = group_into_lines([box for box, _ in candidates])
        return ["".join(str(labels[i]) for word in line for i in word) for line in lines]

    return load, read


def regions(pixels: Uint8) -> list[tuple[Box, Uint8]]:
    """Return what may be a digit: its box and its ink, uint8 (28, 28), 20 high or broad around its center of mass."""
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    dark = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, WINDOW, DARKER)
    ink = cv2.medianBlur(dark, 3)
    candidates = []
    for contour in cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
        box = Box(*cv2.boundingRect(contour))
        inside = ink[box.y : box.bottom, box.x : box.right]
        if HEIGHTS[0] <= box.height <= HEIGHTS[1] and box.width <= BROADEST * box.height:
            scale, mass = 20 / max(box.width, box.height), cv2.moments(inside)
            shift = [14 - scale * mass[first] / mass["m00"] for first in ("m10", "m01")]
            moved = cv2.warpAffine(inside, np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]), (28, 28))
            candidates.append((box, np.asarray(moved, np.uint8)))
    return candidates


def gradients(image: Uint8) -> NDArray[np.float32]:
    """Return an image's directions of gradients in each quarter, float32 (4 * BINS,), weighted by their strength."""
    strength, angle = cv2.cartToPolar(cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1))
    bins = (BINS * angle / (2 * np.pi)).astype(int) % BINS
    quarters = np.repeat(np.repeat([[0, 1], [2, 3]], 14, axis=0), 14, axis=1)
    counts = np.bincount((quarters * BINS + bins).ravel(), strength.ravel(), 4 * BINS)
    return np.asarray(np.sqrt(counts / max(counts.sum(), 1e-7)), np.float32)  # for Hellinger's distance
