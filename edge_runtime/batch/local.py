"""Reads pages in processes of this machine."""

import multiprocessing
import signal
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

import pyarrow as pa

from edge_runtime.batch.contents import Page
from edge_runtime.batch.pool import Pool, Worker, sets_of
from edge_runtime.batch.worker import PageReader, Recipe, serve
from edge_runtime.system.signals import kept, name_of

GRACE = 5.0  # seconds in which a worker must end that was told to


def read(pages: Iterator[Page], recipe: Recipe, workers: int, model: str) -> Generator[pa.RecordBatch, None, None]:
    """Yield the rows of pages, in their order, from so many processes; with 0 workers, from this process.

    At most IN_FLIGHT pages for each worker are held at any time. `model` is its name in rows. Close the iterator to end
    the processes. Raises EdgeError where a process cannot start.
    """
    sets = sets_of(pages)
    if workers == 0:
        with PageReader(recipe) as reader:
            for each in sets:
                yield reader.read(each.pages)
        return
    with Pool(partial(Process, recipe), _answering, workers, model) as pool:
        yield from pool.read(sets)


class Process(Worker):
    """A worker that is a process."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        context = multiprocessing.get_context("spawn")  # a fork would copy OpenCV's threads and locks in any state
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, recipe), daemon=True)
        with kept(signal.SIGINT, signal.SIG_IGN):  # the process ignores Ctrl-C from its first moment on
            self.process.start()
        theirs.close()  # so that the pipe ends with the process

    def send(self, pages: list[Page]) -> None:
        """Send it pages; where it has died, `receive` says so."""
        try:
            self.connection.send(pages)
        except OSError:
            return

    def receive(self) -> Any:
        """Return its next answer. Raises EOFError where it has died."""
        try:
            return self.connection.recv()
        except OSError as error:  # the connection was reset
            raise EOFError from error

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


def _answering(workers: Sequence[Process]) -> list[Process]:
    """Wait for workers that have something to say, and return them."""
    by_connection = {worker.connection: worker for worker in workers}
    ready = wait(list(by_connection))
    return [by_connection[each] for each in ready if isinstance(each, Connection)]
