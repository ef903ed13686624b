"""A pool of workers, each of which reads one set of pages at a time: rows come in the order of the pages.

A further set for each worker is ready, so that none waits, and memory stays bounded. A worker that dies, such as one
that the kernel kills for its memory, loses no page: a new one reads its set again, page by page, and a page that kills
a worker by itself becomes a row with that error.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

import pyarrow as pa

from edge_runtime.batch import parts
from edge_runtime.batch.contents import Page
from edge_runtime.batch.rows import error_row
from edge_runtime.errors import EdgeError
from edge_runtime.system.closing import Closing

SET = 8  # pages that a worker takes at a time: 0.1 s of work, against 1 ms to hand them over
IN_FLIGHT = 4 * SET  # pages for each worker that are loaded, being read, or wait for the rows of earlier pages


class PageSet(NamedTuple):
    """Pages for one worker, the first of which is number `start` of all.

    `alone` is the number of workers that a page may still end before it becomes a row with that error; None for pages
    that have not yet ended one.
    """

    start: int
    pages: list[Page]
    alone: int | None = None


def sets_of(pages: Iterator[Page]) -> Iterator[PageSet]:
    """Yield pages in sets of SET."""
    start = 0
    while taken := list(islice(pages, SET)):
        yield PageSet(start, taken)
        start += len(taken)


class Worker(ABC):
    """What reads one set of pages at a time, elsewhere. Its first answer says that it has started."""

    def __init__(self) -> None:
        self.ready, self.held = False, PageSet(0, [])

    @property
    def idle(self) -> bool:
        """Whether it waits for pages."""
        return self.ready and not self.held.pages

    def take(self, pages: PageSet) -> None:
        """Send it pages; where it has died, `answer` says so."""
        self.held = pages
        self.send(pages.pages)

    def answer(self) -> pa.RecordBatch | None:
        """Return the rows of the pages that it held; None when it has started. Raises as `receive` does."""
        answer = self.receive()
        if not self.ready:
            self.ready = True
            return None
        self.held = PageSet(0, [])
        return answer

    @abstractmethod
    def send(self, pages: list[Page]) -> None:
        """Send it pages, if it lives."""

    @abstractmethod
    def receive(self) -> Any:
        """Return its next answer. Raises EOFError where it has died, EdgeError where it cannot read at all."""

    @abstractmethod
    def end(self, dying: bool = False) -> str:
        """End it, unless it is `dying` by itself, and return how it ended, in a few words."""


W = TypeVar("W", bound=Worker)


class Pool(Closing, Generic[W]):
    """The workers, and the pages that are in flight.

    `start` starts a worker; `wait` waits until one or more of several workers have an answer or have died, and returns
    these. `model` is its name in rows. `tries` is the number of workers that a page must end by itself to be
    blamed, and of starts of each worker that may fail: more than 1 where workers also die with their machines.
    """

    def __init__(
        self,
        start: Callable[[], W],
        wait: Callable[[Sequence[W]], Sequence[W]],
        workers: int,
        model: str,
        tries: int = 1,
    ) -> None:
        self._start, self._wait, self._model, self._tries = start, wait, model, tries
        self._starts = workers * (tries - 1)  # that may still fail
        self._workers: list[W] = []
        self._waiting: deque[PageSet] = deque()  # sets that are loaded
        self._done: dict[int, pa.RecordBatch] = {}  # rows by the number of their first page
        self._loaded = self._yielded = 0  # pages
        with ExitStack() as started:
            started.callback(self.close)
            self._workers += (start() for _ in range(workers))
            started.pop_all()

    def read(self, sets: Iterator[PageSet]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all pages in their order. Raises EdgeError where a worker cannot start."""
        while True:
            self._hand_out()
            yield from self._in_order()
            if not self._load(sets) and self._loaded == self._yielded:
                return
            self._hand_out()
            self._collect()

    def _load(self, sets: Iterator[PageSet]) -> bool:
        """Load sets until one waits for each worker; return whether there may be more."""
        most = IN_FLIGHT * len(self._workers)
        while len(self._waiting) < len(self._workers) and self._loaded - self._yielded <= most - SET:
            pages = next(sets, None)
            if pages is None:
                return False
            self._waiting.append(pages)
            self._loaded += len(pages.pages)
            self._hand_out()
        return True

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.idle and self._waiting:
                worker.take(self._waiting.popleft())

    def _collect(self) -> None:
        """Wait until a worker answers, starts or dies, and take what is there."""
        busy = [worker for worker in self._workers if not worker.idle]
        for worker in self._wait(busy) if busy else ():
            start = worker.held.start
            try:
                rows = worker.answer()
            except EOFError:
                self._replace(worker)
            else:
                if rows is not None:
                    self._done[start] = rows

    def _in_order(self) -> Iterator[pa.RecordBatch]:
        while (rows := self._done.pop(self._yielded, None)) is not None:
            self._yielded += rows.num_rows
            yield rows

    def _replace(self, worker: W) -> None:
        """Start a new worker in place of one that has died, and plan its pages: one of them may have killed it."""
        self._workers.remove(worker)
        how, pages = worker.end(dying=True), worker.held
        if not worker.ready:
            self._starts -= 1
            if self._starts < 0:
                raise EdgeError(
                    f"a process for reading ended as it started ({how}): is there memory for so many --workers?"
                )
        self._workers.append(self._start())
        if pages.alone == 1:
            page = pages.pages[0]
            said = f"ended the process that read it ({how}), which may have had too little memory"
            self._done[pages.start] = parts.record_batch([error_row(page.id, page.source, self._model, said)])
            return
        left = self._tries if pages.alone is None else pages.alone - 1
        singles = [PageSet(pages.start + at, [page], left) for at, page in enumerate(pages.pages)]
        self._waiting.extendleft(reversed(singles))

    def close(self) -> None:
        """End the workers; pages in flight are lost."""
        while self._workers:
            self._workers.pop().end()
