"""Parquet tables with a column of pictures: their bytes, or structs with `bytes`, as Hugging Face's data sets have."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from edge_runtime.batch import addresses
from edge_runtime.batch.contents import Content, Encoded, Entry, Unreadable, failed
from edge_runtime.errors import OptionError, PictureError
from edge_runtime.system.dependencies import explain

PARQUET = (".parquet", ".pq")
ROWS = 16  # that are decompressed at a time: pictures are large
BUFFER = 1 << 20  # bytes of a column that are read at a time, rather than all of a row group


def entries(name: str, file: BinaryIO, column: str) -> Iterator[Entry]:
    """Yield the rows of a table, `name`#0 and so on; one entry with the reason if it cannot be read."""
    count = 0
    try:
        with addresses.readable(name):
            table = _opened(file)
            path = _path(table, name, column)
            for group in range(table.num_row_groups):
                cells = _Cells(table, group, path)
                for row in range(table.metadata.row_group(group).num_rows):
                    yield Entry(f"{name}#{count}", name, lambda cells=cells, row=row: cells.content(row))  # type: ignore[misc]
                    count += 1
    except (OptionError, PictureError) as error:
        yield failed(name, name, str(error).removeprefix(f"{name}: "))


def check(name: str, file: BinaryIO, column: str) -> None:
    """Raise OptionError where a table has no such column of pictures, PictureError where it is no table."""
    with addresses.readable(name):
        _path(_opened(file), name, column)


def _opened(file: BinaryIO) -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise explain(error) from error
    return pyarrow.parquet.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)


def _path(table: Any, name: str, column: str) -> str:
    """Return the path of the column that holds bytes. Raises OptionError where there is none."""
    from pyarrow import types

    schema = table.schema_arrow
    if column not in schema.names:
        raise OptionError(f"{name}: no column {column}; it has {', '.join(schema.names)}: name one with --column")
    kind = schema.field(column).type
    inner = kind.field("bytes").type if types.is_struct(kind) and kind.get_field_index("bytes") >= 0 else kind
    if not (types.is_binary(inner) or types.is_large_binary(inner)):
        raise OptionError(f"{name}: column {column} is {kind}, not the bytes of pictures: name another with --column")
    return column if inner is kind else f"{column}.bytes"


class _Cells:
    """The cells of a row group, read in order, from the first one that is asked for."""

    def __init__(self, table: Any, group: int, path: str) -> None:
        self._table, self._group, self._path = table, group, path
        self._next = 0
        self._cells: Iterator[Any] = iter(())

    def content(self, row: int) -> Content:
        """Return the picture in a row; rows are asked for in order, each at most once."""
        try:
            if self._next == 0:
                self._cells = self._read()
            data = next(islice(self._cells, row - self._next, None)).as_py()
            self._next = row + 1
        except Exception as error:  # boundary: on hostile bytes, Arrow and file systems may raise anything
            return Unreadable(f"damaged: {addresses.one_line(error)}")
        data = data["bytes"] if isinstance(data, dict) else data
        return Unreadable("no picture: null") if data is None else Encoded(data)

    def _read(self) -> Iterator[Any]:
        batches = self._table.iter_batches(ROWS, row_groups=[self._group], columns=[self._path])
        return (cell for batch in batches for cell in batch.column(0))
