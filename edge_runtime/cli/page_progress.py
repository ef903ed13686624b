"""The progress of a batch: a bar with the rate and the time left on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import click

INTERVAL = 10.0  # seconds between two lines
MOST_ERRORS = 20  # that are printed; the column `error` has all


class PageProgress:
    """Follows a batch, as `batch.run.Observer`: prints what is read, and the first errors."""

    def __init__(self, write: Callable[[str], object], bar: Any, total: Callable[[], int | None]) -> None:
        self._write, self._bar, self._total = write, bar, total
        self._started = self._last = time.monotonic()
        self.pages = self._before = self._errors = 0

    def begins(self, done: int) -> None:
        """Say how many pages earlier runs have read."""
        self._before = done
        if done:
            self._write(f"{done:,} pages are read already; going on from there")
        self._started = self._last = time.monotonic()

    def advances(self, pages: int) -> None:
        """Move the bar, or print a line if the last one is INTERVAL seconds old."""
        self.pages += pages
        now = time.monotonic()
        rate = f"{self.pages / max(now - self._started, 1e-6):.1f} pages a second"
        if self._bar is not None:
            total = self._total()
            if total is not None:
                self._bar.length = max(total - self._before, self.pages)
            self._bar.update(pages, rate)
        elif now - self._last >= INTERVAL:
            self._last = now
            self._write(f"{self._before + self.pages:,} pages, {rate}")

    def fails(self, page: str, reason: str) -> None:
        """Print an error, if there were not many before."""
        self._errors += 1
        if self._bar is not None and self._errors <= MOST_ERRORS:
            click.echo(err=True)  # a line of its own, below the bar
        if self._errors <= MOST_ERRORS:
            self._write(f"error: {page}: {reason}")
        if self._errors == MOST_ERRORS:
            self._write("further errors are in the column error alone")


@contextmanager
def page_progress(
    write: Callable[[str], object], names: Sequence[str], column: str, sample: int | None
) -> Iterator[PageProgress]:
    """Yield what follows a batch. On a terminal, pages of local inputs are counted meanwhile, for the time left."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield PageProgress(write, None, lambda: None)
        return
    from edge_runtime.batch.addresses import SCHEME
    from edge_runtime.batch.count import Count

    with ExitStack() as stack:
        local = not any(SCHEME.match(name) for name in names)  # elsewhere, counting may be to fetch all of it
        count = stack.enter_context(Count(names, column)) if local else None
        endless = iter(int, 1)  # click needs a length, or something without one
        bar = stack.enter_context(
            click.progressbar(endless, file=sys.stderr, show_pos=True, item_show_func=lambda rate: rate)
        )

        def total() -> int | None:
            if count is None:
                return None
            count.update()
            return count.pages if count.pages is None or sample is None else min(count.pages, sample)

        yield PageProgress(write, bar, total)
