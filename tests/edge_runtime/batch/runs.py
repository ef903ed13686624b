"""Runs in this process, and their rows."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from edge_runtime.batch.run import Request, run


class Follower:
    """Follows a run: keeps the numbers of pages, and the errors."""

    def __init__(self) -> None:
        self.done, self.read = 0, 0
        self.errors: list[tuple[str, str]] = []

    def begins(self, done: int) -> None:
        self.done = done

    def advances(self, pages: int) -> None:
        self.read += pages

    def fails(self, page: str, reason: str) -> None:
        self.errors.append((page, reason))


def read(out: Path, *inputs: object, **settings: Any) -> Follower:
    """Read inputs in this process."""
    follower = Follower()
    request = {"options": {}, "workers": 0, **settings}
    run(Request(inputs=tuple(map(str, inputs)), out=out, **request), follower)
    return follower


def rows(out: Path) -> list[dict[str, Any]]:
    """Return the rows of all parts."""
    tables = [pq.read_table(path) for path in sorted(out.glob("*.parquet"))]
    return list(pa.concat_tables(tables).to_pylist())


def texts(out: Path) -> dict[str, list[str]]:
    """Return the text of each page by its id; of a page that cannot be read, its error."""
    return {row["page"]: row["text"] if row["error"] is None else [f"error: {row['error']}"] for row in rows(out)}
