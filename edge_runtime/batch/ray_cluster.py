"""Reads pages in actors of a Ray cluster: the same pool as on one machine, with actors in place of processes.

The parts are written, and local inputs loaded, by the command's own process, so that the nodes share no disk.
"""

import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pyarrow as pa

import edge_runtime
from edge_runtime.batch.addresses import one_line
from edge_runtime.batch.contents import Page
from edge_runtime.batch.pool import Pool, Worker, sets_of
from edge_runtime.batch.worker import PageReader, Recipe
from edge_runtime.errors import EdgeError, OptionError, SourceError
from edge_runtime.system import subprocesses
from edge_runtime.system.board import usable_cores
from edge_runtime.system.dependencies import explain
from edge_runtime.system.signals import kept

logger = logging.getLogger(__name__)
LOCAL = "local"
WHAT = "an actor of Ray"
ADDRESS = re.compile(r"(?P<host>[^/\s]+):(?P<port>\d{1,5})")
CONNECT = 30.0  # seconds in which a cluster must answer; Ray itself takes 1 s, and without a cluster, waits two minutes
START = 120.0  # seconds in which a first actor must have started: an actor takes 3 s, ten times that on a loaded board
# A node that dies takes its actors with it, whatever they read. That three die under one page by chance is unlikely.
TRIES = 3
# Bytes of shared memory for `local`: Ray's default is a third of all memory, and pages in flight take some megabytes.
OBJECT_STORE = 512 << 20
QUIET = {"log_to_driver": False, "logging_level": logging.ERROR}
PROBE = "import logging, sys, ray; ray.init(address=sys.argv[1], log_to_driver=False, logging_level=logging.ERROR)"


