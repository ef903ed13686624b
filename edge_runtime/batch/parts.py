"""Rows -> Arrow -> files: the columns' types, and the parts that hold them."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from edge_runtime.batch.rows import Row

BOX = pa.list_(pa.int32())  # left, top, width, height, in pixels
SCHEMA = pa.schema(
    [
        pa.field("page", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("text", pa.list_(pa.string())),
        (
            "lines",
            pa.list_(
                pa.struct(
                    {
                        "text": pa.string(),
                        "confidence": pa.float64(),
                        "box": BOX,
                        "alternatives": pa.list_(pa.struct({"text": pa.string(), "confidence": pa.float64()})),
                    }
                )
            ),
        ),
        (
            "digits",
            pa.list_(
                pa.struct(
                    {
                        "label": pa.string(),
                        "confidence": pa.float64(),
                        "box": BOX,
                        "line": pa.int32(),
                        "top": pa.list_(pa.struct({"label": pa.string(), "confidence": pa.float64()})),
                    }
                )
            ),
        ),
        ("rejected", pa.list_(pa.struct({"box": BOX, "reason": pa.string(), "confidence": pa.float64()}))),
        ("turned", pa.int16()),
        pa.field("model", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        ("error", pa.string()),
    ]
)


def record_batch(rows: Sequence[Row]) -> pa.RecordBatch:
    """Return rows as Arrow."""
    return pa.RecordBatch.from_pylist(list(rows), schema=SCHEMA)


def parquet(batches: Sequence[pa.RecordBatch]) -> bytes:
    """Return rows as a parquet file, compressed with zstd: the same rows give the same bytes."""
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_batches(batches, SCHEMA), buffer, compression="zstd")
    return bytes(buffer.getvalue())


def json_lines(batches: Sequence[pa.RecordBatch]) -> bytes:
    """Return rows as JSON Lines, with the same names as the columns."""
    return "".join(json.dumps(row) + "\n" for batch in batches for row in batch.to_pylist()).encode()


def counts(batches: Sequence[pa.RecordBatch]) -> dict[str, Any]:
    """Return what rows hold: the numbers of pages, digits and errors, and of rejections by reason."""
    rejected: Counter[str] = Counter()
    for batch in batches:
        reasons = batch.column("rejected").flatten().field("reason")
        rejected.update({entry["values"]: entry["counts"] for entry in reasons.value_counts().to_pylist()})
    return {
        "pages": sum(batch.num_rows for batch in batches),
        "digits": sum(len(batch.column("digits").flatten()) for batch in batches),
        "errors": sum(batch.num_rows - batch.column("error").null_count for batch in batches),
        "rejected": dict(sorted(rejected.items())),
    }


def errors(batch: pa.RecordBatch) -> list[tuple[str, str]]:
    """Return the id and the reason of each page that could not be read."""
    reasons = batch.column("error").to_pylist()
    return [(page, why) for page, why in zip(batch.column("page").to_pylist(), reasons, strict=True) if why is not None]
