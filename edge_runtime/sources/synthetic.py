"""Generated pages as a camera would show them, for trying everything without one: synthetic:SEED."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Uint8
from edge_runtime.sources.live import Capture

FPS = 10
SHOWN = 30  # frames that show a page
BARE = 10  # frames of blank paper after it
DIGITS = 12  # digits on a page
SHAKE = 1.5  # pixels, standard deviation
SAMPLES = Path(__file__).parents[1] / "samples" / "digits.npz"  # from MNIST's training digits


def opener(name: str) -> Callable[[], Capture]:
    """Return a function that opens the generated camera of the name's seed, by default 0."""
    seed = int(name.partition(":")[2] or 0)
    return lambda: SyntheticCamera(seed)


class SyntheticCamera:
    """A camera that shows one page after another, with hand tremor; the same seed shows the same pages."""

    def __init__(self, seed: int, fps: float = FPS) -> None:
        self._rng = np.random.default_rng(seed)
        with np.load(SAMPLES) as archive:
            self._digits, self._labels = archive["images"], archive["labels"]
        self._interval, self._next, self._count = 1 / fps, time.monotonic(), 0

    def read(self) -> Uint8:
        """Wait until the next frame is due, and return it, uint8 (480, 640, 3)."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._interval
        phase = self._count % (SHOWN + BARE)
        if phase in (0, SHOWN):
            self._page = self._drawn(0 if phase else DIGITS)
        self._count += 1
        x, y = self._rng.normal(0, SHAKE, 2)
        height, width = self._page.shape[:2]
        moved = cv2.warpAffine(
            self._page, np.array([[1, 0, x], [0, 1, y]]), (width, height), borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(moved, np.uint8)

    def close(self) -> None:
        """Do nothing."""

    def _drawn(self, count: int) -> Uint8:
        chosen = self._rng.choice(len(self._digits), count, replace=False)
        return draw_page(self._digits[chosen], self._labels[chosen], self._rng, PageStyle()).pixels
