"""Progress of a measurement: a bar with the time left on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Tick = Callable[[], None]


@contextmanager
def progress(name: str, steps: int) -> Iterator[Tick]:
    """Show the progress of a part; the caller calls the yielded function once a step."""
    if not sys.stderr.isatty():
        print(f"measuring: {name}", file=sys.stderr, flush=True)
    with tqdm(total=steps, desc=name, disable=not sys.stderr.isatty()) as bar:

        def step() -> None:
            if bar.n < steps:
                bar.update()

        yield step
