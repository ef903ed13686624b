"""Progress of long work: a bar with the remaining time on a terminal, a few plain lines elsewhere."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

LINES = 10  # progress lines without a terminal
T = TypeVar("T")


def reported(items: Iterable[T], name: str, total: int) -> Iterator[T]:
    """Yield items, and report on standard error how many of `total` are done; `name` labels them."""
    terminal = sys.stderr.isatty()
    for i, item in enumerate(tqdm(items, name, total, disable=not terminal), 1):
        yield item
        if not terminal and i % max(1, total // LINES) == 0:
            print(f"{name}: {i}/{total}", file=sys.stderr, flush=True)
