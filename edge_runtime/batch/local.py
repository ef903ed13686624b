"""Reads pages in processes of this machine: rows come in the order of the pages, and memory stays bounded.

Each worker holds one set of pages, and a further set for each is ready, so that no worker waits. A worker that dies,
such as one that the kernel kills for its memory, loses no page: a new one reads its set again, page by page, and a page
that kills a worker by itself becomes a row with that error.
"""

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

import pyarrow as pa

from edge_runtime.batch import parts
from edge_runtime.batch.contents import Page
from edge_runtime.batch.rows import error_row
from edge_runtime.batch.worker import PageReader, Recipe, serve
from edge_runtime.errors import EdgeError
from edge_runtime.system.closing import Closing
from edge_runtime.system.signals import name_of

SET = 8  # pages that a worker takes at a time: 0.1 s of work, against 1 ms to hand them over
IN_FLIGHT = 4 * SET  # pages for each worker that are loaded, being read, or wait for the rows of earlier pages
GRACE = 5.0  # seconds in which a worker must end that was told to


class PageSet(NamedTuple):
    """Pages for one worker, the first of which is number `start` of all; `alone` if they killed a worker before."""

    start: int
    pages: list[Page]
    alone: bool = False


def read(pages: Iterator[Page], recipe: Recipe, workers: int, model: str) -> Generator[pa.RecordBatch, None, None]:
    """Yield the rows of pages, in their order, from so many processes; with 0 workers, from this process.

    At most IN_FLIGHT pages for each worker are held at any time. `model` is its name in rows. Close the iterator to end
    the processes. Raises EdgeError where a process cannot start.
    """
    sets = _sets(pages)
    if workers == 0:
        with PageReader(recipe) as reader:
            for each in sets:
                yield reader.read(each.pages)
        return
    with Pool(recipe, workers, model) as pool:
        yield from pool.read(sets)


def _sets(pages: Iterator[Page]) -> Iterator[PageSet]:
    start = 0
    while taken := list(islice(pages, SET)):
        yield PageSet(start, taken)
        start += len(taken)


class Worker:
    """A process that reads one set of pages at a time."""

    def __init__(self, recipe: Recipe) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy OpenCV's threads and locks in any state
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, recipe), daemon=True)
        with _sigint_ignored():
            self.process.start()
        theirs.close()  # so that the pipe ends with the process
        self.ready, self.held = False, PageSet(0, [])

    @property
    def idle(self) -> bool:
        """Whether it waits for pages."""
        return self.ready and not self.held.pages

    def take(self, pages: PageSet) -> None:
        """Send it pages; where it has died, `answer` says so."""
        self.held = pages
        try:
            self.connection.send(pages.pages)
        except OSError:
            return

    def answer(self) -> pa.RecordBatch | None:
        """Return the rows of the pages that it held; None when it has started. Raises EOFError where it has died."""
        try:
            answer = self.connection.recv()
        except OSError as error:  # the connection was reset
            raise EOFError from error
        if not self.ready:
            self.ready = True
            return None
        self.held = PageSet(0, [])
        return answer

    def end(self, dying: bool = False) -> str:
        """End the process, unless it is `dying` by itself, and return how it ended, as one word or two."""
        self.connection.close()
        if not dying:
            self.process.terminate()
        self.process.join(GRACE)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        return name_of(-code) if code < 0 else f"exit code {code}"


class Pool(Closing):
    """The workers, and the pages that are in flight."""

    def __init__(self, recipe: Recipe, workers: int, model: str) -> None:
        self._recipe, self._model = recipe, model
        self._workers: list[Worker] = []
        self._waiting: deque[PageSet] = deque()  # sets that are loaded
        self._done: dict[int, pa.RecordBatch] = {}  # rows by the number of their first page
        self._loaded = self._yielded = 0  # pages
        with ExitStack() as started:
            started.callback(self.close)
            self._workers += (Worker(recipe) for _ in range(workers))
            started.pop_all()

    def read(self, sets: Iterator[PageSet]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all pages in their order."""
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
        by_connection = {worker.connection: worker for worker in self._workers if not worker.idle}
        for connection in wait(list(by_connection)) if by_connection else ():
            assert isinstance(connection, Connection)
            worker = by_connection[connection]
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

    def _replace(self, worker: Worker) -> None:
        """Start a new worker, and plan the pages of the one that has died."""
        at, pages = self._workers.index(worker), worker.held
        del self._workers[at]
        how = worker.end(dying=True)
        if not worker.ready:
            raise EdgeError(
                f"a process for reading ended as it started ({how}): is there memory for so many --workers?"
            )
        self._workers.insert(at, Worker(self._recipe))
        if pages.alone:
            page = pages.pages[0]
            said = f"ended the process that read it ({how}), which may have had too little memory"
            self._done[pages.start] = parts.record_batch([error_row(page.id, page.source, self._model, said)])
            return
        singles = [PageSet(pages.start + at, [page], alone=True) for at, page in enumerate(pages.pages)]
        self._waiting.extendleft(reversed(singles))

    def close(self) -> None:
        """End the processes; pages in flight are lost."""
        while self._workers:
            self._workers.pop().end()


@contextmanager
def _sigint_ignored() -> Iterator[None]:
    """Let processes that start meanwhile ignore Ctrl-C from their first moment on; in the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
