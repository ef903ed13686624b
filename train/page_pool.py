"""Gather examples from many drawn pages in several processes, with a progress bar."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from train import fonts, photographs
from train.progress import reported

WORKERS = 2
CHUNK = 20  # pages that a process takes at a time, if there are enough
S = TypeVar("S", bound=tuple[NDArray[Any], ...])  # a NamedTuple of arrays, a row for each example


def of_pages(examples: Callable[[int], S], pages: int, name: str = "pages") -> S:
    """Return the examples of the pages 0 to `pages` - 1, in this order, in one sample.

    Raises DataError where the typefaces and photographs for the pages are not available.
    """
    fonts.stamp(fonts.names(False)[0], "0")  # fetches the typefaces once, before several processes start
    photographs.photograph(photographs.names(False)[0])
    parts: list[S] = []
    if pages < CHUNK:  # less work than starting other processes
        parts += reported(map(examples, range(pages)), name, pages)
    else:
        chunk = max(1, min(CHUNK, pages // (4 * WORKERS)))
        with ProcessPoolExecutor(WORKERS, get_context("spawn"), cv2.setNumThreads, (1,)) as pool:
            results = pool.map(examples, range(pages), chunksize=chunk)
            parts += reported(results, name, pages)
    return type(parts[0])(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