@contextmanager
def connected(address: str, workers: int | None) -> Iterator[int]:
    """Connect to the cluster at HOST:PORT, or start one on this machine, "local"; yield the number of actors to start.

    That is `workers`, or one for each CPU. Raises DependencyMissing, OptionError where the cluster has fewer CPUs,
    SourceError where it cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read as Ray is imported
    try:
        import ray
    except ImportError as error:
        raise explain(error) from error
    if workers == 0:
        raise OptionError("--workers 0 reads in this process: leave --ray out")
    own: dict[str, Any] = {"address": address}
    if address == LOCAL:
        own |= {"num_cpus": workers or usable_cores(), "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    else:
        _probe(address)
    try:
        try:
            with kept(signal.SIGTERM):  # Ray has a handler of its own
                ray.init(**own, **QUIET)
        except (OSError, RuntimeError, ValueError) as error:
            raise SourceError(f"--ray {address}: cannot be used: {one_line(error)}") from error
        yield _actors(ray.cluster_resources(), address, workers)
    finally:
        ray.shutdown()


def _probe(address: str) -> None:
    """Connect in a process beside: without a cluster, Ray would wait for minutes, and then end the process."""
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise OptionError(f"--ray {address}: neither HOST:PORT, as `ray start --head` prints it, nor local")
    try:
        socket.create_connection((match["host"], int(match["port"])), CONNECT).close()
    except (OSError, OverflowError) as error:
        raise SourceError(f"--ray {address}: cannot be reached: {one_line(error)}") from error
    answer = subprocesses.ask([sys.executable, "-c", PROBE, address], CONNECT)
    if answer is None or answer.code is None:
        raise SourceError(f"--ray {address}: no Ray cluster answers there within {CONNECT:.0f} s")
    if answer.code != 0:
        said = _last_line(answer.err) or f"exit code {answer.code}"
        raise SourceError(f"--ray {address}: cannot be used: {said}")


def _last_line(text: str) -> str:
    """Return the last line: of a traceback, what went wrong."""
    return text.strip().rpartition("\n")[2]


def _actors(resources: dict[str, float], address: str, workers: int | None) -> int:
    """Return the number of actors. Raises OptionError where so many could not run: the others would wait for ever."""
    cpus = int(resources.get("CPU", 0))
    if cpus < (workers or 1):
        has = "1 CPU" if cpus == 1 else f"{cpus} CPUs"
        raise OptionError(f"--ray {address}: the cluster has {has}, and each of --workers takes one")
    return workers or cpus


def read(pages: Iterator[Page], recipe: Recipe, workers: int, model: str) -> Generator[pa.RecordBatch, None, None]:
    """Yield the rows of pages, in their order, from so many actors of the cluster that is connected.

    At most IN_FLIGHT pages for each are held at any time. `model` is its name in rows. Close the iterator to end the
    actors. Raises EdgeError where an actor cannot start, SourceError where none does within START seconds.
    """
    from ray.exceptions import RayError

    try:
        with Pool(partial(Actor, Sent.of(recipe), model), _answering, workers, model, TRIES) as pool:
            yield from pool.read(sets_of(pages))
    except RayError as error:
        raise SourceError(f"the Ray cluster is lost: {one_line(error)}") from error


class Sent(NamedTuple):
    """A recipe that does for other machines: with the content of its files, by their keyword, in place of paths."""

    files: dict[str, bytes]
    options: dict[str, Any]

    @classmethod
    def of(cls, recipe: Recipe) -> "Sent":
        """Load the files. Raises OptionError."""
        options = {"model": recipe.model, **recipe.options}
        paths = {name: options.pop(name) for name in ("model", "labels") if options.get(name) is not None}
        try:
            return cls({name: Path(path).read_bytes() for name, path in paths.items()}, options)
        except OSError as error:
            raise OptionError(f"{error.filename}: cannot be read: {error.strerror}") from error

    def open(self) -> PageReader:
        """Open a reader."""
        with TemporaryDirectory() as folder:
            paths = {name: str(Path(folder, name)) for name in self.files}
            for name, path in paths.items():
                Path(path).write_bytes(self.files[name])
            options = {**self.options, **paths}
            return PageReader(Recipe(options.pop("model"), options))


class Started(NamedTuple):
    """What an actor says first: the host name of its node, and what it reads with."""

    host: str
    version: str
    model: str


class Reader:
    """What an actor holds: one reader."""

    def start(self, sent: Sent) -> Started:
        """Open the reader."""
        import cv2

        cv2.setNumThreads(1)  # there is an actor for each CPU
        self._reader = sent.open()
        return Started(socket.gethostname(), edge_runtime.__version__, self._reader.model)

    def read(self, pages: list[Page]) -> pa.RecordBatch:
        """Return the rows of pages, in their order."""
        return self._reader.read(pages)


class Actor(Worker):
    """A worker that is an actor: it takes one CPU of the cluster, and starts as soon as one is free."""

    def __init__(self, sent: Sent, model: str) -> None:
        import ray

        super().__init__()
        self._model, self._how = model, WHAT
        self._actor = ray.remote(Reader).options(num_cpus=1, max_restarts=0).remote()
        self.pending = self._actor.start.remote(sent)

    def send(self, pages: list[Page]) -> None:
        """Send it pages; where it has died, `receive` says so."""
        self.pending = self._actor.read.remote(pages)

    def receive(self) -> Any:
        """Return its next answer. Raises EOFError where it has died, EdgeError where it cannot read at all."""
        import ray
        from ray import exceptions

        try:
            answer = ray.get(self.pending)
        except exceptions.RayTaskError as error:
            if self.ready:
                raise EOFError from error
            said = one_line(error.cause)
            raise EdgeError(f"an actor of Ray cannot read: {said}: is edge-digits installed on its node?") from error
        except exceptions.RayError as error:  # the actor or its node is dead, or cannot be reached
            if self.ready:
                logger.warning("%s has died; its pages are read again", WHAT)
            else:
                self._how = f"{WHAT}: {_last_line(str(error))}"
            raise EOFError from error
        own = (edge_runtime.__version__, self._model)
        if isinstance(answer, Started) and (answer.version, answer.model) != own:
            raise EdgeError(
                f"{answer.host} has edge-digits {answer.version} with the model {answer.model}, not {own[0]} with "
                f"{own[1]}: install the same on all nodes of the cluster"
            )
        return answer

    def end(self, dying: bool = False) -> str:
        """End the actor, also one that waits for a CPU."""
        import ray

        ray.kill(self._actor)
        return self._how


def _answering(workers: Sequence[Actor]) -> list[Actor]:
    """Wait for actors that have answered, and return them. Raises SourceError where none starts."""
    import ray

    by_reference = {worker.pending: worker for worker in workers}
    ready, _ = ray.wait(list(by_reference), timeout=None if any(worker.ready for worker in workers) else START)
    if not ready:
        raise SourceError(
            f"no actor of Ray started within {START:.0f} s: the cluster's CPUs may be taken, or its nodes gone"
        )
    return [by_reference[each] for each in ready]
