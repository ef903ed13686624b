"""Files that are whole or not there."""

from edge_runtime.files import write_bytes, write_text, write_whole

__all__ = ["write_bytes", "write_text", "write_whole"]
