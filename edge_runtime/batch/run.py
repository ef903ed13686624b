"""A batch: inputs in, numbered parts of rows and a summary out. What an earlier run has written is not read again."""

import json
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

import edge_runtime
from edge_runtime.batch import inputs, local, pages, parts, ray_cluster
from edge_runtime.batch.contents import Entry, Page
from edge_runtime.batch.inputs import Input
from edge_runtime.batch.manifest import Manifest, digest
from edge_runtime.batch.worker import Recipe
from edge_runtime.errors import OptionError
from edge_runtime.inference.model_file import ModelFile
from edge_runtime.reader import DigitReader
from edge_runtime.system import durable
from edge_runtime.system.board import usable_cores
from edge_runtime.system.closing import Closing

Read = Callable[[Iterator[Page], Recipe, int, str], Generator[pa.RecordBatch, None, None]]
PART = 1000  # pages in a part: what a run that is killed reads again at most, some ten seconds on two cores


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to read, how, and where to write: see `edge-digits batch`.

    `options` are DigitReader's keywords, `part` is the number of pages in a part. `ray` is the address of a cluster, or
    "local"; without it, processes of this machine read. `workers` is None for one on each core, or CPU of the cluster.
    """

    inputs: tuple[str, ...]
    out: Path
    model: Path | None = None
    options: dict[str, Any]
    column: str = "image"
    json_lines: bool = False
    sample: int | None = None
    workers: int | None = 1
    ray: str | None = None
    part: int = PART


class Observer(Protocol):
    """Follows a run."""

    def begins(self, done: int) -> None:
        """Take the number of pages that earlier runs have read."""

    def advances(self, pages: int) -> None:
        """Take the number of further pages that are read."""

    def fails(self, page: str, reason: str) -> None:
        """Take the id of a page that cannot be read, and the reason."""


def run(request: Request, observer: Observer) -> dict[str, Any]:
    """Read all pages, and return the summary that summary.json holds.

    Raises OptionError, DependencyMissing, SourceError where an input cannot be reached, ModelError, OutputError. What
    was read until then, or until Ctrl-C, is written, and the same request goes on from there.
    """
    resolved = [_input(name, request) for name in dict.fromkeys(request.inputs)]
    _check_out(request.out, resolved)
    pages.check_tables(request.inputs, request.column)
    with DigitReader(request.model, **request.options) as reader:  # also to raise what is wrong with it now
        asked = _asked(request, reader.classifier.model)
        model = reader.classifier.model.sha256
    recipe = Recipe(None if request.model is None else str(request.model), request.options)
    with _engine(request) as (read, workers), Manifest(request.out, asked) as manifest:
        entries = pages.entries(resolved, request.column)
        _skip(entries, manifest)
        observer.begins(manifest.pages)
        left = None if request.sample is None else max(0, request.sample - manifest.pages)
        ids: list[str] = []
        started, before = time.monotonic(), manifest.pages
        with (
            Parts(manifest, ids, request) as written,
            closing(read(_pages(islice(entries, left), ids), recipe, workers, model[:12])) as batches,
        ):
            for batch in batches:
                written.add(batch)
                for page, reason in parts.errors(batch):
                    observer.fails(page, reason)
                observer.advances(batch.num_rows)
        summary = _summary(manifest, manifest.pages - before, time.monotonic() - started, model)
        durable.put(request.out / "summary.json", (json.dumps(summary, indent=1) + "\n").encode())
        return summary


def _input(name: str, request: Request) -> Input:
    """Look an input up; this process loads local files for a cluster, whose nodes may not have them."""
    each = inputs.resolved(name)
    return each._replace(shared=each.shared and not (request.ray and each.local))


@contextmanager
def _engine(request: Request) -> Iterator[tuple[Read, int]]:
    """Yield the function that reads, and the number of its workers."""
    if request.ray is None:
        yield local.read, usable_cores() if request.workers is None else request.workers
        return
    with ray_cluster.connected(request.ray, request.workers) as workers:
        yield ray_cluster.read, workers


class Parts(Closing):
    """Gathers rows, and writes them in parts; the rest when it is closed, for whatever reason.

    `ids` are those of the pages that are loaded, in their order, from the first one that is not yet written.
    """

    def __init__(self, manifest: Manifest, ids: list[str], request: Request) -> None:
        self._manifest, self._ids, self._request = manifest, ids, request
        self._batches: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the rows of the next pages. Raises OutputError."""
        self._batches.append(batch)
        self._rows += batch.num_rows
        if self._rows >= self._request.part:
            self._write()

    def close(self) -> None:
        """Write the rows that are left. Raises OutputError."""
        if self._rows:
            self._write()

    def _write(self) -> None:
        batches, ids = self._batches, self._ids[: self._rows]
        del self._ids[: self._rows]
        self._batches, self._rows = [], 0
        files = {".parquet": parts.parquet(batches)}
        if self._request.json_lines:
            files[".jsonl"] = parts.json_lines(batches)
        self._manifest.add(files, parts.counts(batches), digest(ids))


def _pages(entries: Iterator[Entry], ids: list[str]) -> Iterator[Page]:
    """Load the pages as they are asked for, and append their ids."""
    for entry in entries:
        ids.append(entry.id)
        yield entry.page()


def _skip(entries: Iterator[Entry], manifest: Manifest) -> None:
    """Pass over the pages that are in parts already. Raises OptionError where other ones are there now."""
    for part in manifest.parts:
        if digest(entry.id for entry in islice(entries, part.pages)) != part.ids:
            raise OptionError(
                f"{manifest.folder}: the pages of part {part.part} are no longer the same in the input; put the input "
                "back as it was, or choose another --out"
            )


def _asked(request: Request, model: ModelFile) -> dict[str, Any]:
    """Return what rows depend on; a model's card holds its weights, and the hash of its line network."""
    return {
        "version": edge_runtime.__version__,
        "model": model.sha256,
        "card": sha256(json.dumps(model.card, sort_keys=True).encode()).hexdigest(),
        "inputs": list(request.inputs),
        "column": request.column,
        "jsonl": request.json_lines,
        **{name: value if value is None else str(value) for name, value in request.options.items()},
    }


def _check_out(out: Path, resolved: Sequence[Input]) -> None:
    """Raise OptionError where rows would be written among what is read."""
    real = out.resolve()
    for each in resolved:
        if each.local and each.folder and real.is_relative_to(Path(each.paths[0]).resolve()):
            raise OptionError(f"--out {out} is in {each.paths[0]}, which is read: choose another folder")


def _summary(manifest: Manifest, read: int, seconds: float, model: str) -> dict[str, Any]:
    return {
        **manifest.totals(),
        "parts": len(manifest.parts),
        "read_now": read,
        "seconds": round(seconds, 3),
        "pages_a_second": round(read / seconds, 2) if read else None,
        "model": model[:12],
        "version": edge_runtime.__version__,
    }
