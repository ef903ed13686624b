"""Archives of pages: reads them in several processes into parquet; `ReadPages` does it for other engines."""

from edge_runtime.batch.read_pages import ReadPages

__all__ = ["ReadPages"]
